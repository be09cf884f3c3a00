// Keeps the proved margins up with the points. One request is on its way at a time; while one moves a point, a request
// that answers soon is waited for, so that the picture follows, and one that takes long gives way to the latest points.

import { post } from "./api.js";
import { emit, on, state } from "./state.js";

const PATIENCE = 300, RETRY = 400; // milliseconds
const TOGETHER = 250; // all norms are asked for at once while that takes less
const ALL = ["f1", "f2", "ntk"];
let count = 0, busy = false, began = 0, wanted = [], taken = 0, timer = 0;

function changed() {
  if (!state.points.length) {
    count++;
    wanted = [];
    Object.assign(state, { solved: {}, asked: [] });
    return emit("solved");
  }
  wanted = ALL;
  pump();
}

function pump() {
  clearTimeout(timer);
  if (!wanted.length) return;
  const left = busy ? began + PATIENCE - performance.now() : 0;
  if (left > 0) return void (timer = setTimeout(pump, left));
  const fresh = wanted === ALL, norms = fresh && taken > TOGETHER ? ["f1"] : wanted;
  wanted = fresh && norms.length === 1 ? ["f2", "ntk"] : [];
  ask(norms, fresh);
}

async function ask(norms, fresh) {
  const mine = ++count, points = state.points.map((p) => p.slice()), view = state.view.slice();
  busy = true;
  began = performance.now();
  emit("asking");
  let answer;
  try {
    answer = await post("solve", { points, norms, box: view, time_limit: 2 });
  } catch {
    answer = { error: "The server does not answer." };
  }
  if (mine !== count) return; // later points are being solved
  busy = false;
  const passed = performance.now() - began;
  taken = fresh ? passed : Math.max(taken, 0) + passed;
  if (answer.stale) { // another page has asked
    wanted = ALL;
    timer = setTimeout(pump, RETRY);
    return;
  }
  if (answer.error) emit("message", answer.error);
  else {
    for (const found of Object.values(answer.solved)) Object.assign(found, { box: view, points });
    state.solved = fresh ? answer.solved : { ...state.solved, ...answer.solved };
    state.asked = points;
    emit("message", "");
  }
  emit("solved", passed);
  pump();
}

on("points", changed);
on("view", () => {
  if (state.points.length) changed(); // kernel maps are drawn for one view
});
