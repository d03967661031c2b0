// Selecting pictures: by checkbox, range, rectangle, long press, or everything that the search finds.
import { countText, fill, integer } from "./page.js";

const LONG_PRESS = 450; // milliseconds
const MAX_COMPARED = 4; // pictures beside each other
const form = document.getElementById("selection");
const body = document.body;
const checkboxes = () => [...document.querySelectorAll("#pictures .rows > li:not(.is-removed) > .select-box")];
let lastChanged = null; // the checkbox at which a range starts
let range = null; // what extendSelection selected last: its first and last checkbox
let isAll = false;

export const selectedIds = () => checkboxes().filter((checkbox) => checkbox.checked).map((checkbox) => checkbox.value);
export const isAllSelected = () => isAll;
const totalFound = () => Number(document.getElementById("found")?.dataset.found ?? 0);

/** Show the number of selected pictures in the toolbar, and set the form's fields. */
export function showSelection() {
  const count = isAll ? totalFound() : selectedIds().length;
  body.classList.toggle("has-selection", count > 0);
  form.elements.all.value = isAll ? "1" : "";
  form.querySelector("[data-selected]").textContent = countText(form.dataset, count);
  for (const link of form.querySelectorAll("[data-single-link]")) showLink(link, count === 1 ? selectedIds()[0] : null);
  const compare = form.querySelector("[data-compare-link]");
  compare.hidden = isAll || count < 2 || count > MAX_COMPARED;
  compare.search = new URLSearchParams(selectedIds().slice(0, MAX_COMPARED).map((id) => ["image", id]));
  showSelectAll(count);
  showSelecting();
}

/** Show what can be done with one picture, and let it lead to that picture. */
function showLink(link, id) {
  link.hidden = !id;
  if (!id || !link.href) return;
  const address = new URL(link.href);
  address.searchParams.set("image", id);
  link.href = address;
}

function showSelectAll(count) {
  const button = form.querySelector("[data-select-all]");
  const isLimited = document.getElementById("found")?.textContent.includes("+") && totalFound() >= 10000;
  button.hidden = isAll || !count || totalFound() <= count;
  button.textContent = fill(isLimited ? form.dataset.first : form.dataset.all, { n: integer(totalFound()) });
}

/* Touch has no pointer that shows the boxes: a button shows them, and until all is cleared a tap selects. */

const isSelecting = () => body.matches(".has-selection, .is-selecting");
const showSelecting = () => document.querySelector("[data-start-selecting]")?.setAttribute("aria-pressed", String(isSelecting()));

function startSelecting() {
  body.classList.add("is-selecting");
  showSelecting();
}

export function clearSelection() {
  body.classList.remove("is-selecting");
  isAll = false;
  for (const checkbox of checkboxes()) checkbox.checked = false;
  lastChanged = range = null;
  showSelection();
}

/** Select everything that the search finds. */
export function selectAll() {
  isAll = true;
  selectAdded();
}

/** Select pictures that were loaded later too while everything is selected. */
export function selectAdded() {
  if (isAll) for (const checkbox of checkboxes()) checkbox.checked = true;
  showSelection();
}

function select(checkbox, { isRange = false, checked = checkbox.checked } = {}) {
  isAll = false;
  const all = checkboxes();
  const [from, to] = [all.indexOf(lastChanged), all.indexOf(checkbox)].sort((a, b) => a - b);
  if (isRange && lastChanged && from >= 0) for (const one of all.slice(from, to + 1)) one.checked = checked;
  checkbox.checked = checked;
  lastChanged = checkbox;
  showSelection();
}

/**
 * Select all from where the selection began (by default `from`, an item of the grid) to the item `to`. What the call
 * before selected beyond that is not selected any more: the range grows and shrinks, as with Shift and the arrow keys.
 */
export function extendSelection(from, to) {
  const all = checkboxes();
  const between = (first, last) => {
    const [start, end] = [all.indexOf(first), all.indexOf(last)].sort((a, b) => a - b);
    return start < 0 ? [] : all.slice(start, end + 1);
  };
  const first = all.includes(lastChanged) ? lastChanged : checkboxOf(from);
  isAll = false;
  if (range?.first === first) for (const checkbox of between(first, range.last)) checkbox.checked = false;
  range = { first, last: checkboxOf(to) };
  for (const checkbox of between(first, range.last)) checkbox.checked = true;
  lastChanged = first;
  showSelection();
}

/** Select all pictures that are loaded; if they are, all that the search finds. */
export function selectMore() {
  if (checkboxes().every((one) => one.checked)) return selectAll();
  for (const one of checkboxes()) one.checked = true;
  showSelection();
}

/** Do something as if this picture alone were selected; nothing is if `action` does not keep it so. */
export function withSelected(item, action) {
  const checkbox = item.querySelector(".select-box");
  checkbox.checked = true;
  action();
  checkbox.checked = false;
  showSelection();
}

const checkboxOf = (element) => element.closest(".rows > li")?.querySelector(".select-box");
export const toggle = (item) => {
  const checkbox = item.querySelector(".select-box");
  select(checkbox, { checked: !checkbox.checked });
};

