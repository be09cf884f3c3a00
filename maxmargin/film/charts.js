// The film's data, its moments, and the margin curve. Everything is drawn from the JSON in this page.

const film = page, LAST = film.steps.length - 1;

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

// The margin against log time: the part up to now is bold, the rest faint.
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
  const far = 3 * (y[1] - y[0]); // do not draw dashes far outside the panel
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
  const label = (row, word, above) => {
    if (!row || row[0] < x[0] || row[0] > now * (1 + 1e-9)) return;
    const qx = axes.x(Math.min(row[0], x[1])), qy = axes.y(Math.min(Math.max(row[1], y[0]), y[1]));
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1.2;
    dot(ctx, qx, qy, 4);
    ctx.stroke();
    const align = qx > axes.w - 70 ? "right" : "left";
    write(ctx, word, qx + (align === "left" ? 7 : -7), qy + (above || qy > axes.y(y[0]) - 16 ? -9 : 15), { size: 11, align, halo: true, colour: INK });
  };
  const last = film.trace[film.trace.length - 1], apart = film.best && last[0] > 1.0001 * film.best[0];
  label(film.best, apart ? "best iterate" : "best and last iterate", false);
  if (!film.best || apart) label(last, "last iterate", !!film.best);
  write(ctx, upper === 0 ? "proved: 0" : "proved", axes.left + 6, axes.y(upper || lower) - 7, { size: 11.5, colour: INK, halo: true });
}
