// The browser's side of a login: keeps the API token in localStorage, and asks the API with it.

const TOKEN = "token";
const REFRESH_TOKEN = "refresh_token";

function handedOut(name) {
  const tag = document.querySelector(`meta[name="${name}"]`);
  return tag ? tag.content : null;
}

// The first page after the login carries the token, and no other page does.
const token = handedOut("api-token");
if (token !== null) {
  localStorage.setItem(TOKEN, token);
  const refreshToken = handedOut("api-refresh-token");
  if (refreshToken === null) localStorage.removeItem(REFRESH_TOKEN);
  else localStorage.setItem(REFRESH_TOKEN, refreshToken);
}

document.getElementById("logout").addEventListener("submit", () => {
  localStorage.removeItem(TOKEN);
  localStorage.removeItem(REFRESH_TOKEN);
  sessionStorage.clear();
});

export class SignedOut extends Error {}

function ask(path) {
  return fetch(path, { headers: { Authorization: `Bearer ${localStorage.getItem(TOKEN) ?? ""}` } });
}

// A refresh token works once, so tabs take turns, and one that waited uses what the other got.
async function refresh(stale) {
  await navigator.locks.request("portside-refresh", async () => {
    if (localStorage.getItem(TOKEN) !== stale) return;
    const response = await fetch("/api/token", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: localStorage.getItem(REFRESH_TOKEN) }),
    });
    if (!response.ok) return;
    const grant = await response.json();
    localStorage.setItem(TOKEN, grant.token);
    localStorage.setItem(REFRESH_TOKEN, grant.refresh_token);
  });
}

export async function get(path) {
  const used = localStorage.getItem(TOKEN);
  let response = await ask(path);
  if (response.status === 401 && localStorage.getItem(REFRESH_TOKEN) !== null) {
    await refresh(used);
    response = await ask(path);
  }
  if (response.status === 401) throw new SignedOut("This browser has no valid API token for your session. End this session and sign in again.");
  if (!response.ok) throw new Error(`The terminal's system did not answer (${response.status}). Try again in a moment.`);
  return response.json();
}