let ignoresClick = false; // the click that ends a drag or a long press

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-clear]")) return clearSelection();
  if (event.target.closest("[data-select-all]")) return selectAll();
  if (event.target.closest("[data-start-selecting]")) return isSelecting() ? clearSelection() : startSelecting();
  const checkbox = event.target.closest(".rows") && checkboxOf(event.target);
  if (!checkbox) return;
  const selectsByTap = isSelecting() && matchMedia("(hover: none)").matches;
  if (ignoresClick) {
    event.preventDefault();
  } else if (event.target === checkbox) {
    select(checkbox, { isRange: event.shiftKey });
  } else if (event.shiftKey || selectsByTap) {
    event.preventDefault();
    select(checkbox, { isRange: event.shiftKey, checked: event.shiftKey || !checkbox.checked });
  }
}, true);

/* ---- long press ---- */

let pressTimer = 0;
document.addEventListener("pointerdown", (event) => {
  const checkbox = event.pointerType === "touch" && event.target.closest(".rows") && checkboxOf(event.target);
  if (!checkbox) return;
  ignoresClick = false;
  pressTimer = setTimeout(() => {
    ignoresClick = true;
    select(checkbox, { checked: true });
    navigator.vibrate?.(10);
  }, LONG_PRESS);
});
for (const type of ["pointerup", "pointercancel", "scroll"]) {
  document.addEventListener(type, () => clearTimeout(pressTimer), true);
}
document.addEventListener("pointermove", (event) => {
  if (Math.hypot(event.movementX, event.movementY) > 6) clearTimeout(pressTimer);
});
document.addEventListener("contextmenu", (event) => {
  if (ignoresClick && event.target.closest(".rows")) event.preventDefault();
});

/* ---- rectangle ---- */

const main = document.querySelector(".library-main");
let drag = null;

main?.addEventListener("pointerdown", (event) => {
  ignoresClick = false;
  if (event.pointerType === "touch" || event.button || event.shiftKey) return;
  if (event.target.closest("button, input, summary, .menu, form, .newer-pill, .next-page")) return;
  if (!document.getElementById("pictures") || event.target.closest("a:not(.picture)")) return;
  drag = { x: event.pageX, y: event.pageY, hasStarted: false };
});
addEventListener("pointermove", (event) => {
  if (!drag) return;
  Object.assign(drag, { toX: event.pageX, toY: event.pageY, clientY: event.clientY });
  if (!drag.hasStarted && Math.hypot(drag.toX - drag.x, drag.toY - drag.y) > 6) startRectangle();
  if (drag.hasStarted) updateRectangle();
});
addEventListener("pointerup", () => {
  if (drag?.hasStarted) {
    drag.box.remove();
    ignoresClick = true;
    setTimeout(() => { ignoresClick = false; });
    document.documentElement.classList.remove("is-dragging");
  }
  drag = null;
});
document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.(".rows")) event.preventDefault();
});

function startRectangle() {
  isAll = false;
  drag.hasStarted = true;
  drag.checkedBefore = new Map(checkboxes().map((checkbox) => [checkbox, checkbox.checked]));
  drag.touchedLists = new Set(); // lists whose checkboxes the rectangle may have changed
  drag.box = document.createElement("div");
  drag.box.className = "lasso";
  main.append(drag.box);
  document.documentElement.classList.add("is-dragging");
  getSelection().removeAllRanges();
  requestAnimationFrame(scrollAtEdge);
}

function updateRectangle() {
  const base = main.getBoundingClientRect();
  const [left, right] = [drag.x, drag.toX].sort((a, b) => a - b).map((x) => x - scrollX);
  const [top, bottom] = [drag.y, drag.toY].sort((a, b) => a - b).map((y) => y - scrollY);
  const size = { width: `${right - left}px`, height: `${bottom - top}px` };
  Object.assign(drag.box.style, { left: `${left - base.left}px`, top: `${top - base.top}px`, ...size });
  const intersects = (box) => box.left < right && box.right > left && box.top < bottom && box.bottom > top;
  for (const list of document.querySelectorAll(".rows")) {
    const isNear = intersects(list.getBoundingClientRect());
    if (!isNear && !drag.touchedLists.has(list)) continue;
    drag.touchedLists.add(list);
    for (const checkbox of list.querySelectorAll(":scope > li:not(.is-removed, .is-pending) > .select-box")) {
      const isInside = isNear && intersects(checkbox.parentElement.getBoundingClientRect());
      checkbox.checked = isInside || Boolean(drag.checkedBefore.get(checkbox));
    }
  }
  showSelection();
}

/** Scroll while the pointer is near the window's upper or lower edge. */
function scrollAtEdge() {
  if (!drag?.hasStarted) return;
  const [topEdge, bottomEdge] = [110, innerHeight - 60];
  const overlap = drag.clientY > bottomEdge ? drag.clientY - bottomEdge : Math.min(0, drag.clientY - topEdge);
  if (overlap) {
    const before = scrollY;
    scrollBy({ top: Math.sign(overlap) * Math.min(24, Math.abs(overlap) / 3), behavior: "instant" });
    drag.toY += scrollY - before;
    updateRectangle();
  }
  requestAnimationFrame(scrollAtEdge);
}
