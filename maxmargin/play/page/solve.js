// Keeps the proved margins up with the points. One request is on its way at a time; while one moves a point, a request
// that answers soon is waited for, so that the picture follows, and one that takes long gives way to the latest points.
// A bracket that the short time limit has left open is tightened once the points rest.

import { post } from "./api.js";
import { emit, on, state } from "./state.js";

const PATIENCE = 300, RETRY = 400; // milliseconds: for an answer while points move, before another page is outbid
const TOGETHER = 250; // milliseconds that all norms may take to be asked for at once; else F1 comes first
const SHORT = 0.8, LONG = 5; // seconds of a request while points move, of one when they rest
const ALL = ["f1", "f2", "ntk"];
let count = 0, busy = false, began = 0, next = null, timer = 0;
let edit = 0; // counts the changes of the points
let taken = 0; // milliseconds that the last points took, all norms

function changed() {
  edit++;
  document.documentElement.dataset.busy = state.points.length ? "yes" : "no";
  if (state.points.length) {
    next = { norms: taken > TOGETHER ? ["f1"] : ALL, seconds: SHORT, fresh: true };
    return pump();
  }
  count++;
  busy = false;
  next = null;
  Object.assign(state, { solved: {}, asked: [] });
  emit("solved");
}

function pump() {
  clearTimeout(timer);
  if (!next) return;
  const left = busy ? began + PATIENCE - performance.now() : 0;
  if (left > 0) timer = setTimeout(pump, left);
  else ask(next);
}

async function ask({ norms, seconds, fresh }) {
  const mine = ++count, now = edit, points = state.points.map((p) => p.slice()), view = state.view.slice();
  next = null;
  busy = true;
  began = performance.now();
  let answer;
  try {
    answer = await post("solve", { points, norms, box: view, time_limit: seconds });
  } catch {
    answer = { error: "The server does not answer." };
  }
  if (mine !== count) return; // later points are being solved
  busy = false;
  const passed = performance.now() - began;
  if (answer.stale) return void (timer = setTimeout(changed, RETRY)); // another page has asked
  if (answer.error) emit("message", answer.error);
  else {
    for (const found of Object.values(answer.solved)) Object.assign(found, { box: view, points, edit: now });
    Object.assign(state.solved, answer.solved); // what is about earlier points stays in sight, and out of the table
    state.asked = points;
    emit("message", "");
    if (seconds === SHORT) taken = fresh ? passed : taken + passed;
    next = next || remaining(seconds);
  }
  emit("solved", fresh ? passed : undefined);
  if (!next) document.documentElement.dataset.busy = "no";
  pump();
}

// What these points still lack: the other norms, then a longer time for what is still open.
function remaining(seconds) {
  const missing = ALL.filter((norm) => !current(norm));
  if (missing.length) return { norms: missing, seconds: SHORT, fresh: false };
  const open = ALL.filter((norm) => state.solved[norm].status === "interrupted");
  return open.length && seconds < LONG ? { norms: open, seconds: LONG, fresh: false } : null;
}

// Whether what is known of this norm is about the same points as what is known of F1.
const current = (norm) => Boolean(state.solved[norm] && state.solved.f1 && state.solved[norm].edit === state.solved.f1.edit);

on("points", changed);
on("view", () => {
  if (state.points.length) changed(); // kernel maps are drawn for one view
});

export { current };
