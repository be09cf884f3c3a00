// Wires the page together: controls, keys, drawing once a screen refresh.

import { post } from "./api.js";
import { drawMargin, drawPotential } from "./curves.js";
import { page, type } from "./drawing.js";
import { classified } from "./hands.js";
import { Plane } from "./plane.js";
import "./proof.js";
import { drawLine, openLine } from "./regression.js";
import "./solve.js";
import { drawSphere } from "./sphere.js";
import { decode, emit, encode, fit, on, replace, state, undo } from "./state.js";
import { toggle } from "./train.js";

const get = (id) => document.getElementById(id);
const left = new Plane("left", "view-left", "note-left", "f1"), right = new Plane("right", "view-right", "note-right", "f2");
let dirty = true, moved = true, saved = 0, tab = "classify"; // flags: redraw everything; redraw the panels of the run

function show() {
  if (dirty && tab === "regression") drawLine();
  if (tab === "classify" && (dirty || moved)) {
    for (const plane of [left, right]) if (dirty || plane.select.value === "trained") plane.draw();
    for (const draw of [drawSphere, drawPotential, drawMargin]) draw();
  }
  dirty = moved = false;
  requestAnimationFrame(show);
}

const redraw = () => (dirty = true);
on("frame", () => (moved = true));
for (const event of ["points", "view", "solved", "draw", "hover"]) on(event, redraw);
on("message", (text) => (get("message").textContent = text));
on("started", () => {
  if (left.select.value !== "trained") right.select.value = "trained";
});
on("points", () => { // the address restores the scene; it is not rewritten while points move
  clearTimeout(saved);
  saved = setTimeout(() => history.replaceState(null, "", location.pathname + location.search + encode()), 600);
});

function brush(label) {
  state.brush = label;
  get("class-negative").setAttribute("aria-checked", label < 0);
  get("class-positive").setAttribute("aria-checked", label > 0);
}

function names() {
  get("class-negative").lastElementChild.textContent = state.classes[0].replace(/^-(?=\d)/, "\u2212");
  get("class-positive").lastElementChild.textContent = state.classes[1];
}

function presetFields() {
  const name = get("preset").value;
  get("preset-k").hidden = !["polygon", "clusters"].includes(name);
  get("preset-n").hidden = get("preset-seed").hidden = !["clusters", "moons"].includes(name);
}

async function take(promise) {
  const answer = await promise;
  if (answer.error) return emit("message", answer.error);
  emit("message", "");
  replace(answer.points, answer.classes);
  names();
}

const csv = () => ["x1,x2,y", ...state.points.map(([x, y, l]) => `${x},${y},${quoted(state.classes[l > 0 ? 1 : 0])}`)].join("\n") + "\n";
const quoted = (word) => (/[",\n]/.test(word) ? `"${word.replace(/"/g, '""')}"` : word);

function download() {
  const link = document.createElement("a"), url = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  Object.assign(link, { href: url, download: "points.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function copyLink() {
  const url = location.origin + location.pathname + location.search + encode();
  get("csv").value = url;
  get("csv").select();
  if (navigator.clipboard) navigator.clipboard.writeText(url).catch(() => {});
}

function large() {
  const now = document.documentElement.classList.toggle("large");
  type.scale = now ? 1.45 : 1;
  get("projector").setAttribute("aria-pressed", now);
  redraw();
}

function open(name) {
  tab = name;
  for (const other of ["classify", "regression"]) {
    get(other).hidden = other !== name;
    get(`tab-${other}`).setAttribute("aria-selected", other === name);
  }
  get("headline").hidden = name === "regression"; // this key belongs to the plane
  if (name === "regression") openLine();
  redraw();
}

const whole = (id) => Math.round(+get(id).value) || 0;
get("load").addEventListener("click", () => take(post("preset", { name: get("preset").value, k: whole("k"), n: whole("n"), seed: whole("preset-number") })));
get("preset").addEventListener("change", presetFields);
get("import").addEventListener("click", () => {
  const scene = decode(get("csv").value.slice(Math.max(0, get("csv").value.indexOf("#s="))));
  if (scene) replace(scene);
  else take(post("csv", { text: get("csv").value }));
});
get("export").addEventListener("click", () => (get("csv").value = csv()));
get("download").addEventListener("click", download);
get("link").addEventListener("click", copyLink);
get("undo").addEventListener("click", undo);
get("clear").addEventListener("click", () => replace([]));
get("fit").addEventListener("click", () => fit());
get("projector").addEventListener("click", large);
get("class-negative").addEventListener("click", () => brush(-1));
get("class-positive").addEventListener("click", () => brush(1));
for (const name of ["classify", "regression"]) get(`tab-${name}`).addEventListener("click", () => open(name));
for (const plane of [left, right]) {
  classified(plane);
  plane.select.addEventListener("change", redraw);
}
document.addEventListener("keydown", (event) => {
  const typing = /^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "range";
  const name = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
  if (typing || event.altKey || (control && name !== "z") || tab !== "classify") return;
  const act = { z: undo, t: toggle, l: large, 1: () => brush(-1), 2: () => brush(1) }[name];
  if (!act) return;
  act();
  event.preventDefault();
});
window.addEventListener("resize", redraw);
window.addEventListener("hashchange", () => {
  const scene = decode(location.hash);
  if (scene && encode() !== location.hash) replace(scene);
});

presetFields();
names();
if (page.name) document.title = `${page.name}: maxmargin playground`;
state.points = decode(location.hash) || page.points;
fit(false);
emit("points");
requestAnimationFrame(show);
document.documentElement.dataset.ready = "yes";
