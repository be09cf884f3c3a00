// The tab of points on a line: the interpolants of smallest F1 norm (piecewise linear, with its kinks) and F2 norm.

import { post } from "./api.js";
import { Axes, INK, Stage, dot, number, page, ticks, type, write } from "./drawing.js";
import { attach } from "./hands.js";
import { emit } from "./state.js";

const get = (id) => document.getElementById(id);
const EXAMPLE = [[-1, 0.4], [-0.6, -0.5], [-0.2, 0.1], [0.1, 0.6], [0.5, 0.2], [0.9, -0.3]];
const VIEW = [-1.3, 1.3, -1.2, 1.2], PATIENCE = 300, RETRY = 400;
const stage = new Stage("line");
let points = [], past = [], chosen = -1, solved = {}, count = 0, busy = false, began = 0, timer = 0, opened = false, axes = null;

// The edits of the line's points, for `attach`.
const plane = {
  canvas: stage.canvas, cursor: null, hovered: -1,
  px: (u) => axes.x(u),
  py: (v) => axes.y(v),
  toData: (px, py) => [
    VIEW[0] + ((px - axes.left) / (axes.w - axes.left - axes.right)) * (VIEW[1] - VIEW[0]),
    VIEW[2] + ((axes.h - axes.bottom - py) / (axes.h - axes.top - axes.bottom)) * (VIEW[3] - VIEW[2]),
  ],
  clamp: (px, py) => [Math.max(axes.left, Math.min(axes.w - axes.right, px)), Math.max(axes.top, Math.min(axes.h - axes.bottom, py))],
  inside: (px, py) => px >= axes.left && px <= axes.w - axes.right && py >= axes.top && py <= axes.h - axes.bottom,
  hit(px, py, reach) {
    let best = -1, least = reach * reach;
    points.forEach(([u, v], i) => {
      const d = (axes.x(u) - px) ** 2 + (axes.y(v) - py) ** 2;
      if (d <= least) [best, least] = [i, d];
    });
    return best;
  },
  points: () => points,
  view: () => VIEW,
  chosen: () => chosen,
  choose(index) {
    chosen = index;
    emit("draw");
  },
  hover(index) {
    plane.hovered = index;
    emit("draw");
  },
};

const tidy = (v) => Math.round(v * 1000) / 1000 || 0, tube = () => +get("tube").value;

const edit = {
  remember() {
    past.push(points.map((p) => p.slice()));
    if (past.length > 200) past.shift();
  },
  add(x, y) {
    if (points.length >= page.limits.points) return;
    edit.remember();
    points.push([tidy(x), tidy(y)]);
    chosen = points.length - 1;
    changed();
  },
  move(index, x, y) {
    points[index] = [tidy(x), tidy(y)];
    changed();
  },
  remove(index) {
    if (!points[index]) return;
    edit.remember();
    points.splice(index, 1);
    chosen = -1;
    changed();
  },
};

function set(next) {
  edit.remember();
  points = next.map((p) => p.slice());
  chosen = -1;
  changed();
}

function undo() {
  if (!past.length) return;
  points = past.pop();
  chosen = -1;
  changed();
}

function changed() {
  get("regression-count").textContent = points.length;
  get("tube-shown").textContent = tube();
  stage.canvas.dataset.busy = points.length ? "yes" : "no";
  emit("draw");
  if (points.length) return pump();
  count++;
  busy = false;
  show({});
}

function pump() {
  clearTimeout(timer);
  const left = busy ? began + PATIENCE - performance.now() : 0;
  if (left > 0) timer = setTimeout(pump, left);
  else ask();
}

async function ask() {
  const mine = ++count, asked = JSON.stringify([points, tube()]);
  busy = true;
  began = performance.now();
  let answer;
  try {
    answer = await post("norm", { points, tube: tube(), box: VIEW, time_limit: 2 });
  } catch {
    answer = { error: "The server does not answer." };
  }
  if (mine !== count) return;
  busy = false;
  if (answer.stale) return void (timer = setTimeout(pump, RETRY));
  if (answer.error) get("regression-answer").textContent = answer.error;
  else show(answer.solved);
  if (asked === JSON.stringify([points, tube()])) stage.canvas.dataset.busy = "no";
  else pump();
}

