// Pictures beside each other: what is zoomed and moved in one is zoomed and moved in all.
import { addKeys } from "./keys.js";
import { zoomable } from "./zoom.js";

const panes = [...document.querySelectorAll("[data-pane]")].map((stage) => ({
  stage,
  zoom: zoomable(stage.querySelector("img"), stage),
  pointers: new Map(),
}));

/** The point of another pane at the same place, as a part of its size. */
function samePlace(point, from, to) {
  const [box, other] = [from.stage.getBoundingClientRect(), to.stage.getBoundingClientRect()];
  return {
    x: other.left + ((point.x - box.left) / box.width) * other.width,
    y: other.top + ((point.y - box.top) / box.height) * other.height,
  };
}

const inAll = (pane, point, change) => panes.forEach((each) => change(each.zoom, samePlace(point, pane, each)));
const toggle = (pane, point) => inAll(pane, point, (zoom, place) => zoom.toggle(place));
const scaleBy = (pane, factor, point) => inAll(pane, point, (zoom, place) => zoom.scaleBy(factor, place));
const move = (deltaX, deltaY) => panes.forEach(({ zoom }) => zoom.move(deltaX, deltaY));

const distance = ([one, other]) => Math.hypot(one.x - other.x, one.y - other.y);
const centre = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });

function setUp(pane) {
  const { stage, zoom, pointers } = pane;
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !zoom.isZoomed && !matchMedia("(min-width: 900px)").matches) return;
    event.preventDefault();
    const delta = Math.max(-60, Math.min(60, event.deltaY));
    scaleBy(pane, Math.exp(-delta / 160), { x: event.clientX, y: event.clientY });
  }, { passive: false });
  stage.addEventListener("dblclick", ({ clientX, clientY }) => toggle(pane, { x: clientX, y: clientY }));
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (zoom.isZoomed) stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (others.length === 1) {
      scaleBy(pane, distance([now, others[0]]) / distance([before, others[0]]), centre([now, others[0]]));
    } else if (!others.length && zoom.isZoomed) {
      move(now.x - before.x, now.y - before.y);
    }
    pointers.set(event.pointerId, now);
  });
  for (const type of ["pointerup", "pointercancel", "pointerleave"]) {
    stage.addEventListener(type, ({ pointerId }) => pointers.delete(pointerId));
  }
}
panes.forEach(setUp);

const back = document.querySelector("[data-back]");
const cameFromHere = document.referrer && new URL(document.referrer).origin === location.origin;
back.addEventListener("click", (event) => {
  if (!cameFromHere || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.back();
});

function middle({ stage }) {
  const box = stage.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

addKeys(
  { keys: ["z"], text: "zoom", run: () => toggle(panes[0], middle(panes[0])) },
  { keys: ["Escape"], text: "close", run: () => back.click() },
);
