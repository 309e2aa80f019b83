// The long container list: each time its end comes near the window, the next rows are asked for.

import { get } from "./api.js";
import { boxCells, cell } from "./cells.js";

const PART = 200;
const NEAR = "600px";

const table = document.getElementById("containers");
const rows = table.tBodies[0].rows;
const end = document.getElementById("end");
const count = document.getElementById("count");
const problem = document.getElementById("problem");
let next = 0;
let busy = false;

function page(number) {
  const made = document.createElement("a");
  made.href = `/containers/${number}`;
  made.textContent = number;
  return made;
}

function line(row) {
  const made = document.createElement("tr");
  made.append(
    cell("Container", page(row.number), "box"),
    cell("Reference", row.reference),
    cell("Arrived", row.arrived),
    ...boxCells(row),
  );
  return made;
}

async function load() {
  const part = await get(`/api/containers/all?offset=${next}&limit=${PART}`);
  table.tBodies[0].append(...part.containers.map(line));
  next = part.next;
  count.textContent = `${rows.length.toLocaleString("en")} of ${part.count.toLocaleString("en")} containers`;
}

async function more() {
  if (busy || next === null) return;
  busy = true;
  problem.hidden = true;
  table.setAttribute("aria-busy", "true");
  try {
    await load();
    if (next !== null) watch();
  } catch (error) {
    document.getElementById("problem-text").textContent = error.message;
    problem.hidden = false;
  }
  table.setAttribute("aria-busy", "false");
  busy = false;
}

const observer = new IntersectionObserver((seen) => { if (seen.some((entry) => entry.isIntersecting)) more(); }, { rootMargin: NEAR });

// Observed anew after each part, since an end that never left the window would not be told a second time.
function watch() {
  observer.unobserve(end);
  observer.observe(end);
}

document.getElementById("again").addEventListener("click", more);
watch();
