// Play, pause, slider, keys; #frame=K in the address opens the film at recorded moment K, paused.

const SECONDS = 22, HOLD = 2.5; // length of the film at speed 1, rest at the end
const button = document.getElementById("play"), slider = document.getElementById("slider"), speed = document.getElementById("speed");
const readout = document.getElementById("readout");
const start = /frame=([\d.]+)/.exec(location.hash);

// Slower where more changes: s in [0, 1] is the time of the film, t counts recorded moments.
function momentOf(s) {
  let k = 0;
  while (k + 1 < LAST && film.pace[k + 1] <= s) k++;
  return Math.min(LAST, k + (s - film.pace[k]) / (film.pace[k + 1] - film.pace[k]));
}
const clock = (moment) => between(film.pace, moment);
let t = start ? Math.min(+start[1], LAST) : 0, playing = !start, held = 0, last = null, dirty = true;

for (const [id, name] of [["class-negative", film.classes[0]], ["class-positive", film.classes[1]]])
  document.getElementById(id).textContent = name.replace(/^-(?=\d)/, "\u2212");
document.getElementById("neurons-note").textContent = {
  circle: "angle: direction; distance from centre: share of mass",
  sphere: "size: share of the mass; shade: dual potential",
  disc: "projected on the plane of the atoms; size: share of the mass",
}[film.kind];
document.getElementById("scene-note").textContent = {
  line: "f in units of the proved margin; wide: the solved f",
  map: "solid: f = 0; dashed: f = \u00b1\u03b3\u2081; green dots: solved boundary",
  projection: "mean over the other coordinates; green dots: solved boundary",
  "line 0": "f in units of its largest value on the data",
  "map 0": "solid: f = 0; colour: f in units of its largest value",
  "projection 0": "mean over the other coordinates; solid: f = 0",
}[film.scene + (film.separable ? "" : " 0")];
document.getElementById("potential-note").textContent = film.kind === "disc"
  ? "what the best adversary so far pays to each neuron"
  : `line: best adversary so far; grey: ${film.separable ? "the optimal one" : "equal weights"}`;
document.getElementById("atoms").hidden = !film.separable;
document.getElementById("margin-note").textContent = film.trace.some((row) => row[2] !== null) ? "dotted: upper ends proved during the run" : "normalised, against log time";
if (film.kind === "sphere") document.getElementById("drag").textContent = "; drag the sphere to turn it";

function show() {
  drawNeurons(t);
  drawScene(t);
  drawPotential(t);
  drawMargin(t);
  slider.value = String(Math.round(1000 * clock(t)));
  const margin = between(film.margins, t), [lower] = film.bracket;
  const share = lower > 0 && margin > 0 ? ` = ${(Math.floor((1000 * margin) / lower) / 10).toFixed(1)} % of \u03b3\u2081` : "";
  const step = Math.round(between(film.steps, t)).toLocaleString("en").replace(/,/g, "\u2009");
  readout.textContent = `step ${step} \u00b7 margin ${number(+margin.toPrecision(3))}${share}`;
}

function setPlaying(value) {
  playing = value;
  if (playing && t >= LAST) t = 0;
  button.textContent = playing ? "Pause" : "Play";
}

function tick(now) {
  const passed = last === null ? 0 : Math.min((now - last) / 1000, 0.1);
  last = now;
  if (playing) {
    if (t < LAST) t = momentOf(Math.min(1, clock(t) + (passed * +speed.value) / SECONDS));
    else if ((held += passed) > HOLD) {
      held = 0;
      t = 0;
    }
    if (film.kind === "sphere" && !camera.dragging) camera.yaw += 0.12 * passed;
    dirty = true;
  }
  if (dirty) show();
  dirty = false;
  requestAnimationFrame(tick);
}

button.addEventListener("click", () => setPlaying(!playing));
slider.addEventListener("input", () => {
  setPlaying(false);
  t = momentOf(+slider.value / 1000);
  dirty = true;
});
document.addEventListener("keydown", (event) => {
  if (event.target === speed) return;
  if (event.key === " " && event.target !== button) setPlaying(!playing);
  else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    setPlaying(false);
    t = Math.min(LAST, Math.max(0, (event.key === "ArrowRight" ? Math.floor(t) + 1 : Math.ceil(t) - 1)));
    dirty = true;
  } else return;
  event.preventDefault();
});
window.addEventListener("resize", () => (dirty = true));
if (film.kind === "sphere") {
  const canvas = neuronStage.canvas;
  canvas.style.cursor = "grab";
  canvas.addEventListener("pointerdown", (event) => {
    camera.dragging = true;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!camera.dragging) return;
    camera.yaw -= event.movementX * 0.008;
    camera.pitch = Math.max(-1.5, Math.min(1.5, camera.pitch + event.movementY * 0.008));
    dirty = true;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (camera.dragging = false));
}
setPlaying(playing);
show();
document.documentElement.dataset.ready = "yes";
requestAnimationFrame(tick);
