// Six digits are a whole code: send them without waiting for the button.

const form = document.getElementById("code-form");
const code = document.getElementById("otp");
let sent = false;

function sendWhole() {
  if (/^\d{6}$/.test(code.value.replaceAll(" ", "")) && !sent) form.requestSubmit();
}

form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});

// Back from the history the form can be sent again.
window.addEventListener("pageshow", (event) => { if (event.persisted) sent = false; });

code.addEventListener("input", sendWhole);
sendWhole(); // typed before this script ran
