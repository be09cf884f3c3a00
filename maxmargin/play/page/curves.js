// The dual potential by longitude, and the margin of the run against time.

import { Axes, INK, SIGN, Stage, dot, number, page, star, ticks, type, write } from "./drawing.js";
import { payoffOf, skyline } from "./networks.js";
import { unitOf } from "./plane.js";
import { shown } from "./sphere.js";
import { state } from "./state.js";

const potential = new Stage("potential"), margin = new Stage("margin");
const potentialNote = document.getElementById("note-potential"), marginNote = document.getElementById("note-margin");
const P = Math.PI, ANGLES = { 0: "0", [-P]: "\u2212\u03c0", [P]: "\u03c0", [P / 2]: "\u03c0/2", [-P / 2]: "\u2212\u03c0/2" };
const path = []; // [time, margin] of the run
let solved = { found: null }, live = { p: null };

function drawPotential() {
  const ctx = potential.begin(), f1 = state.solved.f1;
  potentialNote.textContent = !f1 ? "" : !f1.separable ? "zero everywhere: no neuron is paid" : "largest payoff by longitude";
  const axes = new Axes(ctx, potential.w, potential.h, { x: [-P, P], y: [0, 1.25], left: 60 });
  axes.frame({
    xticks: [-P, -P / 2, 0, P / 2, P], yticks: [0, 0.5, 1], xtext: (v) => ANGLES[v], ytext: (v) => (v === 1 ? "proved" : number(v)),
    xlabel: "longitude of the neuron (0: x1, \u03c0/2: x2)", ylabel: "payoff / level",
  });
  if (!f1 || !f1.separable) return;
  const level = f1.upper || f1.lower || 1;
  if (solved.found !== f1) solved = { found: f1, curve: skyline(payoffOf(f1.points, f1.adversary), level, f1.atoms) };
  axes.clip();
  ctx.beginPath();
  ctx.moveTo(axes.x(-P), axes.y(0));
  for (const [a, v] of solved.curve) ctx.lineTo(axes.x(a), axes.y(v));
  ctx.lineTo(axes.x(P), axes.y(0));
  ctx.fillStyle = "#0000001c";
  ctx.fill();
  ctx.lineJoin = "round";
  ctx.strokeStyle = "#555";
  ctx.lineWidth = 1.2 * type.scale;
  curve(ctx, axes, solved.curve);
  const dual = shown();
  if (dual && dual.trained) {
    if (live.p !== dual.p) live = { p: dual.p, curve: skyline(dual.payoff, level, [], 121) };
    ctx.strokeStyle = page.palette.f1;
    ctx.lineWidth = 2 * type.scale;
    curve(ctx, axes, live.curve);
    potentialNote.textContent = "grey: optimal; green: the run's";
  }
  axes.dashed(1);
  ctx.restore();
  const top = Math.max(...f1.weights.map(Math.abs));
  f1.atoms.forEach((a, k) => star(ctx, axes.x(Math.atan2(a[1], a[0])), axes.y(1), (4.5 + 4 * Math.sqrt(Math.abs(f1.weights[k]) / top)) * type.scale, SIGN[f1.weights[k] > 0 ? 1 : -1]));
}

function curve(ctx, axes, rows) {
  ctx.beginPath();
  for (const [a, v] of rows) ctx.lineTo(axes.x(a), axes.y(Math.min(v, 3)));
  ctx.stroke();
}

function drawMargin() {
  const ctx = margin.begin(), frame = state.frame, norm = frame ? frame.norm : "f1", unit = unitOf(norm);
  const name = norm === "f1" ? "\u03b3\u2081" : "\u03b3\u2082", rows = path.filter((row) => row[0] > 0);
  const best = Math.max(...rows.map((row) => row[1]), 0), top = unit || best || 1;
  marginNote.textContent = !frame ? "press Train" : unit ? `normalised; dashed: ${name}, proved` : "normalised";
  const first = rows.length ? rows[0][0] : 1e-2, last = rows.length ? rows[rows.length - 1][0] : 1;
  const x = [first, Math.max(last, 10 * first)], y = [-0.3 * top, 1.2 * Math.max(top, best)];
  const axes = new Axes(ctx, margin.w, margin.h, { x, y, log: true, left: 64, right: 16 }), decades = [];
  for (let p = Math.floor(Math.log10(x[0])); p <= Math.log10(x[1]); p++) if (10 ** p >= x[0]) decades.push(10 ** p);
  const every = Math.ceil(decades.length / 7);
  axes.frame({ xticks: decades.filter((_, k) => k % every === 0), yticks: ticks(y[0], y[1], 5), ytext: (v) => number(+v.toPrecision(4)), xlabel: "time (sum of step sizes)" });
  axes.clip();
  ctx.strokeStyle = "#999";
  ctx.lineWidth = 1;
  axes.segment(axes.left, axes.y(0), axes.w, axes.y(0));
  const colour = page.palette[norm];
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2.4 * type.scale;
  ctx.lineJoin = "round";
  ctx.beginPath();
  for (const [t, v] of rows) ctx.lineTo(axes.x(t), axes.y(Math.max(v, y[0] - (y[1] - y[0]))));
  ctx.stroke();
  if (unit) axes.dashed(unit, INK);
  ctx.restore();
  if (rows.length && rows[rows.length - 1][1] > y[0]) {
    ctx.fillStyle = colour;
    dot(ctx, axes.x(last), axes.y(rows[rows.length - 1][1]), 4.5 * type.scale);
    ctx.fill();
  }
  if (unit) write(ctx, `${name} proved`, axes.left + 6, axes.y(unit) - 7 * type.scale, { size: 11.5, colour: INK, halo: true });
}

// A new run begins.
function forget() {
  path.length = 0;
}

// A new moment of the run; of a long run every second moment is dropped.
function record(frame) {
  path.push([frame.time, frame.margin]);
  if (path.length > 2000) for (let k = path.length - 2; k > 0; k -= 2) path.splice(k, 1);
}

export { drawMargin, drawPotential, forget, record };
