// Cells of the container tables.

const TONES = { "In yard": "good", "On vessel": "blue", Loaded: "warn", "Gated out": "" };

export function cell(label, content, className = "") {
  const made = document.createElement("td");
  made.dataset.label = label;
  made.className = className;
  made.append(content);
  return made;
}

function chip(content, tone) {
  const made = document.createElement("span");
  made.className = `chip ${tone}`;
  made.textContent = content;
  return made;
}

function statusChip(status) {
  return chip(status, TONES[status] ?? "");
}

// What both container lists say of a container behind its number.
export function boxCells(row) {
  return [
    cell("Type", row.size),
    cell("Line", row.line),
    cell("Vessel / voyage", `${row.vessel} ${row.voyage}`),
    cell("Port", row.port),
    cell("Status", statusChip(row.status)),
    cell("Position", row.position),
    cell("Hold", row.hold ? chip(row.hold, "bad") : ""),
    cell("Weight", `${row.weight_kg.toLocaleString("en")} kg`, "number"),
    cell("Free days", row.free_days === null ? "" : String(row.free_days).replace("-", "−"), row.free_days < 0 ? "number late" : "number"),
  ];
}
