// Solves again when points change. One request is sent at a time. While a point moves, a fast answer is awaited, so that
// the picture follows; a slow request is replaced by one with the latest points. A bracket that the short time limit
// left open is tightened when the points rest.

import { post } from "./api.js";
import { emit, on, state } from "./state.js";

const PATIENCE = 300, RETRY = 400; // milliseconds to wait for an answer while points move, and before replacing another page's request
const TOGETHER = 250; // if all norms take less than this (milliseconds), ask for all at once; else F1 first
const SHORT = 0.8, LONG = 5; // time limit in seconds while points move, and when they rest
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
    Object.assign(state.solved, answer.solved); // results for earlier points stay drawn, but leave the table
    state.asked = points;
    emit("message", "");
    if (seconds === SHORT) taken = fresh ? passed : taken + passed;
    next = next || remaining(seconds);
  }
  emit("solved", fresh ? passed : undefined);
  if (!next) document.documentElement.dataset.busy = "no";
  pump();
}

// Missing results for these points: the other norms, then a longer time for open brackets.
function remaining(seconds) {
  const missing = ALL.filter((norm) => !current(norm));
  if (missing.length) return { norms: missing, seconds: SHORT, fresh: false };
  const open = ALL.filter((norm) => state.solved[norm].status === "interrupted");
  return open.length && seconds < LONG ? { norms: open, seconds: LONG, fresh: false } : null;
}

// Whether the results of this norm and of F1 belong to the same points.
const current = (norm) => Boolean(state.solved[norm] && state.solved.f1 && state.solved[norm].edit === state.solved.f1.edit);

on("points", changed);
on("view", () => {
  if (state.points.length) changed(); // kernel maps are drawn for one view
});

export { current };
