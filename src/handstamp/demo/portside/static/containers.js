// The container list: rows from the API; the filter is kept for this tab, the row height for this browser.

import { get } from "./api.js";
import { boxCells, cell } from "./cells.js";

const FILTER = "containers.filter";
const DENSITY = "portside.density";

const table = document.getElementById("containers");
const text = document.getElementById("filter-text");
const status = document.getElementById("filter-status");
const compact = document.getElementById("compact");
const count = document.getElementById("count");
const problem = document.getElementById("problem");
let rows = [];

function line(row) {
  const made = document.createElement("tr");
  made.append(
    cell("Container", row.number, "box"),
    ...boxCells(row),
  );
  return made;
}

function fits(row) {
  const wanted = text.value.trim().toLowerCase();
  const inside = `${row.number} ${row.vessel} ${row.line}`.toLowerCase();
  return inside.includes(wanted) && (status.value === "" || row.status === status.value);
}

function show() {
  const shown = rows.filter(fits);
  table.tBodies[0].replaceChildren(...shown.map(line));
  count.textContent = shown.length ? `${shown.length} of ${rows.length} containers` : "No container fits this filter.";
}

function summarise() {
  const sums = {
    "sum-all": rows.length,
    "sum-yard": rows.filter((row) => row.status === "In yard").length,
    "sum-hold": rows.filter((row) => row.hold).length,
    "sum-late": rows.filter((row) => row.free_days !== null && row.free_days < 0).length,
  };
  for (const [id, sum] of Object.entries(sums)) document.getElementById(id).textContent = sum;
}

function recall() {
  const saved = JSON.parse(sessionStorage.getItem(FILTER) ?? "{}");
  text.value = saved.text ?? "";
  status.value = saved.status ?? "";
  compact.checked = localStorage.getItem(DENSITY) === "compact";
  table.classList.toggle("compact", compact.checked);
}

function filterChanged() {
  sessionStorage.setItem(FILTER, JSON.stringify({ text: text.value, status: status.value }));
  show();
}

text.addEventListener("input", filterChanged);
status.addEventListener("change", filterChanged);
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
compact.addEventListener("change", () => {
  localStorage.setItem(DENSITY, compact.checked ? "compact" : "normal");
  table.classList.toggle("compact", compact.checked);
});

recall();
try {
  rows = (await get("/api/containers")).containers;
  summarise();
  show();
} catch (error) {
  problem.textContent = error.message;
  problem.hidden = false;
  count.hidden = true;
}
table.setAttribute("aria-busy", "false");
