// The table of brackets, the text about the item under the pointer, and the verdict of the independent checker.

import { post } from "./api.js";
import { number, page } from "./drawing.js";
import { payoffOf } from "./networks.js";
import { chosenNeuron } from "./plane.js";
import { current } from "./solve.js";
import { emit, on, state } from "./state.js";

const get = (id) => document.getElementById(id);
const NORMS = { f1: "F1", f2: "F2", ntk: "tangent" };
const rows = {};

for (const [norm, name] of Object.entries(NORMS)) {
  const row = get("margins").insertRow(), swatch = document.createElement("span"), button = document.createElement("button");
  row.dataset.norm = norm;
  swatch.className = "swatch";
  swatch.style.background = page.palette[norm];
  row.insertCell().append(swatch, name);
  rows[norm] = { row, bracket: row.insertCell(), status: row.insertCell(), button };
  button.type = "button";
  button.textContent = "Check";
  button.setAttribute("aria-label", `Check the ${name} bracket with the independent checker`);
  button.addEventListener("click", () => check(norm));
  row.insertCell().append(button);
}

function show(passed) {
  for (const [norm, { row, bracket, status, button }] of Object.entries(rows)) {
    const found = current(norm) ? state.solved[norm] : null;
    bracket.textContent = found ? found.bracket : "\u2013";
    status.textContent = found ? found.status : "";
    status.title = found ? `${found.sentence}; scope ${found.scope}; relative gap ${found.gap}` : "";
    button.disabled = !found;
    Object.assign(row.dataset, { lower: found ? found.lower : "", upper: found ? found.upper : "", status: found ? found.status : "" });
  }
  const f1 = state.solved.f1;
  get("headline").textContent = !f1 ? "Put points of both classes on the plane."
    : !f1.separable ? "F1 margin 0, proved: no network of this kind separates these points."
      : `F1 margin in ${f1.bracket}, ${f1.status}${passed ? `, ${Math.round(passed)} ms` : ""}`;
  get("headline").dataset.points = state.asked.length;
  get("count").textContent = state.points.length ? `${state.points.length}` : "";
  if (!get("verdict").hidden) get("verdict").hidden = true; // the verdict belongs to other points
}

async function check(norm) {
  const box = get("verdict"), [title, list] = [box.querySelector("h3"), box.querySelector("ul")];
  box.hidden = false;
  title.textContent = `Checking ${NORMS[norm]} \u2026`;
  list.textContent = "";
  const verdict = await post("check", { norm });
  if (verdict.stale) return;
  if (verdict.error) return void (title.textContent = verdict.error);
  title.textContent = `${NORMS[norm]}: ${verdict.holds ? "the claim holds" : "the claim does not hold"}`;
  box.dataset.holds = verdict.holds;
  list.replaceChildren(...[...verdict.checks.map((c) => item(`${c.holds ? "\u2713" : "\u2717"} ${c.name}: ${c.detail} [${c.arithmetic}]`)), item(verdict.reason)]);
}

function item(text) {
  const li = document.createElement("li");
  li.textContent = text;
  return li;
}

const text = (v) => number(+v.toPrecision(3));

function describePoint({ plane, index }) {
  const point = state.points[index], p = plane.weights();
  if (!point) return "";
  const label = state.classes[point[2] > 0 ? 1 : 0], weight = p ? `; weight of the adversary ${text(p[index])}` : "";
  return `Point ${index + 1}, class ${label}, at (${text(point[0])}, ${text(point[1])})${weight}`;
}

function describeNeuron(at) {
  const chosen = chosenNeuron(), f1 = state.solved.f1, direction = chosen ? chosen.direction : at;
  if (!direction || !f1 || !f1.separable) return "";
  const level = f1.upper || f1.lower, paid = payoffOf(f1.points, f1.adversary)(...direction);
  const where = `(${[...direction].map((v) => v.toFixed(3)).join(", ")})`.replace(/-/g, "\u2212");
  const payoff = `payoff ${text(Math.abs(paid))} = ${(Math.abs(paid) / level).toFixed(4)} of the proved level`;
  if (!chosen) return `Direction ${where}: ${payoff}`;
  const kind = chosen.kind === "solved" ? `Solved neuron ${chosen.index + 1}` : `Trained neuron ${chosen.index + 1}`;
  return `${kind} ${where}, weight ${text(chosen.weight)}: ${payoff}; its line is drawn on the planes`;
}

on("solved", show);
on("points", () => {
  get("count").textContent = `${state.points.length}`;
  get("info").textContent = ""; // it was about other points
});
on("hover", (where) => (get("info").textContent = describePoint(where)));
on("chosen", (index) => emit("hover", { plane: { weights: () => (state.solved.f1 && state.solved.f1.adversary.length === state.points.length ? state.solved.f1.adversary : null) }, index }));
on("neuron", (at) => (get("info").textContent = describeNeuron(at)));

export { check };