function show(answers) {
  solved = answers;
  const { f1, f2 } = solved, box = get("regression-answer");
  Object.assign(box.dataset, { lower: f1 ? f1.lower : "", upper: f1 ? f1.upper : "" });
  box.textContent = !f1 ? "Put points on the line." : f1.status === "infeasible" ? `${f1.status}: ${f1.sentence}`
    : `Smallest F1 norm in ${f1.bracket}, ${f1.status}${f1.upper === null ? "" : `, ${counted(f1.kinks.length, "kink")}`}. Smallest F2 norm in ${f2.bracket}, ${f2.status}.`;
  emit("draw");
}

const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function drawLine() {
  const ctx = stage.begin(), s = type.scale;
  axes = new Axes(ctx, stage.w, stage.h, { x: VIEW.slice(0, 2), y: VIEW.slice(2), left: 44, bottom: 34 });
  axes.frame({ xticks: ticks(VIEW[0], VIEW[1], 6), yticks: ticks(VIEW[2], VIEW[3], 6), xtext: short, ytext: short, xlabel: "x" });
  axes.clip();
  ctx.lineJoin = "round";
  for (const [norm, width, dashes] of [["f2", 1.8, [6, 4]], ["f1", 2.6, []]]) {
    if (!solved[norm]) continue;
    ctx.strokeStyle = page.palette[norm];
    ctx.lineWidth = width * s;
    ctx.setLineDash(dashes);
    ctx.beginPath();
    for (const [x, y] of solved[norm].curve) ctx.lineTo(axes.x(x), axes.y(Math.max(-9, Math.min(9, y))));
    ctx.stroke();
    ctx.setLineDash([]);
  }
  if (solved.f1) for (const [x, y] of solved.f1.kinks) {
    ctx.fillStyle = "#fff";
    ctx.strokeStyle = page.palette.f1;
    ctx.lineWidth = 2 * s;
    ctx.beginPath();
    for (const [u, v] of [[0, -6], [6, 0], [0, 6], [-6, 0]]) ctx.lineTo(axes.x(x) + u * s, axes.y(y) + v * s);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  drawPoints(ctx, s);
  ctx.restore();
  get("note-regression").textContent = "green: F1, kinks at \u25c7; dashed: F2; rings: weights of the proof";
}

const short = (v) => number(+v.toPrecision(4));

function drawPoints(ctx, s) {
  const p = solved.f1 && solved.f1.adversary.length === points.length ? solved.f1.adversary : null;
  const top = p ? Math.max(...p.map(Math.abs), 1e-12) : 1;
  points.forEach(([x, y], i) => {
    const px = axes.x(x), py = axes.y(y);
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1.2 * s;
    if (tube() > 0) axes.segment(px, axes.y(y - tube()), px, axes.y(y + tube()));
    if (p && Math.abs(p[i]) > 1e-3 * top) {
      dot(ctx, px, py, (6 + 7 * Math.sqrt(Math.abs(p[i]) / top)) * s);
      ctx.stroke();
    }
    ctx.fillStyle = INK;
    dot(ctx, px, py, 4 * s);
    ctx.fill();
    if (i === chosen || i === plane.hovered) {
      ctx.strokeStyle = page.palette.f1;
      ctx.lineWidth = 2.5 * s;
      ctx.strokeRect(px - 9 * s, py - 9 * s, 18 * s, 18 * s);
    }
    if (i === plane.hovered && p) write(ctx, `weight ${number(+p[i].toPrecision(3))}`, px + 12 * s, py - 10 * s, { colour: INK, halo: true });
  });
  if (!plane.cursor || document.activeElement !== stage.canvas) return;
  const [x, y] = [axes.x(plane.cursor[0]), axes.y(plane.cursor[1])];
  ctx.strokeStyle = INK;
  ctx.lineWidth = 1.6;
  axes.segment(x - 9, y, x + 9, y);
  axes.segment(x, y - 9, x, y + 9);
}

function openLine() {
  if (opened) return;
  opened = true;
  drawLine();
  attach(plane, edit);
  stage.canvas.addEventListener("keydown", (event) => event.key.toLowerCase() === "z" && undo());
  get("regression-undo").addEventListener("click", undo);
  get("regression-clear").addEventListener("click", () => set([]));
  get("regression-example").addEventListener("click", () => set(EXAMPLE));
  get("tube").addEventListener("input", changed);
  points = EXAMPLE.map((p) => p.slice());
  changed();
}

export { drawLine, openLine };
