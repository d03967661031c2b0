// Expand: how far a picture grows on each side, by dragging the edges of a frame or by numbers, both the same.
import { fill } from "./page.js";

const SIDES = ["left", "right", "up", "down"];
const OUTWARD = { ArrowLeft: { left: 1, right: -1 }, ArrowRight: { left: -1, right: 1 }, ArrowUp: { up: 1, down: -1 }, ArrowDown: { up: -1, down: 1 } };
const STEP = 8; // pixels that an arrow key moves an edge; with Shift, Page up and Page down:
const LARGE_STEP = 64;
const ROOM = 0.74; // of the stage that the frame fills, so that there is somewhere to drag it
const FULL = 0.94; // of the stage that it fills at most while it is dragged

/**
 * Set up an element that contains number inputs named left, right, up and down, and the picture. Its `data-min` and
 * `data-max` bound each side in pixels; `data-width` and `data-height` are the picture's size if the <img> shows
 * a smaller one. Each change is dispatched as `input`, and as `change` when it is done, of the number input.
 */
function setUp(editor) {
  const find = (selector) => editor.querySelector(selector);
  const picture = find(".expand-picture");
  const stage = find(".expand-stage");
  const frame = find(".expand-frame");
  const sizeText = find("[data-expand-size]");
  const inputs = Object.fromEntries(SIDES.map((side) => [side, find(`input[name="${side}"]`)]));
  const handles = Object.fromEntries(SIDES.map((side) => [side, find(`[role="slider"].expand-${side}`)]));
  const [min, max] = [Number(editor.dataset.min), Number(editor.dataset.max)];
  let place = { scale: 1, x: 0, y: 0 }; // of the picture's top left corner on the stage, in CSS pixels
  let drag = null; // { pointerId, sides, exact: { side: pixels }, x, y }

  const clamp = (value) => Math.min(max, Math.max(min, Math.round(value) || 0));
  const amount = (side) => clamp(Number(inputs[side].value));
  const width = () => Number(editor.dataset.width) || picture.naturalWidth;
  const height = () => Number(editor.dataset.height) || picture.naturalHeight;
  const newWidth = () => amount("left") + width() + amount("right");
  const newHeight = () => amount("up") + height() + amount("down");

  /* ---- what is shown ---- */

  /** Centre the frame so that it fills a share of the stage. */
  function fit(share) {
    const scale = Math.min((stage.clientWidth * share) / newWidth(), (stage.clientHeight * share) / newHeight());
    place = {
      scale,
      x: (stage.clientWidth - newWidth() * scale) / 2 + amount("left") * scale,
      y: (stage.clientHeight - newHeight() * scale) / 2 + amount("up") * scale,
    };
  }

  function isOutside() {
    const { scale, x, y } = place;
    const [left, top] = [x - amount("left") * scale, y - amount("up") * scale];
    const edge = (size) => (size * (1 - FULL)) / 2;
    return left < edge(stage.clientWidth) || left + newWidth() * scale > stage.clientWidth - edge(stage.clientWidth)
      || top < edge(stage.clientHeight) || top + newHeight() * scale > stage.clientHeight - edge(stage.clientHeight);
  }

  function setBox(element, left, top, boxWidth, boxHeight) {
    Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${boxWidth}px`, height: `${boxHeight}px` });
  }

  function show() {
    const isKnown = Boolean(width() && height());
    editor.classList.toggle("has-picture", isKnown);
    if (!isKnown) return;
    if (!drag) fit(ROOM);
    else if (isOutside()) fit(FULL);
    const { scale, x, y } = place;
    setBox(picture, x, y, width() * scale, height() * scale);
    setBox(frame, x - amount("left") * scale, y - amount("up") * scale, newWidth() * scale, newHeight() * scale);
    for (const side of SIDES) {
      handles[side].setAttribute("aria-valuenow", amount(side));
      handles[side].setAttribute("aria-valuetext", fill(editor.dataset.amount, { n: amount(side) }));
    }
    const isSame = newWidth() === width() && newHeight() === height();
    const sizes = { w: width(), h: height(), x: newWidth(), y: newHeight() };
    sizeText.textContent = fill(isSame ? editor.dataset.size : editor.dataset.newSize, sizes);
    for (const button of editor.querySelectorAll("button[value]")) showShape(button);
  }

  function showShape(button) {
    const sides = sidesFor(button.value);
    button.disabled = !sides;
    button.setAttribute("aria-pressed", String(Boolean(sides) && SIDES.every((side) => sides[side] === amount(side))));
  }

  /* ---- changes ---- */

  /** Set sides to a number of pixels, and tell the page; "change" says that it is done. */
  function set(sides, events) {
    for (const [side, value] of Object.entries(sides)) {
      if (String(clamp(value)) === inputs[side].value && !events.includes("change")) continue;
      inputs[side].value = clamp(value);
      for (const name of events) inputs[side].dispatchEvent(new Event(name, { bubbles: true }));
    }
    show();
  }

  /** The sides that give the picture a shape such as 16:9 by growing evenly in one direction; null if it cannot. */
  function sidesFor(shape) {
    const [across, down] = shape.split(":").map(Number);
    const growth = { x: Math.round((height() * across) / down) - width(), y: Math.round((width() * down) / across) - height() };
    const split = (pixels) => [Math.floor(pixels / 2), Math.ceil(pixels / 2)];
    const [left, right] = split(Math.max(0, growth.x));
    const [up, bottom] = split(growth.x > 0 ? 0 : Math.max(0, growth.y));
    const sides = { left, right, up, down: bottom };
    return SIDES.every((side) => sides[side] === clamp(sides[side])) ? sides : null;
  }

  /* ---- pointers ---- */

  frame.addEventListener("pointerdown", (event) => {
    const sides = SIDES.filter((side) => event.target.classList.contains(`expand-${side}`));
    if (!sides.length || event.button || drag) return;
    event.preventDefault();
    event.target.focus({ preventScroll: true });
    event.target.setPointerCapture(event.pointerId);
    const exact = Object.fromEntries(sides.map((side) => [side, amount(side)]));
    drag = { pointerId: event.pointerId, sides, exact, x: event.clientX, y: event.clientY };
    editor.classList.add("is-dragging");
  });
  frame.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drag?.pointerId) return;
    const moved = { left: drag.x - event.clientX, right: event.clientX - drag.x, up: drag.y - event.clientY, down: event.clientY - drag.y };
    for (const side of drag.sides) drag.exact[side] += moved[side] / place.scale;
    [drag.x, drag.y] = [event.clientX, event.clientY];
    set(drag.exact, ["input"]);
  });
  function release(event) {
    if (event.pointerId !== drag?.pointerId) return;
    const { sides } = drag;
    drag = null;
    editor.classList.remove("is-dragging");
    set(Object.fromEntries(sides.map((side) => [side, amount(side)])), ["change"]);
  }
  frame.addEventListener("pointerup", release);
  frame.addEventListener("pointercancel", release);

  /* ---- keys, numbers, shapes ---- */

  frame.addEventListener("keydown", (event) => {
    const side = SIDES.find((each) => handles[each] === event.target);
    if (!side || event.ctrlKey || event.metaKey || event.altKey) return;
    const outward = OUTWARD[event.key]?.[side];
    const next = { Home: min, End: max, PageUp: amount(side) + LARGE_STEP, PageDown: amount(side) - LARGE_STEP }[event.key]
      ?? (outward && amount(side) + outward * (event.shiftKey ? LARGE_STEP : STEP));
    if (next === undefined) return;
    event.preventDefault();
    set({ [side]: next }, ["input", "change"]);
  });
  for (const side of SIDES) {
    inputs[side].addEventListener("input", show);
    inputs[side].addEventListener("change", () => {
      if (inputs[side].value !== String(amount(side))) inputs[side].value = amount(side);
      show();
    });
  }
  editor.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-expand-reset")) set(Object.fromEntries(SIDES.map((side) => [side, min])), ["input", "change"]);
    else if (button.value) set(sidesFor(button.value), ["input", "change"]);
  });
  picture.addEventListener("load", show);
  new ResizeObserver(show).observe(stage);
  show();
}

function setUpAll() {
  for (const editor of document.querySelectorAll("[data-expand-editor]:not([data-ready])")) {
    editor.dataset.ready = "yes";
    setUp(editor);
  }
}

document.addEventListener("htmx:load", setUpAll);
setUpAll();
