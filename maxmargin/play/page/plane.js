// A plane of points: the decision map of one classifier, the points with their weights, the lines of its neurons.

import { INK, MUTED, SIGN, Stage, contour, dot, marker, number, page, shade, ticks, type, unpack, write } from "./drawing.js";
import { evaluate } from "./networks.js";
import { on, state } from "./state.js";

const SIDE = 72, LIVE_SIDE = 48; // nodes each way of a solved map, of a map in training
const NAMES = { f1: "F1 max margin", f2: "F2 max margin", ntk: "tangent kernel", trained: "trained network" };
const HEAVY = 0.02; // share of the heaviest neuron, below which a trained neuron has no line

// The margin of a norm as a unit, or null where nothing is proved above zero.
function unitOf(norm) {
  const found = state.solved[norm];
  return found && found.separable && found.lower > 0 ? found.lower : null;
}

let framed = { frame: null }, solved = { found: null };

// { values, side, box, scaled } of a classifier in units of its margin; null while there is nothing to show.
function mapOf(kind) {
  if (kind === "trained") return trainedMap();
  const found = state.solved[kind];
  if (!found || !found.separable) return null;
  if (found.map) {
    found.values = found.values || unpack(found.map).values;
    return { values: found.values, side: found.side, box: found.box, scaled: true };
  }
  if (solved.found !== found || solved.view !== state.view) {
    const weights = found.weights.map((w) => (0.5 * w) / (found.lower || 1));
    solved = { found, view: state.view, values: evaluate(found.atoms.flat(), weights, state.view, SIDE) };
  }
  return { values: solved.values, side: SIDE, box: state.view, scaled: true };
}

function trainedMap() {
  const frame = state.frame;
  if (!frame) return null;
  if (framed.frame !== frame || framed.view !== state.view) {
    const unit = unitOf(frame.norm), values = evaluate(frame.directions, frame.weights, state.view, LIVE_SIDE);
    const reach = values.reduce((a, v) => Math.max(a, Math.abs(v)), 0) || 1, factor = unit ? frame.ratio / unit : 3 / reach;
    framed = { frame, view: state.view, scaled: unit !== null, values: values.map((v) => v * factor) };
  }
  return { values: framed.values, side: LIVE_SIDE, box: state.view, scaled: framed.scaled };
}

class Plane {
  constructor(id, select, note, kind) {
    this.stage = new Stage(id);
    this.canvas = this.stage.canvas;
    this.select = document.getElementById(select);
    this.note = document.getElementById(note);
    this.raster = document.createElement("canvas");
    this.hovered = -1;
    this.cursor = null; // the keyboard's cursor, in the coordinates of the data
    for (const [value, name] of Object.entries(NAMES)) this.select.add(new Option(name, value));
    this.select.value = kind;
  }

  layout() {
    const { w, h } = this.stage, s = type.scale, left = 42 * s, bottom = 22 * s, side = Math.max(Math.min(w - left - 6, h - bottom - 8), 40);
    Object.assign(this, { x: left + (w - left - 6 - side) / 2, y: 5, side });
    this.canvas.dataset.frame = [this.x, this.y, this.side, ...state.view].join(" "); // for tests that drive the page
  }
  px(u) { return this.x + ((u - state.view[0]) / (state.view[1] - state.view[0])) * this.side; }
  py(v) { return this.y + this.side - ((v - state.view[2]) / (state.view[3] - state.view[2])) * this.side; }
  toData(px, py) {
    const [x0, x1, y0, y1] = state.view;
    return [x0 + ((px - this.x) / this.side) * (x1 - x0), y0 + ((this.y + this.side - py) / this.side) * (y1 - y0)];
  }
  clamp(px, py) { return [Math.max(this.x, Math.min(this.x + this.side, px)), Math.max(this.y, Math.min(this.y + this.side, py))]; }
  inside(px, py) { return px >= this.x && px <= this.x + this.side && py >= this.y && py <= this.y + this.side; }

