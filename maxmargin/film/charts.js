"use strict";
// Data, canvases and plain charts. Everything is drawn from the JSON in this page.

const film = JSON.parse(document.getElementById("data").textContent);
const INK = film.palette.ink, MUTED = film.palette.muted, RULE = "#e9eaec";
const SIGN = { "1": film.palette.positive, "-1": film.palette.negative };
const FONT = '"Inter","Segoe UI",system-ui,"Helvetica Neue","DejaVu Sans",Arial,sans-serif';
const LAST = film.steps.length - 1;

function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.data), (c) => c.charCodeAt(0));
  const whole = new Int16Array(bytes.buffer), values = new Float32Array(whole.length);
  const unit = packed.reach / 32767;
  for (let i = 0; i < whole.length; i++) values[i] = whole[i] * unit;
  return { values, shape: packed.shape, frame: packed.shape.slice(1).reduce((a, b) => a * b, 1) };
}

// The frame at time t (a real number of snapshots): linear between the recorded moments.
function at(packed, t, out) {
  const k = Math.min(Math.floor(t), LAST), next = Math.min(k + 1, LAST), a = t - k, n = packed.frame, v = packed.values;
  const from = k * n, to = next * n;
  for (let i = 0; i < n; i++) out[i] = v[from + i] * (1 - a) + v[to + i] * a;
  return out;
}

function between(list, t) {
  const k = Math.min(Math.floor(t), LAST), next = Math.min(k + 1, LAST), a = t - k;
  return list[k] * (1 - a) + list[next] * a;
}

// A canvas in CSS pixels, sharp on any screen.
class Stage {
  constructor(id) {
    this.canvas = document.getElementById(id);
    this.ctx = this.canvas.getContext("2d");
  }
  begin() {
    const box = this.canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.w = box.width;
    this.h = box.height;
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ctx.clearRect(0, 0, this.w, this.h);
    return this.ctx;
  }
}

function write(ctx, text, x, y, { align = "left", base = "alphabetic", colour = MUTED, size = 12, weight = 400, halo = false } = {}) {
  ctx.font = `${weight} ${size}px ${FONT}`;
  ctx.textAlign = align;
  ctx.textBaseline = base;
  if (halo) {
    ctx.strokeStyle = "#ffffffd9";
    ctx.lineWidth = 4;
    ctx.lineJoin = "round";
    ctx.strokeText(text, x, y);
  }
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

function star(ctx, x, y, r, colour) {
  ctx.beginPath();
  for (let k = 0; k < 10; k++) {
    const radius = k % 2 ? 0.42 * r : r, angle = -Math.PI / 2 + (k * Math.PI) / 5;
    ctx.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = INK;
  ctx.lineWidth = 1;
  ctx.lineJoin = "round";
  ctx.stroke();
}

function dot(ctx, x, y, r) {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
}

// Round numbers between low and high, about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = Math.pow(10, Math.floor(Math.log10(rough))), scale = rough / power;
  const step = power * (scale < 1.5 ? 1 : scale < 3.5 ? 2 : scale < 7.5 ? 5 : 10), found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

// 0.25, 2.97\u00b710\u207b\u2078, 10\u2075
function number(value) {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e4)) return String(+value.toPrecision(6)).replace("-", "\u2212");
  const [digits, power] = String((+value.toPrecision(3)).toExponential()).split("e");
  const raised = [...power.replace("+", "")].map((c) => (c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[+c]));
  return `${digits}\u00b7`.replace("-", "\u2212").replace(/^(\u2212?)1\u00b7$/, "$1") + "10" + raised.join("");
}

// A frame with two axes; returns the maps to pixels.
class Axes {
  constructor(ctx, w, h, { x, y, log = false, left = 56, bottom = 36, top = 10, right = 14 }) {
    Object.assign(this, { ctx, w, h, log, left, bottom, top, right, xr: x, yr: y });
  }
  x(v) {
    const [a, b] = this.xr, s = this.log ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a);
    return this.left + s * (this.w - this.left - this.right);
  }
  y(v) {
    const [a, b] = this.yr;
    return this.h - this.bottom - ((v - a) / (b - a)) * (this.h - this.top - this.bottom);
  }
  frame({ xticks, yticks, xlabel, ylabel, xtext = number, ytext = number, grid = true }) {
    const ctx = this.ctx, right = this.w - this.right, floor = this.h - this.bottom;
    ctx.lineWidth = 1;
    for (const v of yticks) {
      ctx.strokeStyle = RULE;
      if (grid) this.segment(this.left, this.y(v), right, this.y(v));
      write(ctx, ytext(v), this.left - 8, this.y(v), { align: "right", base: "middle", size: 11 });
    }
    ctx.strokeStyle = "#999";
    this.segment(this.left, floor, right, floor);
    for (const v of xticks) {
      this.segment(this.x(v), floor, this.x(v), floor + 4);
      const half = ctx.measureText(xtext(v)).width / 2; // of the last tick all is seen
      write(ctx, xtext(v), Math.min(this.x(v), this.w - half - 1), floor + 16, { align: "center", size: 11 });
    }
    write(ctx, xlabel, (this.left + right) / 2, this.h - 5, { align: "center", size: 11.5, colour: INK });
    if (ylabel) {
      ctx.save();
      ctx.translate(11, (this.top + floor) / 2);
      ctx.rotate(-Math.PI / 2);
      write(ctx, ylabel, 0, 0, { align: "center", size: 11.5, colour: INK });
      ctx.restore();
    }
  }
  segment(x0, y0, x1, y1) {
    this.ctx.beginPath();
    this.ctx.moveTo(x0, y0);
    this.ctx.lineTo(x1, y1);
    this.ctx.stroke();
  }
  clip() {
    this.ctx.save();
    this.ctx.beginPath();
    this.ctx.rect(this.left, this.top - 1, this.w - this.left - this.right, this.h - this.top - this.bottom + 2);
    this.ctx.clip();
  }
  dashed(v, colour = INK) {
    this.ctx.strokeStyle = colour;
    this.ctx.lineWidth = 1.2;
    this.ctx.setLineDash([6, 4]);
    this.segment(this.left, this.y(v), this.w - this.right, this.y(v));
    this.ctx.setLineDash([]);
  }
}

