// Drawing that the film and the playground share: canvases, text, axes, maps, the sphere. Nothing here depends on the data.
// Palette and colour maps come from the JSON in the page.

const page = JSON.parse(document.getElementById("data").textContent);
const INK = page.palette.ink, MUTED = page.palette.muted, RULE = "#e9eaec";
const SIGN = { "1": page.palette.positive, "-1": page.palette.negative };
const FONT = '"Inter","Segoe UI",system-ui,"Helvetica Neue","DejaVu Sans",Arial,sans-serif';
const type = { scale: 1 }; // scale of all text on canvases, and of the space for it

function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.data), (c) => c.charCodeAt(0));
  const whole = new Int16Array(bytes.buffer), values = new Float32Array(whole.length);
  const unit = packed.reach / 32767;
  for (let i = 0; i < whole.length; i++) values[i] = whole[i] * unit;
  return { values, shape: packed.shape, frame: packed.shape.slice(1).reduce((a, b) => a * b, 1) };
}

// A canvas in CSS pixels, sharp on any screen.
class Stage {
  constructor(canvas) {
    this.canvas = typeof canvas === "string" ? document.getElementById(canvas) : canvas;
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
  ctx.font = `${weight} ${size * type.scale}px ${FONT}`;
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
    const s = type.scale;
    Object.assign(this, { ctx, w, h, log, left: s * left, bottom: s * bottom, top: s * top, right: s * right, xr: x, yr: y });
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
      const half = ctx.measureText(xtext(v)).width / 2; // keep the last tick label inside the canvas
      write(ctx, xtext(v), Math.min(this.x(v), this.w - half - 1), floor + 16 * type.scale, { align: "center", size: 11 });
    }
    ctx.font = `400 ${11.5 * type.scale}px ${FONT}`;
    const length = ctx.measureText(xlabel || "").width, size = 11.5 * Math.min(1, (this.w - 12) / length); // fits a phone
    const middle = Math.min((this.left + right) / 2, this.w - 4 - (length * size) / 23);
    write(ctx, xlabel, middle, this.h - 5, { align: "center", size, colour: INK });
    if (ylabel) {
      ctx.save();
      ctx.translate(11 * type.scale, (this.top + floor) / 2);
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

// A decision map on a canvas of side x side pixels: values in units of the margin, row by row from below.
function shade(raster, grid, side) {
  raster.width = raster.height = side;
  const ctx = raster.getContext("2d"), image = ctx.createImageData(side, side), map = page.maps.decision;
  for (let r = 0; r < side; r++)
    for (let c = 0; c < side; c++) {
      const v = grid[(side - 1 - r) * side + c], k = Math.max(0, Math.min(255, Math.round(127.5 + 42.5 * v))), o = 4 * (r * side + c);
      image.data[o] = map[k][0];
      image.data[o + 1] = map[k][1];
      image.data[o + 2] = map[k][2];
      image.data[o + 3] = 255;
    }
  ctx.putImageData(image, 0, 0);
}

// Marching squares, the pieces linked into lines, so that dashes run along them.
function contour(ctx, grid, side, level, toX, toY) {
  const cut = (a, b) => (level - a) / (b - a), links = new Map(), spots = new Map();
  const join = (a, b) => {
    for (const [from, to] of [[a, b], [b, a]]) links.has(from) ? links.get(from).push(to) : links.set(from, [to]);
  };
  for (let r = 0; r + 1 < side; r++)
    for (let c = 0; c + 1 < side; c++) {
      const i = r * side + c, a = grid[i], b = grid[i + 1], d = grid[i + side], e = grid[i + side + 1], met = [];
      const edge = (key, x, y) => met.push(key) && spots.set(key, [x, y]);
      if (a > level !== b > level) edge(2 * i, c + cut(a, b), r);
      if (b > level !== e > level) edge(2 * (i + 1) + 1, c + 1, r + cut(b, e));
      if (d > level !== e > level) edge(2 * (i + side), c + cut(d, e), r + 1);
      if (a > level !== d > level) edge(2 * i + 1, c, r + cut(a, d));
      for (let k = 0; k + 1 < met.length; k += 2) join(met[k], met[k + 1]);
    }
  const follow = (start) => {
    for (let key = start, first = true; key !== undefined; first = false) {
      const [x, y] = spots.get(key);
      first ? ctx.moveTo(toX(x), toY(y)) : ctx.lineTo(toX(x), toY(y));
      const next = links.get(key).pop();
      if (next !== undefined) links.get(next).splice(links.get(next).indexOf(key), 1);
      key = next;
    }
  };
  ctx.beginPath();
  ctx.lineJoin = "round";
  for (const [key, others] of links) if (others.length === 1) follow(key);
  for (const [key, others] of links) if (others.length) follow(key);
  ctx.stroke();
}

function marker(ctx, x, y, label, r) {
  ctx.beginPath();
  if (label > 0) for (const [u, v] of [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]]) ctx.lineTo(x + r * u, y + r * v);
  else ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.closePath();
  ctx.fillStyle = SIGN[label];
  ctx.fill();
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1;
  ctx.stroke();
}

// Where direction j of a flat list is on the screen, in units of the radius: x, y (down) and depth (positive is in front).
function project(camera, list, j) {
  const x = list[3 * j], y = list[3 * j + 1], z = list[3 * j + 2], n = Math.hypot(x, y, z) || 1;
  const c = Math.cos(camera.yaw), s = Math.sin(camera.yaw), cp = Math.cos(camera.pitch), sp = Math.sin(camera.pitch);
  const right = (c * x + s * y) / n, away = (-s * x + c * y) / n, up = z / n;
  return [right, -(cp * up + sp * away), cp * -away + sp * up];
}

// The direction that is seen at (x, y) (down) of the unit disc.
function direction(camera, x, y) {
  const c = Math.cos(camera.yaw), s = Math.sin(camera.yaw), cp = Math.cos(camera.pitch), sp = Math.sin(camera.pitch);
  const above = -y, depth = Math.sqrt(Math.max(0, 1 - x * x - y * y)), up = cp * above + sp * depth, away = sp * above - cp * depth;
  return [c * x - s * away, s * x + c * away, up];
}

// The sphere seen by the camera: potential on latitudes (south to north) x longitudes (from 0), row by row.
function shadeBall(ball, side, camera, potential, rows, columns) {
  ball.width = ball.height = side;
  const ctx = ball.getContext("2d"), image = ctx.createImageData(side, side), map = page.maps.payoff;
  const c = Math.cos(camera.yaw), s = Math.sin(camera.yaw);
  const cp = Math.cos(camera.pitch), sp = Math.sin(camera.pitch);
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++) {
      const right = (2 * (j + 0.5)) / side - 1, above = 1 - (2 * (i + 0.5)) / side, r2 = right * right + above * above, o = 4 * (i * side + j);
      if (r2 > 1.02) continue;
      const depth = Math.sqrt(Math.max(0, 1 - r2)), up = cp * above + sp * depth, away = sp * above - cp * depth;
      const x = c * right - s * away, y = s * right + c * away;
      const row = Math.min(Math.max((Math.asin(Math.max(-1, Math.min(1, up))) / Math.PI + 0.5) * (rows - 1), 0), rows - 1.001);
      const column = ((((Math.atan2(y, x) / (2 * Math.PI)) % 1) + 1) % 1) * columns, r0 = Math.floor(row), c0 = Math.floor(column) % columns, c1 = (c0 + 1) % columns;
      const a = row - r0, b = column - Math.floor(column), base = r0 * columns;
      const v = (1 - a) * ((1 - b) * potential[base + c0] + b * potential[base + c1]) + a * ((1 - b) * potential[base + columns + c0] + b * potential[base + columns + c1]);
      const k = Math.max(0, Math.min(255, Math.round(127.5 * (1 + (1.25 * v) / (1 + 0.6 * Math.abs(v)))))), light = 0.86 + 0.14 * depth;
      image.data[o] = map[k][0] * light;
      image.data[o + 1] = map[k][1] * light;
      image.data[o + 2] = map[k][2] * light;
      image.data[o + 3] = 255 * Math.min(1, Math.max(0, (1.0 - Math.sqrt(r2)) * side * 0.5 + 0.5));
    }
  ctx.putImageData(image, 0, 0);
}

export {
  INK, MUTED, RULE, SIGN, Axes, Stage, contour, direction, dot, marker, number, page, project, shade, shadeBall, star, ticks, type, unpack, write,
};
