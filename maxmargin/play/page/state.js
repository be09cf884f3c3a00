// What is on the plane, and the listeners of its changes.

import { page } from "./drawing.js";

const state = {
  points: [], // [x1, x2, label], label -1 or 1
  classes: page.classes,
  brush: 1, // label of new points
  chosen: -1, // index of a point
  view: [-1.5, 1.5, -1.5, 1.5], // x0, x1, y0, y1 of the planes
  solved: {}, // norm -> answer of the solver
  asked: [], // the points of `solved`
  frame: null, // the network in training: directions, shares, margin, ...
  neuron: null, // the selected neuron: { kind: "solved" | "trained", index }
};

const ears = new Map();
const on = (event, ear) => ears.has(event) ? ears.get(event).push(ear) : ears.set(event, [ear]);
const emit = (event, value) => (ears.get(event) || []).forEach((ear) => ear(value));

const past = [], REMEMBERED = 200;

// Called before an edit: stores the points for undo.
function remember() {
  past.push(state.points.map((p) => p.slice()));
  if (past.length > REMEMBERED) past.shift();
}

function undo() {
  if (!past.length) return;
  state.points = past.pop();
  state.chosen = Math.min(state.chosen, state.points.length - 1);
  emit("points");
}

// Rounded to four decimals of the view: the same in CSV, link and request.
function tidy(value) {
  const unit = 10 ** Math.ceil(4 - Math.log10(state.view[1] - state.view[0])), limit = page.limits.coordinate;
  return Math.max(-limit, Math.min(limit, Math.round(value * unit) / unit || 0));
}

function add(x, y, label = state.brush) {
  if (state.points.length >= page.limits.points) return emit("message", `At most ${page.limits.points} points.`);
  remember();
  state.points.push([tidy(x), tidy(y), label]);
  state.chosen = state.points.length - 1;
  emit("points");
}

function remove(index) {
  if (!state.points[index]) return;
  remember();
  state.points.splice(index, 1);
  state.chosen = state.chosen > index ? state.chosen - 1 : state.chosen === index ? -1 : state.chosen;
  emit("points");
}

// Stores nothing for undo: a whole drag is one edit.
function move(index, x, y) {
  if (!state.points[index]) return;
  state.points[index] = [tidy(x), tidy(y), state.points[index][2]];
  emit("points");
}

function replace(points, classes) {
  remember();
  state.points = points;
  state.chosen = -1;
  if (classes) state.classes = classes;
  fit(false);
  emit("points");
}

// The view that shows all points, square, with a margin; small changes of the data do not move it.
function fit(told = true) {
  const points = state.points;
  if (!points.length) state.view = [-1.5, 1.5, -1.5, 1.5];
  else {
    const mid = (k) => (Math.min(...points.map((p) => p[k])) + Math.max(...points.map((p) => p[k]))) / 2;
    const half = (k) => (Math.max(...points.map((p) => p[k])) - Math.min(...points.map((p) => p[k]))) / 2;
    const reach = 1.25 * Math.max(half(0), half(1)) || Math.max(1, Math.abs(mid(0)), Math.abs(mid(1)));
    state.view = [mid(0) - reach, mid(0) + reach, mid(1) - reach, mid(1) + reach];
  }
  if (told) emit("view");
}

// The scene as text of the address: x,y,label;... after #s=.
const encode = () => "#s=" + state.points.map((p) => `${p[0]},${p[1]},${p[2] > 0 ? 1 : 0}`).join(";");

function decode(hash) {
  if (!hash.startsWith("#s=")) return null;
  const points = hash.slice(3).split(";").filter(Boolean).map((row) => row.split(",").map(Number));
  const fine = points.every(([x, y, l]) => Math.abs(x) <= page.limits.coordinate && Math.abs(y) <= page.limits.coordinate && (l === 0 || l === 1));
  return fine && points.length <= page.limits.points ? points.map(([x, y, l]) => [x, y, l ? 1 : -1]) : null;
}

export { add, decode, emit, encode, fit, move, on, remember, remove, replace, state, undo };
