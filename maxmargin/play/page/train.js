// The controls of a run, and its incoming frames.

import { listen, post } from "./api.js";
import { forget, record } from "./curves.js";
import { number, unpack } from "./drawing.js";
import { unitOf } from "./plane.js";
import { emit, on, state } from "./state.js";

const get = (id) => document.getElementById(id);
const button = get("start"), shownState = get("run-state");
const STATUS = {
  finished: "finished", interrupted: "stopped at its time limit", stopped: "stopped", diverged: "a number overflowed; take smaller steps",
  superseded: "another page has started a run", collapsed: "the gradient is zero: nothing moves any more",
};
let run = 0, running = false, active = false, trained = [], timer = 0;

const scale = () => 10 ** +get("scale").value, width = () => Math.max(2, Math.round(10 ** +get("width").value));

async function start() {
  if (!state.points.length) return emit("message", "Put points on the plane first.");
  trained = state.points.map((p) => p.slice());
  const asked = {
    points: trained, layers: get("layers").value, width: width(), scale: scale(), start: get("start-law").value, loss: get("loss").value,
    schedule: get("schedule").value, seed: Math.max(0, Math.round(+get("seed").value)) || 0, pace: get("pace").value,
  };
  run = 0; // ignore late frames of the run before
  setRunning(true, true);
  const answer = await post("train", asked);
  if (answer.error) {
    setRunning(false, false);
    return emit("message", answer.error);
  }
  run = answer.run;
  forget();
  emit("started");
}

async function command(name) {
  const answer = await post("control", { command: name });
  if (!answer.running && name !== "stop") setRunning(false, false);
}

function toggle() {
  if (!active) return start();
  setRunning(!running, true);
  command(running ? "resume" : "pause");
}

function step() {
  if (!active) return start().then(() => pause());
  pause("step");
}

function pause(name = "pause") {
  setRunning(false, true);
  command(name);
}

function setRunning(now, there) {
  running = now;
  active = there;
  button.textContent = running ? "Pause" : active ? "Resume" : "Train";
  get("stop").disabled = !active;
}

function onFrame(frame) {
  if (frame.run !== run || !active) return;
  const roots = unpack(frame.shares).values;
  Object.assign(frame, { directions: unpack(frame.directions).values, weights: roots.map((r) => r * Math.abs(r)), points: trained });
  if (frame.adversary.length !== state.points.length) return;
  state.frame = frame;
  record(frame);
  describe(frame);
  emit("frame");
}

function describe(frame) {
  const unit = unitOf(frame.norm), name = frame.norm === "f1" ? "\u03b3\u2081" : "\u03b3\u2082";
  const share = unit && frame.margin > 0 ? ` = ${(Math.floor((1000 * frame.margin) / unit) / 10).toFixed(1)} % of ${name}` : "";
  shownState.textContent = `step ${frame.step}, margin ${number(+frame.margin.toPrecision(3))}${share}`;
}

function onEnd(end) {
  if (end.run !== run) return;
  setRunning(false, false);
  if (end.status === "refused") return emit("message", end.sentence);
  shownState.textContent += ` (${STATUS[end.status] || end.status})`;
}

// A changed setting restarts a present run at once, so that a slider shows lazy to rich.
function again() {
  get("scale-shown").textContent = number(+scale().toPrecision(2));
  get("width-shown").textContent = width();
  if (!active) return;
  clearTimeout(timer);
  timer = setTimeout(start, 150);
}

button.addEventListener("click", toggle);
get("step").addEventListener("click", step);
get("stop").addEventListener("click", () => active && (setRunning(false, false), command("stop")));
for (const id of ["scale", "width", "layers", "loss", "schedule", "start-law", "pace", "seed"]) get(id).addEventListener("input", again);
on("points", () => {
  if (active) again();
  else if (state.frame) Object.assign(state, { frame: null, neuron: null });
});
setRunning(false, false);
listen({ frame: onFrame, end: onEnd }, () => (get("gone").hidden = false));

export { toggle };
