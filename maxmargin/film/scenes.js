// The classifier, the neurons and the dual potential.

const neurons = unpack(film.neurons), shares = unpack(film.shares), live = unpack(film.live);
const field = unpack(film.field), target = unpack(film.target), skyline = film.skyline && unpack(film.skyline);
const DIM = film.kind === "sphere" ? 3 : 2, M = shares.shape[1];
const place = new Float32Array(neurons.frame), weight = new Float32Array(M), potential = new Float32Array(live.frame);
const values = new Float32Array(field.frame), sky = skyline && new Float32Array(skyline.frame);
const support = unpack(film.support), weights = new Float32Array(support.frame); // the weights of the adversary of this moment
const earlier = new Float32Array(neurons.frame), before = new Float32Array(M);
const TAIL = 4, TAILS = 8; // length of a tail in snapshots, number of its segments

// ------------------------------------------------------------------------------------------------ classifier

const sceneStage = new Stage("scene");
const raster = document.createElement("canvas");

// Where points of both classes lie on one another: the circle is drawn larger, so that both are seen.
const disputed = new Set(film.points.filter((_, i) => film.y[i] < 0).map((p) => p.join(" ")));
const positives = new Set(film.points.filter((_, i) => film.y[i] > 0).map((p) => p.join(" ")));
for (const place of disputed) if (!positives.has(place)) disputed.delete(place);

function drawMap(t) {
  const ctx = sceneStage.begin(), w = sceneStage.w, h = sceneStage.h, side = field.shape[1];
  const [x0, x1, y0, y1] = film.limits, left = 52, bottom = 38;
  const fitX = (w - left - 8) / (x1 - x0), fitY = (h - bottom - 8) / (y1 - y0);
  const scale = film.alike ? Math.min(fitX, fitY) : fitX, scaleY = film.alike ? scale : fitY; // features in different units fill the panel
  const width = scale * (x1 - x0), height = scaleY * (y1 - y0);
  const x = left + (w - left - 8 - width) / 2, y = 6;
  at(field, t, values);
  shade(raster, values, side);
  ctx.imageSmoothingEnabled = true;
  ctx.imageSmoothingQuality = "high";
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  const cell = width / (side - 1), cellY = height / (side - 1);
  ctx.drawImage(raster, x - cell / 2, y - cellY / 2, width + cell, height + cellY);
  const toX = (c) => x + c * cell, toY = (r) => y + height - r * cellY;
  ctx.strokeStyle = film.palette.f1;
  ctx.lineWidth = 1.6;
  ctx.setLineDash([2, 3]);
  contour(ctx, target.values, side, 0, toX, toY);
  ctx.strokeStyle = INK;
  if (film.scene === "map" && film.separable) {
    ctx.lineWidth = 0.9;
    ctx.setLineDash([5, 4]);
    for (const level of [-1, 1]) contour(ctx, values, side, level, toX, toY);
  }
  ctx.setLineDash([]);
  ctx.lineWidth = 2;
  contour(ctx, values, side, 0, toX, toY);
  ctx.restore();
  const px = (v) => x + (v - x0) * scale, py = (v) => y + height - (v - y0) * scaleY;
  at(support, t, weights);
  film.points.forEach(([u, v], i) => {
    if (weights[i] < 0.01) return;
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1.1;
    dot(ctx, px(u), py(v), 5 + 4 * Math.sqrt(weights[i]));
    ctx.stroke();
  });
  const r = film.points.length > 150 ? 2.6 : 3.4;
  film.points.forEach(([u, v], i) => film.y[i] < 0 && marker(ctx, px(u), py(v), -1, disputed.has(`${u} ${v}`) ? 2 * r : r));
  film.points.forEach(([u, v], i) => film.y[i] > 0 && marker(ctx, px(u), py(v), 1, r));
  for (const v of ticks(x0, x1, 5)) write(ctx, number(v), px(v), y + height + 15, { align: "center", size: 11 });
  for (const v of ticks(y0, y1, 5)) write(ctx, number(v), x - 7, py(v), { align: "right", base: "middle", size: 11 });
  write(ctx, film.labels.scene[0], x + width / 2, y + height + 31, { align: "center", size: 11.5, colour: INK });
  ctx.save();
  ctx.translate(x - 40, y + height / 2);
  ctx.rotate(-Math.PI / 2);
  write(ctx, film.labels.scene[1], 0, 0, { align: "center", size: 11.5, colour: INK });
  ctx.restore();
}