  // Index of the point within `reach` pixels, the nearest; -1 for none.
  hit(px, py, reach) {
    let best = -1, least = reach * reach;
    state.points.forEach(([u, v], i) => {
      const d = (this.px(u) - px) ** 2 + (this.py(v) - py) ** 2;
      if (d <= least) [best, least] = [i, d];
    });
    return best;
  }

  draw() {
    const ctx = this.stage.begin();
    this.layout();
    const { x, y, side } = this, map = mapOf(this.select.value);
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, side, side);
    ctx.clip();
    ctx.fillStyle = "#fafafa";
    ctx.fillRect(x, y, side, side);
    if (map) this.drawMap(ctx, map);
    this.drawNeurons(ctx);
    this.drawPoints(ctx);
    if (this.cursor && document.activeElement === this.canvas) this.drawCursor(ctx);
    ctx.restore();
    ctx.strokeStyle = "#bbb";
    ctx.lineWidth = 1;
    ctx.strokeRect(x, y, side, side);
    this.drawTicks(ctx);
    this.note.textContent = this.describe(map);
  }

  describe(map) {
    const kind = this.select.value, found = state.solved[kind];
    if (kind === "trained") return !state.frame ? "press Train" : map && map.scaled ? "bold: f = 0; dashed: \u00b1 proved margin" : "bold: f = 0";
    if (!found) return "";
    if (!found.separable) return "margin 0, proved: nothing separates";
    return kind === "f1" ? "bold: f = 0; dashed: \u00b1 margin; thin: neurons" : "bold: f = 0; dashed: \u00b1 margin";
  }

  drawMap(ctx, { values, side: count, box: [x0, x1, y0, y1], scaled }) {
    shade(this.raster, values, count);
    const left = this.px(x0), top = this.py(y1), width = this.px(x1) - left, height = this.py(y0) - top;
    const cell = width / (count - 1), cellY = height / (count - 1);
    ctx.imageSmoothingEnabled = true;
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(this.raster, left - cell / 2, top - cellY / 2, width + cell, height + cellY);
    const toX = (c) => left + c * cell, toY = (r) => top + height - r * cellY;
    ctx.strokeStyle = INK;
    if (scaled) {
      ctx.lineWidth = 0.9 * type.scale;
      ctx.setLineDash([5, 4]);
      for (const level of [-1, 1]) contour(ctx, values, count, level, toX, toY);
      ctx.setLineDash([]);
    }
    ctx.lineWidth = 2 * type.scale;
    contour(ctx, values, count, 0, toX, toY);
  }

  // Where a . x + c = 0: the kink of each neuron; solid for positive output weights, dashed for negative ones.
  drawNeurons(ctx) {
    const kind = this.select.value, found = state.solved.f1, frame = state.frame;
    if (kind === "f1" && found && found.separable) found.atoms.forEach((a, k) => this.line(ctx, a, found.weights[k], 0.35 + 0.5 * Math.abs(found.weights[k]) / most(found.weights), 1.1));
    if (kind === "trained" && frame) {
      const top = most(frame.weights);
      for (let k = 0; k < frame.weights.length; k++) {
        const share = Math.abs(frame.weights[k]) / top;
        if (share > HEAVY) this.line(ctx, frame.directions.subarray(3 * k, 3 * k + 3), frame.weights[k], 0.1 + 0.3 * share, 0.8);
      }
    }
    const chosen = chosenNeuron();
    if (chosen) this.line(ctx, chosen.direction, chosen.weight, 1, 3);
  }

  line(ctx, [a, b, c], weight, alpha, width) {
    const n = Math.hypot(a, b);
    if (n < 1e-9) return;
    const [x0, x1, y0, y1] = state.view, mx = (x0 + x1) / 2, my = (y0 + y1) / 2, far = 2 * (x1 - x0 + y1 - y0);
    const shift = -(a * mx + b * my + c) / (n * n), fx = mx + shift * a, fy = my + shift * b; // foot of the view's middle
    ctx.globalAlpha = alpha;
    ctx.strokeStyle = SIGN[weight > 0 ? 1 : -1];
    ctx.lineWidth = width * type.scale;
    ctx.setLineDash(weight > 0 ? [] : [7, 4]);
    ctx.beginPath();
    ctx.moveTo(this.px(fx - (far * b) / n), this.py(fy + (far * a) / n));
    ctx.lineTo(this.px(fx + (far * b) / n), this.py(fy - (far * a) / n));
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  drawPoints(ctx) {
    const p = this.weights(), top = p ? Math.max(...p) : 1, s = type.scale, r = (state.points.length > 150 ? 3 : 4.2) * s;
    state.points.forEach(([u, v], i) => {
      if (p && p[i] > 1e-3 * top) {
        ctx.strokeStyle = INK;
        ctx.lineWidth = 1.2 * s;
        dot(ctx, this.px(u), this.py(v), r + (2 + 7 * Math.sqrt(p[i] / top)) * s);
        ctx.stroke();
      }
      if (i === state.chosen || i === this.hovered) {
        ctx.strokeStyle = page.palette.f1;
        ctx.lineWidth = 2.5 * s;
        ctx.strokeRect(this.px(u) - 2.2 * r, this.py(v) - 2.2 * r, 4.4 * r, 4.4 * r);
      }
    });
    const covered = new Set(state.points.filter((q) => q[2] > 0).map(([u, v]) => `${u} ${v}`)); // a larger circle below it
    for (const label of [-1, 1])
      state.points.forEach(([u, v, l]) => l === label && marker(ctx, this.px(u), this.py(v), l, l < 0 && covered.has(`${u} ${v}`) ? 2 * r : r));
    const i = this.hovered;
    if (i < 0 || !state.points[i]) return;
    const [u, v] = state.points[i], right = this.px(u) < this.x + 0.7 * this.side;
    write(ctx, p ? `weight ${number(+p[i].toPrecision(3))}` : "", this.px(u) + (right ? 3 : -3) * r, this.py(v) - 2 * r, { align: right ? "left" : "right", colour: INK, halo: true });
  }

  // The adversary's weights, if they belong to the present points.
  weights() {
    const kind = this.select.value === "trained" ? null : state.solved[this.select.value];
    const p = this.select.value === "trained" ? state.frame && state.frame.adversary : kind && kind.adversary;
    return p && p.length === state.points.length ? p : null;
  }

  drawCursor(ctx) {
    const x = this.px(this.cursor[0]), y = this.py(this.cursor[1]), r = 9 * type.scale;
    for (const [colour, width] of [["#fff", 4], [INK, 1.6]]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(x - r, y);
      ctx.lineTo(x + r, y);
      ctx.moveTo(x, y - r);
      ctx.lineTo(x, y + r);
      ctx.stroke();
    }
  }

  drawTicks(ctx) {
    const [x0, x1, y0, y1] = state.view, floor = this.y + this.side, s = type.scale;
    for (const v of ticks(x0, x1, 5)) { // keep the last tick label inside the canvas
      const text = number(+v.toPrecision(6)), half = 3.6 * s * text.length;
      write(ctx, text, Math.min(this.px(v), this.stage.w - half), floor + 14 * s, { align: "center", size: 11, colour: MUTED });
    }
    for (const v of ticks(y0, y1, 5)) write(ctx, number(+v.toPrecision(6)), this.x - 6 * s, this.py(v), { align: "right", base: "middle", size: 11, colour: MUTED });
  }
}

function most(weights) {
  let top = 1e-12;
  for (const w of weights) top = Math.max(top, Math.abs(w));
  return top;
}

// The neuron selected on the sphere: { direction, weight, kind, index }, or null.
function chosenNeuron() {
  const { neuron, solved: { f1 }, frame } = state;
  if (!neuron) return null;
  if (neuron.kind === "solved") return f1 && f1.atoms[neuron.index] ? { ...neuron, direction: f1.atoms[neuron.index], weight: f1.weights[neuron.index] } : null;
  if (!frame || neuron.index >= frame.weights.length) return null;
  return { ...neuron, direction: frame.directions.subarray(3 * neuron.index, 3 * neuron.index + 3), weight: frame.weights[neuron.index] };
}

on("points", () => (state.frame && state.frame.adversary.length !== state.points.length ? (state.frame = null) : null));

export { NAMES, Plane, chosenNeuron, most, unitOf };
