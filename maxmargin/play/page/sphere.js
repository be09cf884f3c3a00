// The sphere of directions: dual potential as shade, solved neurons as stars, trained ones as dots.

import { MUTED, SIGN, Stage, direction, dot, page, project, shadeBall, star, type, write } from "./drawing.js";
import { COLUMNS, ROWS, payoffOf, potentialOf } from "./networks.js";
import { chosenNeuron, most } from "./plane.js";
import { emit, state } from "./state.js";

const stage = new Stage("sphere"), canvas = stage.canvas, ball = document.createElement("canvas");
const camera = { yaw: 0.5, pitch: 0.38 };
const AXES = [1, 0, 0, 0, 1, 0, 0, 0, 1], NAMES = ["x1", "x2", "bias"];
let cache = { p: null }, circle = { cx: 0, cy: 0, R: 1 };

// The adversary to show, with its payoff: the run's while there is a run, else the optimal one.
function shown() {
  const f1 = state.solved.f1, frame = state.frame;
  if (!f1 || !f1.separable) return null;
  const p = frame && frame.points.length === frame.adversary.length ? frame.adversary : f1.adversary;
  const points = p === f1.adversary ? f1.points : frame.points, level = f1.upper || f1.lower || 1;
  if (cache.p !== p || cache.level !== level) {
    const payoff = payoffOf(points, p);
    cache = { p, level, payoff, trained: p !== f1.adversary, grid: potentialOf(payoff, level) };
  }
  return cache;
}

function drawSphere() {
  const ctx = stage.begin(), { w, h } = stage, s = type.scale, cx = w / 2, cy = h / 2, R = Math.max(Math.min(w, h) / 2 - 20 * s, 20);
  circle = { cx, cy, R };
  const dual = shown();
  if (dual) {
    shadeBall(ball, Math.min(dual.trained ? 240 : 360, Math.round(2 * R)), camera, dual.grid, ROWS, COLUMNS);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(ball, cx - R, cy - R, 2 * R, 2 * R);
  }
  ctx.strokeStyle = "#999";
  ctx.lineWidth = 1;
  dot(ctx, cx, cy, R);
  ctx.stroke();
  NAMES.forEach((name, k) => {
    const [x, y, depth] = project(camera, AXES, k), length = Math.hypot(x, y), out = length > 0.6 ? 1.07 / length : 1;
    ctx.globalAlpha = depth < -0.05 ? 0.45 : 1;
    const align = Math.abs(x) < 0.3 ? "center" : x > 0 ? "left" : "right";
    write(ctx, name, cx + R * x * out, cy + R * y * out, { align, base: "middle", size: 11.5, colour: MUTED, halo: length <= 0.6 });
  });
  ctx.globalAlpha = 1;
  if (state.frame) drawDots(ctx, state.frame);
  const f1 = state.solved.f1;
  if (f1 && f1.separable) {
    const flat = f1.atoms.flat(), top = most(f1.weights);
    f1.atoms.forEach((_, k) => {
      const [x, y, depth] = project(camera, flat, k);
      ctx.globalAlpha = depth < 0 ? 0.3 : 1;
      star(ctx, cx + R * x, cy + R * y, (6 + 6 * Math.sqrt(Math.abs(f1.weights[k]) / top)) * s, SIGN[f1.weights[k] > 0 ? 1 : -1]);
    });
    ctx.globalAlpha = 1;
  }
  drawChosen(ctx);
}

function drawDots(ctx, frame) {
  const { cx, cy, R } = circle, top = Math.sqrt(most(frame.weights));
  for (let k = 0; k < frame.weights.length; k++) {
    const [x, y, depth] = project(camera, frame.directions, k), r = (1.4 + 8 * Math.sqrt(Math.abs(frame.weights[k])) / top) * type.scale;
    ctx.globalAlpha = depth < 0 ? 0.12 : 0.65;
    ctx.fillStyle = SIGN[frame.weights[k] > 0 ? 1 : -1];
    dot(ctx, cx + R * x, cy + R * y, depth < 0 ? 0.7 * r : r);
    ctx.fill();
    if (depth < 0) continue;
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 0.8;
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

function drawChosen(ctx) {
  const chosen = chosenNeuron();
  if (!chosen) return;
  const [x, y] = project(camera, chosen.direction, 0);
  ctx.strokeStyle = page.palette.f1;
  ctx.lineWidth = 2.5 * type.scale;
  dot(ctx, circle.cx + circle.R * x, circle.cy + circle.R * y, 14 * type.scale);
  ctx.stroke();
}

// The nearest neuron in front within some pixels, stars first.
function hit(px, py) {
  const { cx, cy, R } = circle, near = (list, count, kind) => {
    let best = null, least = (12 * type.scale) ** 2;
    for (let k = 0; k < count; k++) {
      const [x, y, depth] = project(camera, list, k), d = (cx + R * x - px) ** 2 + (cy + R * y - py) ** 2;
      if (depth >= 0 && d < least) [best, least] = [{ kind, index: k }, d];
    }
    return best;
  };
  const f1 = state.solved.f1, frame = state.frame;
  return (f1 && f1.separable && near(f1.atoms.flat(), f1.atoms.length, "solved")) || (frame && near(frame.directions, frame.weights.length, "trained")) || null;
}

// The direction under the pointer, or null beside the sphere.
function under(px, py) {
  const x = (px - circle.cx) / circle.R, y = (py - circle.cy) / circle.R;
  return x * x + y * y < 1 ? direction(camera, x, y) : null;
}

function look(neuron, at = null) {
  const same = state.neuron && neuron ? state.neuron.kind === neuron.kind && state.neuron.index === neuron.index : state.neuron === neuron;
  if (!same) {
    state.neuron = neuron;
    emit("draw");
  }
  emit("neuron", at);
}

let held = null;
canvas.addEventListener("pointerdown", (event) => {
  held = [event.clientX, event.clientY];
  canvas.setPointerCapture(event.pointerId);
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (held = null));
canvas.addEventListener("pointermove", (event) => {
  if (held) return turn((held[0] - event.clientX) * 0.008, (event.clientY - held[1]) * 0.008, (held = [event.clientX, event.clientY]));
  const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
  look(hit(px, py), under(px, py));
});
canvas.addEventListener("pointerleave", () => held || look(null));

function turn(yaw, pitch) {
  camera.yaw += yaw;
  camera.pitch = Math.max(-1.5, Math.min(1.5, camera.pitch + pitch));
  emit("draw");
}

const TURNS = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key, f1 = state.solved.f1;
  if (TURNS[name]) turn(...TURNS[name]);
  else if ((name === "n" || name === "p") && f1 && f1.separable) {
    const count = f1.atoms.length, now = state.neuron && state.neuron.kind === "solved" ? state.neuron.index : name === "n" ? -1 : count;
    look({ kind: "solved", index: (now + (name === "n" ? 1 : -1) + count) % count });
  } else return;
  event.preventDefault();
  event.stopPropagation();
});

export { camera, drawSphere, shown };