function drawLine(t) {
  const ctx = sceneStage.begin(), [x0, x1] = film.limits, count = field.shape[1];
  const axes = new Axes(ctx, sceneStage.w, sceneStage.h, { x: [x0, x1], y: [-3.4, 3.4], bottom: 38 });
  axes.frame({ xticks: ticks(x0, x1, 6), yticks: [-3, -2, -1, 0, 1, 2, 3], xlabel: film.labels.scene[0], ylabel: film.separable ? "f(x) / proved margin" : "f(x)" });
  at(field, t, values);
  const curve = (list) => {
    ctx.beginPath();
    for (let i = 0; i < count; i++) ctx.lineTo(axes.x(x0 + ((x1 - x0) * i) / (count - 1)), axes.y(list[i]));
    ctx.stroke();
  };
  axes.clip();
  ctx.lineJoin = "round";
  ctx.strokeStyle = film.palette.f1 + "66";
  ctx.lineWidth = 7;
  if (film.separable) curve(target.values);
  ctx.strokeStyle = "#999";
  ctx.lineWidth = 1;
  axes.segment(axes.left, axes.y(0), axes.w, axes.y(0));
  ctx.strokeStyle = INK;
  ctx.lineWidth = 2;
  curve(values);
  ctx.restore();
  at(support, t, weights);
  film.points.forEach(([u], i) => {
    const s = film.y[i], px = axes.x(u), py = axes.y(s);
    if (weights[i] >= 0.01) {
      ctx.strokeStyle = INK;
      ctx.lineWidth = 1.1;
      dot(ctx, px, py, 8 + 5 * Math.sqrt(weights[i]));
      ctx.stroke();
    }
    ctx.beginPath();
    for (const [a, b] of [[0, -6 * s], [6, 5 * s], [-6, 5 * s]]) ctx.lineTo(px + a, py + b);
    ctx.closePath();
    ctx.fillStyle = SIGN[s];
    ctx.fill();
  });
}

// --------------------------------------------------------------------------------------------------- neurons

const neuronStage = new Stage("neurons");
const camera = { yaw: 0.5, pitch: 0.38, dragging: false };
const ball = document.createElement("canvas");
let heaviest = 1;

// On the circle `lift` sets the distance of a direction from the centre.
function spot(list, j, length) {
  return DIM === 2 ? [list[2 * j] * length, -list[2 * j + 1] * length, 1] : project(camera, list, j);
}

// On the circle the distance from the centre shows the share of mass; elsewhere the place is the direction alone.
function lift(signed) {
  return film.kind === "circle" ? 0.16 + 0.84 * Math.pow(Math.min(Math.abs(signed) / heaviest, 1), 0.6) : 1;
}

