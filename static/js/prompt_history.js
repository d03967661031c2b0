// Earlier prompts: by the arrow keys in an empty or unchanged prompt, and as a list under a button.
import { announce, fill, integer, loadPart } from "./page.js";

let form, changed;
let texts = null; // the prompts, newest first, once they are loaded
let place = -1; // of the one that is shown; -1 is what was there before
let before = ""; // what was there before
let shown = null; // the text and the caret as the last arrow key left them

/** Set up the prompt of a form; `onChange` is called when an earlier prompt was put into it. */
export function setUpHistory(element, onChange) {
  [form, changed] = [element, onChange];
  form.elements.prompt.addEventListener("keydown", onKey);
  const list = form.querySelector("[data-prompt-history]");
  list.addEventListener("toggle", () => list.open && showList(list));
  list.addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-use-prompt]");
    if (!chosen) return;
    list.open = false;
    put(chosen.textContent);
    form.elements.prompt.focus();
  });
}

/** Ask for the prompts again when they are needed next: one was sent. */
export function forgetHistory() {
  [texts, place, shown] = [null, -1, null];
}

/** The list of prompts as HTML, or null if it could not be loaded. */
async function load() {
  const part = await loadPart(form.dataset.prompts);
  if (part) texts = [...part.querySelectorAll("[data-use-prompt]")].map((each) => each.textContent);
  return part;
}

async function showList(list) {
  const part = await load();
  if (part) list.querySelector(".menu-body").replaceChildren(part);
}

function put(text) {
  const field = form.elements.prompt;
  field.value = text;
  field.setSelectionRange(text.length, text.length);
  field.scrollTop = 0;
  changed(field);
}

const isBare = (event) => !event.isComposing && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;

/** Whether nothing is in the field, or an earlier prompt that was not touched: only then an arrow means another one. */
function isUnchanged(field, isLoadedJustNow = false) {
  const { value, selectionStart: caret, selectionEnd: end } = field;
  if (!value) return true;
  if (shown) return shown.value === value && shown.caret === caret && caret === end;
  const isAtEdge = caret === end && (caret === 0 || caret === value.length);
  return (isAtEdge || isLoadedJustNow) && value.trim() === texts?.[0]; // as it was sent
}

async function onKey(event) {
  const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  const field = event.target;
  if (shown && shown.value !== field.value) [shown, place] = [null, -1]; // it was edited since
  if (!step || !isBare(event) || (step < 0 && place < 0)) return;
  if (texts) {
    if (!isUnchanged(field)) return;
    event.preventDefault();
    move(step);
    return;
  }
  const { value, selectionStart: caret, selectionEnd: end } = field;
  if (value && (caret !== end || (caret > 0 && caret < value.length))) return;
  if (!value) event.preventDefault();
  if ((await load()) && field.value === value && isUnchanged(field, true)) move(step);
}

/** Show the prompt that was sent before the shown one, or after it. */
function move(step) {
  const field = form.elements.prompt;
  if (place < 0) before = field.value;
  // What is there as it was sent is the newest prompt already.
  const first = place < 0 && before.trim() === texts[0] ? 1 : 0;
  const next = place < 0 ? first : place + step;
  if (next >= texts.length) return announce(form.dataset.noEarlierPrompt);
  place = next < 0 || (next === 0 && before.trim() === texts[0]) ? -1 : next;
  put(place < 0 ? before : texts[place]);
  shown = { value: field.value, caret: field.selectionStart };
  if (place < 0) return announce(field.value);
  return announce(fill(form.dataset.earlierPrompt, { n: integer(place + 1), m: integer(texts.length), text: texts[place] }));
}