// The margin against log time: what has been travelled is bold, what comes is faint.
const marginStage = new Stage("margin");
const marginRange = (() => {
  const [lower, upper] = film.bracket, best = Math.max(...film.trace.map((row) => row[1]));
  const lowest = Math.min(...film.trace.map((row) => row[1])), top = upper || lower || Math.max(-lowest, best) || 1;
  const floor = film.separable ? Math.min(-0.3 * top, best < 0 ? 1.5 * best : 0) : -1.15 * top;
  const closing = film.trace.some((row) => row[2] !== null && row[2] < 2 * top);
  const visible = film.trace.find((row) => row[1] > floor);
  const first = film.trace[0][0];
  const near = film.trace.find((row) => row[1] >= best - 1e-4 * Math.abs(best))[0]; // a plateau is cut off
  const last = film.trace[film.trace.length - 1][0], end = Math.max(film.separable ? Math.min(last, 30 * near) : last, 10 * first);
  const ceiling = film.separable ? top + (closing ? 0.35 : 0.22) * (top - floor) : 0.35 * top;
  return { top, y: [floor, ceiling], x: [visible ? Math.max(first, visible[0] / 10) : first, end] };
})();

function drawMargin(t) {
  const ctx = marginStage.begin(), { top, y, x } = marginRange;
  const axes = new Axes(ctx, marginStage.w, marginStage.h, { x, y, log: true, right: 18 });
  const decades = [];
  const few = x[1] / x[0] < 150;
  for (let p = Math.floor(Math.log10(x[0])); p <= Math.log10(x[1]); p++)
    for (const f of few ? [1, 2, 5] : [1]) if (f * 10 ** p >= x[0] && f * 10 ** p <= x[1]) decades.push(f * 10 ** p);
  const every = Math.ceil(decades.length / 8);
  axes.frame({ xticks: decades.filter((_, k) => k % every === 0), yticks: ticks(y[0], y[1], 5), xlabel: "time (sum of step sizes)" });
  const now = Math.max(between(film.times, t), x[0]);
  axes.clip();
  ctx.fillStyle = film.palette.f1 + "26";
  const [lower, upper] = film.bracket;
  if (upper) ctx.fillRect(axes.left, axes.y(upper), axes.w, Math.max(axes.y(lower) - axes.y(upper), 0));
  const far = 3 * (y[1] - y[0]); // dashes are not drawn along a line that leads miles away
  const curve = (limit, value) => {
    ctx.beginPath();
    for (const row of film.trace) if (row[0] <= limit && value(row) !== null)
      ctx.lineTo(axes.x(Math.max(row[0], x[0] / 10)), axes.y(Math.max(y[0] - far, Math.min(y[1] + far, value(row)))));
  };
  ctx.lineJoin = "round";
  ctx.lineWidth = 1.4;
  ctx.strokeStyle = film.palette.f1 + "55";
  curve(Infinity, (row) => row[1]);
  ctx.stroke();
  ctx.setLineDash([2, 3]);
  curve(now, (row) => row[2]);
  ctx.strokeStyle = film.palette.f1;
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.lineWidth = 2.6;
  curve(now, (row) => row[1]);
  ctx.stroke();
  ctx.lineWidth = 1;
  ctx.strokeStyle = "#999";
  axes.segment(axes.left, axes.y(0), axes.w, axes.y(0));
  axes.dashed(lower);
  if (upper && upper !== lower) axes.dashed(upper);
  ctx.restore();
  const height = Math.min(Math.max(between(film.margins, t), y[0]), y[1]);
  ctx.fillStyle = film.palette.f1;
  const px = axes.x(Math.min(now, x[1])), py = axes.y(height);
  ctx.beginPath();
  if (height > y[0]) ctx.arc(px, py, 5, 0, 2 * Math.PI);
  else for (const [u, v] of [[-6, -7], [6, -7], [0, 3]]) ctx.lineTo(px + u, py + v); // it is below
  ctx.fill();
  write(ctx, upper === 0 ? "proved: 0" : "proved", axes.left + 6, axes.y(upper || lower) - 7, { size: 11.5, colour: INK, halo: true });
}