function drawTails(ctx, t, cx, cy, R) {
  for (let k = TAILS; k > 0; k--) {
    const t0 = Math.max(0, t - (TAIL * k) / TAILS), t1 = Math.max(0, t - (TAIL * (k - 1)) / TAILS);
    if (t1 <= t0) continue;
    at(neurons, t0, earlier);
    at(shares, t0, before);
    at(neurons, t1, place);
    at(shares, t1, weight);
    for (const sign of [1, -1]) {
      ctx.beginPath();
      for (let j = 0; j < M; j++) {
        if (weight[j] * sign <= 0) continue;
        const a = spot(earlier, j, lift(before[j])), b = spot(place, j, lift(weight[j]));
        if (b[2] < 0 || (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 > 0.25) continue;
        ctx.moveTo(cx + R * a[0], cy + R * a[1]);
        ctx.lineTo(cx + R * b[0], cy + R * b[1]);
      }
      ctx.strokeStyle = SIGN[sign];
      ctx.globalAlpha = 0.3 * (1 - (k - 1) / TAILS);
      ctx.lineWidth = 1.3;
      ctx.stroke();
    }
  }
  ctx.globalAlpha = 1;
}

function drawDots(ctx, cx, cy, R) {
  for (let j = 0; j < M; j++) {
    const [x, y, depth] = spot(place, j, lift(weight[j])), r = 1.5 + 10 * Math.min(1, Math.abs(weight[j]) / heaviest);
    ctx.globalAlpha = depth < 0 ? 0.12 : 0.62;
    ctx.fillStyle = SIGN[weight[j] > 0 ? 1 : -1];
    dot(ctx, cx + R * x, cy + R * y, depth < 0 ? 0.7 * r : r);
    ctx.fill();
    if (film.kind !== "sphere" || depth < 0) continue;
    ctx.strokeStyle = "#fff"; // on shade of the same hue
    ctx.lineWidth = 0.8;
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

function drawNeurons(t) {
  const ctx = neuronStage.begin(), w = neuronStage.w, h = neuronStage.h, cx = w / 2, cy = h / 2, R = Math.max(1, Math.min(w, h) / 2 - 34); // 1: the page is not laid out yet
  at(shares, t, weight);
  heaviest = weight.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-9);
  if (film.kind === "sphere") {
    at(live, t, potential);
    shadeBall(ball, Math.min(420, Math.round(2 * R)), camera, potential, live.shape[1], live.shape[2]);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(ball, cx - R, cy - R, 2 * R, 2 * R);
  }
  ctx.strokeStyle = "#999";
  ctx.lineWidth = 1;
  dot(ctx, cx, cy, R);
  ctx.stroke();
  axesOfNeurons(ctx, cx, cy, R);
  drawTails(ctx, t, cx, cy, R);
  at(neurons, t, place);
  at(shares, t, weight);
  drawDots(ctx, cx, cy, R);
  const most = Math.max(...film.weights.map(Math.abs));
  const atoms = film.atoms.flat();
  film.atoms.forEach((_, k) => {
    if (!film.weights[k]) return;
    const [x, y, depth] = spot(atoms, k, 1), r = 7 + 5 * Math.sqrt(Math.abs(film.weights[k]) / most);
    ctx.globalAlpha = depth < 0 ? 0.3 : 1;
    star(ctx, cx + R * x, cy + R * y, r, SIGN[film.weights[k] > 0 ? 1 : -1]);
  });
  ctx.globalAlpha = 1;
}

function axesOfNeurons(ctx, cx, cy, R) {
  const units = DIM === 3 ? [1, 0, 0, 0, 1, 0, 0, 0, 1] : [1, 0, 0, 1];
  film.labels.neurons.forEach((name, k) => {
    const [x, y, depth] = spot(units, k, 1), length = Math.hypot(x, y), out = length > 0.6 ? (1 + 21 / R) / length : 1; // outside a star on the rim
    ctx.globalAlpha = depth < -0.05 ? 0.45 : 1;
    ctx.strokeStyle = "#999";
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(cx + R * x, cy + R * y);
    ctx.lineTo(cx + R * x * (length > 0.6 ? 1.03 / length : 1), cy + R * y * (length > 0.6 ? 1.03 / length : 1));
    ctx.stroke();
    const align = Math.abs(x) < 0.3 ? "center" : x > 0 ? "left" : "right";
    if (name.length > 12 && align !== "center") {
      ctx.save();
      ctx.translate(cx + (R + 24) * Math.sign(x), cy);
      ctx.rotate(Math.PI / 2);
      write(ctx, name, 0, 0, { align: "center", base: "middle", size: 11.5 });
      ctx.restore();
    } else write(ctx, name, cx + R * x * out, cy + R * y * out, { align, base: "middle", size: 11.5 });
  });
  ctx.globalAlpha = 1;
}

// -------------------------------------------------------------------------------------------- dual potential

const potentialStage = new Stage("potential");

const level = (v) => (v !== (film.separable ? 1 : 0) ? number(v) : v ? "proved" : "proved: 0");
const CEILING = 1.8, payoffLabel = film.separable ? "payoff / level" : "payoff";

// The largest payoff of any neuron, as the exact oracle proves it (never a sample), rounded up: times the level an upper bound of the margin.
function writeHighest(ctx, axes, t) {
  const digits = between(film.highest, t) < 1.1 ? 3 : 2, up = Math.ceil(between(film.highest, t) * 10 ** digits - 1e-6) / 10 ** digits;
  const value = up.toFixed(digits);
  const text = film.separable ? `highest: ${value} \u00d7 the level` : `highest: ${value} of what equal weights pay`;
  write(ctx, text, axes.w - axes.right - 4, axes.top + 9, { align: "right", size: 11, halo: true });
}

function drawCurve(t) {
  const circle = film.kind === "circle", ctx = potentialStage.begin(), P = Math.PI;
  const axes = new Axes(ctx, potentialStage.w, potentialStage.h, { x: [-P, P], y: [0, CEILING], left: 68 });
  const names = film.labels.neurons, angles = { 0: "0", [-P]: "\u2212\u03c0", [P]: "\u03c0", [P / 2]: "\u03c0/2", [-P / 2]: "\u2212\u03c0/2" };
  axes.frame({
    xticks: [-P, -P / 2, 0, P / 2, P], yticks: [0, 0.5, 1, 1.5], xtext: (v) => angles[v], ytext: level, ylabel: payoffLabel,
    xlabel: circle ? `angle of the neuron (0: ${names[0]}, \u03c0/2: ${names[1]})` : `longitude of the neuron (0: ${names[0]}, \u03c0/2: ${names[1]}); highest over latitude`,
  });
  axes.clip();
  ctx.beginPath();
  ctx.moveTo(axes.x(-P), axes.y(0));
  for (const [a, v] of film.curve) ctx.lineTo(axes.x(a), axes.y(Math.abs(v)));
  ctx.lineTo(axes.x(P), axes.y(0));
  ctx.fillStyle = "#00000012";
  ctx.fill();
  ctx.lineWidth = 2;
  ctx.lineJoin = "round";
  at(live, t, potential);
  if (circle) {
    for (const sign of [1, -1]) {
      ctx.beginPath();
      let pen = false;
      for (let i = 0; i < live.frame; i++) {
        const v = potential[i] * sign, px = axes.x(-P + (2 * P * i) / (live.frame - 1)), up = v > 1e-4;
        if (up && !pen && i > 0) ctx.moveTo(px, axes.y(0));
        if (up || pen) ctx.lineTo(px, axes.y(up ? v : 0)); // down to the axis where it ends
        pen = up;
      }
      ctx.strokeStyle = SIGN[sign];
      ctx.stroke();
    }
  } else {
    at(skyline, t, sky);
    ctx.beginPath();
    for (let i = 0; i <= sky.length; i++) ctx.lineTo(axes.x(-P + (2 * P * i) / sky.length), axes.y(sky[i % sky.length]));
    ctx.strokeStyle = film.palette.f1;
    ctx.stroke();
  }
  axes.dashed(film.separable ? 1 : 0);
  ctx.restore();
  writeHighest(ctx, axes, t);
  film.atoms.forEach((a, k) => film.weights[k] && star(ctx, Math.min(Math.max(axes.x(Math.atan2(a[1], a[0])), axes.left + 8), axes.w - axes.right - 8), axes.y(1), 7, SIGN[film.weights[k] > 0 ? 1 : -1]));
}

// D > 3: each neuron's payoff under the present adversary against its share of the mass.
function drawPayoffs(t) {
  const ctx = potentialStage.begin();
  const axes = new Axes(ctx, potentialStage.w, potentialStage.h, { x: [1e-6, 1], y: [0, CEILING], log: true, left: 68, right: 26 });
  axes.frame({ xticks: [1e-6, 1e-4, 1e-2, 1], yticks: [0, 0.5, 1, 1.5], xtext: (v) => `${+(100 * v).toFixed(4)} %`, ytext: level, xlabel: "share of the mass that the neuron carries", ylabel: payoffLabel });
  at(live, t, potential);
  at(shares, t, weight);
  axes.clip();
  ctx.globalAlpha = 0.5;
  for (let j = 0; j < M; j++) {
    const share = Math.max(weight[j] * weight[j], 1.2e-6), sign = weight[j] > 0 ? 1 : -1;
    ctx.fillStyle = SIGN[sign];
    dot(ctx, axes.x(share), axes.y(Math.max(potential[j] * sign, 0)), 2 + 30 * Math.min(share, 0.1));
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  axes.dashed(film.separable ? 1 : 0);
  ctx.restore();
}

const drawScene = film.scene === "line" ? drawLine : drawMap;
const drawPotential = film.kind === "disc" ? drawPayoffs : drawCurve;
