// Cells of the container tables.

const TONES = { "In yard": "good", "On vessel": "blue", Loaded: "warn", "Gated out": "" };

export function cell(label, content, className = "") {
  const made = document.createElement("td");
  made.dataset.label = label;
  made.className = className;
  made.append(content);
  return made;
}

export function chip(content, tone) {
  const made = document.createElement("span");
  made.className = `chip ${tone}`;
  made.textContent = content;
  return made;
}

export function statusChip(status) {
  return chip(status, TONES[status] ?? "");
}
