// Mouse, touch and keyboard on a plane of points.

import { add, emit, move, remember, remove, state } from "./state.js";

const CLICK = 5, LONG = 550; // largest motion of a click in pixels, duration of a long touch in milliseconds
const reach = (event) => (event.pointerType === "touch" ? 24 : 11);

function place(plane, event) {
  const box = plane.canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

// `edit` = { add, move, remove, remember } for points other than those of the plane.
function attach(plane, edit = { add, move, remove, remember }) {
  const canvas = plane.canvas;
  let held = null; // { index, x, y, moved, timer }

  const drop = () => {
    if (held) clearTimeout(held.timer);
    held = null;
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || held) return;
    const [x, y] = place(plane, event), index = plane.hit(x, y, reach(event));
    plane.cursor = null;
    held = { index, x, y, moved: false, timer: 0, pointer: event.pointerId };
    if (index >= 0) {
      canvas.setPointerCapture(event.pointerId);
      plane.choose(index);
      if (event.pointerType === "touch") held.timer = setTimeout(() => held && !held.moved && (edit.remove(index), drop()), LONG);
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(plane, event);
    if (!held) return plane.hover(plane.hit(x, y, reach(event)));
    if (Math.hypot(x - held.x, y - held.y) > CLICK && !held.moved) {
      held.moved = true;
      clearTimeout(held.timer);
      if (held.index >= 0) edit.remember();
    }
    if (held.moved && held.index >= 0) {
      edit.move(held.index, ...plane.toData(...plane.clamp(x, y)));
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!held || held.pointer !== event.pointerId) return;
    const [x, y] = place(plane, event), { index, moved } = held;
    drop();
    if (index < 0 && !moved && plane.inside(x, y)) edit.add(...plane.toData(x, y));
  });
  canvas.addEventListener("pointercancel", drop);
  canvas.addEventListener("pointerleave", () => held || plane.hover(-1));
  canvas.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    if (event.pointerType === "touch") return; // the long touch itself removes
    const index = plane.hit(...place(plane, event), reach(event));
    if (index >= 0) edit.remove(index);
  });
  canvas.addEventListener("touchstart", (event) => {
    const touch = event.touches[0], index = plane.hit(...place(plane, touch), 24);
    if (index >= 0) event.preventDefault(); // drag the point, do not scroll the page
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => key(plane, event, edit));
  canvas.addEventListener("blur", () => emit("draw"));
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function key(plane, event, edit) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const points = plane.points(), [x0, x1, y0, y1] = plane.view(), unit = event.shiftKey ? 200 : 40;
  const cursor = plane.cursor || (points[plane.chosen()] || [(x0 + x1) / 2, (y0 + y1) / 2]).slice(0, 2);
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (ARROWS[name]) {
    const [u, v] = ARROWS[name];
    plane.cursor = [clamp(cursor[0] + (u * (x1 - x0)) / unit, x0, x1), clamp(cursor[1] + (v * (y1 - y0)) / unit, y0, y1)];
    plane.hover(plane.hit(plane.px(plane.cursor[0]), plane.py(plane.cursor[1]), 8));
  } else if (name === "Enter" || name === " ") {
    if (plane.hovered >= 0 && plane.cursor) plane.choose(plane.hovered);
    else edit.add(...(plane.cursor = cursor));
  } else if ((name === "n" || name === "p") && points.length) {
    const index = (plane.chosen() + (name === "n" ? 1 : -1) + points.length + (plane.chosen() < 0 && name === "p" ? 1 : 0)) % points.length;
    plane.cursor = points[index].slice(0, 2);
    plane.choose(index);
    plane.hover(index);
  } else if (name === "m" && points[plane.chosen()]) {
    edit.remember();
    edit.move(plane.chosen(), ...cursor);
  } else if (name === "Delete" || name === "Backspace") edit.remove(plane.chosen());
  else return;
  event.preventDefault();
  event.stopPropagation();
  emit("draw");
}

const clamp = (v, a, b) => Math.max(a, Math.min(b, v));

// The edits of a plane of labelled points, for `attach`.
function classified(plane) {
  plane.points = () => state.points;
  plane.view = () => state.view;
  plane.chosen = () => state.chosen;
  plane.choose = (index) => {
    state.chosen = index;
    emit("chosen", index);
    emit("draw");
  };
  plane.hover = (index) => {
    if (plane.hovered === index) return;
    plane.hovered = index;
    emit("hover", { plane, index });
    emit("draw");
  };
  attach(plane);
}

export { attach, classified };
