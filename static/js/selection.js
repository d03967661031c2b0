// Which pictures are chosen: by ticks, ranges, a rectangle, a long press, or all that the search finds.
import { say } from "./page.js";

const form = document.getElementById("selection");
const body = document.body;
const ticks = () => [...document.querySelectorAll("#pictures .rows > li:not(.is-gone) > .pick")];
let last = null; // the tick that was touched last, where a range begins
let isAll = false;

export const chosen = () => ticks().filter((tick) => tick.checked).map((tick) => tick.value);
export const isEverything = () => isAll;
const found = () => Number(document.getElementById("found")?.dataset.found ?? 0);

/** Says what is chosen, on the bar and to the form. */
export function tell() {
  const number = isAll ? found() : chosen().length;
  body.classList.toggle("has-selection", number > 0);
  form.elements.all.value = isAll ? "1" : "";
  form.querySelector("[data-selected]").textContent = number === 1 ? form.dataset.one : say(form.dataset.many, { n: number.toLocaleString(document.documentElement.lang) });
  for (const button of form.querySelectorAll("[data-for-one]")) button.disabled = number !== 1;
  offerAll(number);
}

function offerAll(number) {
  const button = form.querySelector("[data-select-all]");
  const words = document.getElementById("found");
  button.hidden = isAll || !number || found() <= number;
  button.textContent = say(words?.textContent.includes("+") && found() >= 10000 ? form.dataset.first : form.dataset.all, { n: found().toLocaleString(document.documentElement.lang) });
}

export function clear() {
  isAll = false;
  for (const tick of ticks()) tick.checked = false;
  last = null;
  tell();
}

function all() {
  isAll = true;
  mark();
}

/** Pictures that came later are chosen too while all are. */
export function mark() {
  if (isAll) for (const tick of ticks()) tick.checked = true;
  tell();
}

export function pick(tick, { range = false, state = tick.checked } = {}) {
  isAll = false;
  const every = ticks();
  const [from, to] = [every.indexOf(last), every.indexOf(tick)].sort((a, b) => a - b);
  if (range && last && from >= 0) for (const one of every.slice(from, to + 1)) one.checked = state;
  tick.checked = state;
  last = tick;
  tell();
}

const tickOf = (element) => element.closest(".rows > li")?.querySelector(".pick");
export const toggle = (item) => {
  const tick = item.querySelector(".pick");
  pick(tick, { state: !tick.checked });
};

let ignoreClick = false; // the one that ends a drag or a long press

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-clear]")) return clear();
  if (event.target.closest("[data-select-all]")) return all();
  const tick = event.target.closest(".rows") && tickOf(event.target);
  if (!tick) return;
  if (ignoreClick) {
    event.preventDefault();
  } else if (event.target === tick) {
    pick(tick, { range: event.shiftKey });
  } else if (event.shiftKey || (body.classList.contains("has-selection") && matchMedia("(hover: none)").matches)) {
    event.preventDefault();
    pick(tick, { range: event.shiftKey, state: event.shiftKey || !tick.checked });
  }
}, true);

/* ---- a long press ---- */

let press = 0;
document.addEventListener("pointerdown", (event) => {
  const tick = event.pointerType === "touch" && event.target.closest(".rows") && tickOf(event.target);
  if (!tick) return;
  ignoreClick = false;
  press = setTimeout(() => {
    ignoreClick = true;
    pick(tick, { state: true });
    navigator.vibrate?.(10);
  }, 450);
});
for (const kind of ["pointerup", "pointercancel", "scroll"]) document.addEventListener(kind, () => clearTimeout(press), true);
document.addEventListener("pointermove", (event) => {
  if (Math.hypot(event.movementX, event.movementY) > 6) clearTimeout(press);
});
document.addEventListener("contextmenu", (event) => {
  if (ignoreClick && event.target.closest(".rows")) event.preventDefault();
});

/* ---- a rectangle ---- */

const main = document.querySelector(".library-main");
let drag = null;

main?.addEventListener("pointerdown", (event) => {
  ignoreClick = false;
  if (event.pointerType === "touch" || event.button || event.shiftKey || event.target.closest("button, input, summary, .menu, form, .newer-pill, .older")) return;
  if (!document.getElementById("pictures") || event.target.closest("a:not(.picture)")) return;
  drag = { x: event.pageX, y: event.pageY, begun: false };
});
addEventListener("pointermove", (event) => {
  if (!drag) return;
  Object.assign(drag, { toX: event.pageX, toY: event.pageY, clientX: event.clientX, clientY: event.clientY });
  if (!drag.begun && Math.hypot(drag.toX - drag.x, drag.toY - drag.y) > 6) begin();
  if (drag.begun) stretch();
});
addEventListener("pointerup", () => {
  if (drag?.begun) {
    drag.box.remove();
    ignoreClick = true;
    setTimeout(() => { ignoreClick = false; });
    document.documentElement.classList.remove("is-dragging");
  }
  drag = null;
});
document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.(".rows")) event.preventDefault();
});

function begin() {
  isAll = false;
  drag.begun = true;
  drag.before = new Map(ticks().map((tick) => [tick, tick.checked]));
  drag.box = document.createElement("div");
  drag.box.className = "lasso";
  main.append(drag.box);
  document.documentElement.classList.add("is-dragging");
  getSelection().removeAllRanges();
  requestAnimationFrame(scroll);
}

function stretch() {
  const base = main.getBoundingClientRect();
  const [left, right] = [drag.x, drag.toX].sort((a, b) => a - b).map((x) => x - scrollX);
  const [top, bottom] = [drag.y, drag.toY].sort((a, b) => a - b).map((y) => y - scrollY);
  Object.assign(drag.box.style, { left: `${left - base.left}px`, top: `${top - base.top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  const meets = (box) => box.left < right && box.right > left && box.top < bottom && box.bottom > top;
  for (const list of document.querySelectorAll(".rows")) {
    const near = meets(list.getBoundingClientRect());
    if (!near && !drag.near?.has(list)) continue;
    (drag.near ??= new Set()).add(list);
    for (const tick of list.querySelectorAll(":scope > li:not(.is-gone, .is-held) > .pick")) {
      tick.checked = (near && meets(tick.parentElement.getBoundingClientRect())) || Boolean(drag.before.get(tick));
    }
  }
  tell();
}

/** The page goes on while the pointer is held at its edge. */
function scroll() {
  if (!drag?.begun) return;
  const over = drag.clientY > innerHeight - 60 ? drag.clientY - innerHeight + 60 : drag.clientY < 110 ? drag.clientY - 110 : 0;
  if (over) {
    const before = scrollY;
    scrollBy({ top: Math.sign(over) * Math.min(24, Math.abs(over) / 3), behavior: "instant" });
    drag.toY += scrollY - before;
    stretch();
  }
  requestAnimationFrame(scroll);
}
