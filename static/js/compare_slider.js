// Before and after: two pictures over each other, with a divider that pointers and keys move.
import { fill } from "./page.js";

const STEP = 2; // per cent, with an arrow key
const LARGE_STEP = 10; // with Shift, Page up and Page down

/** Set up an element with a `.compare-divider`; the style sheet cuts the upper picture at `--divider`. */
function setUp(compare) {
  const divider = compare.querySelector(".compare-divider");
  let position = 50; // per cent of the width, from the left
  let drag = null; // { pointerId, before: the position to return to }

  function set(next) {
    position = Math.min(100, Math.max(0, next));
    compare.style.setProperty("--divider", `${position}%`);
    divider.setAttribute("aria-valuenow", Math.round(position));
    divider.setAttribute("aria-valuetext", fill(divider.dataset.text, { n: Math.round(position) }));
  }

  function follow({ clientX }) {
    const box = compare.getBoundingClientRect();
    set((100 * (clientX - box.left)) / box.width);
  }

  compare.addEventListener("pointerdown", (event) => {
    if (event.button || drag) return;
    drag = { pointerId: event.pointerId, before: position };
    compare.setPointerCapture(event.pointerId);
    // A finger may be about to scroll: the divider follows once it moves sideways, or was a tap.
    if (event.pointerType !== "touch") follow(event);
  });
  compare.addEventListener("pointermove", (event) => event.pointerId === drag?.pointerId && follow(event));
  compare.addEventListener("pointerup", (event) => {
    if (event.pointerId !== drag?.pointerId) return;
    follow(event);
    drag = null;
  });
  compare.addEventListener("pointercancel", (event) => { // the finger scrolls
    if (event.pointerId !== drag?.pointerId) return;
    set(drag.before);
    drag = null;
  });
  divider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const next = {
      ArrowLeft: position - step, ArrowDown: position - step, ArrowRight: position + step, ArrowUp: position + step,
      PageDown: position - LARGE_STEP, PageUp: position + LARGE_STEP, Home: 0, End: 100,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // arrow keys go to the neighbours on the page of a picture
    set(next);
  });
  set(position);
}

function setUpAll() {
  for (const compare of document.querySelectorAll("[data-compare]:not([data-ready])")) {
    compare.dataset.ready = "yes";
    setUp(compare);
  }
}

document.addEventListener("htmx:load", setUpAll);
setUpAll();
