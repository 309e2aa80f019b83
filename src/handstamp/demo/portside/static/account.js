import { SignedOut, get } from "./api.js";

const state = document.getElementById("api-state");

try {
  await get("/api/account");
  state.textContent = "ready";
  state.classList.add("good");
} catch (error) {
  state.textContent = error instanceof SignedOut ? "no API token" : "not reachable";
  state.classList.add("bad");
}
