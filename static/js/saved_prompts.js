// Saved prompts: a search and the links that it finds, opened by / in an empty prompt, or by a button.
// Arrow keys move along the links, Enter takes one, Escape goes back to the prompt.
import { announce, countText, loadPart } from "./page.js";

const DELAY = 80; // milliseconds without typing before the server is asked
let form, list, field, found;
let request = null; // an AbortController, of the latest question
let timer = 0;
let isBySlash = false; // whether a / opened it, which Escape gives back

/** Set up the saved prompts of a form. */
export function setUpSavedPrompts(element) {
  form = element;
  list = form.querySelector("[data-saved-prompts]");
  field = list.querySelector("input");
  found = list.querySelector("[data-found]");
  form.elements.prompt.addEventListener("input", openBySlash);
  list.addEventListener("toggle", onToggle);
  list.addEventListener("keydown", onKey);
  // A search is no part of the form.
  for (const name of ["input", "change"]) list.addEventListener(name, (event) => event.stopPropagation());
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, DELAY);
  });
  list.addEventListener("click", ({ target }) => {
    if (target.closest("button")) list.open = false; // a dialog opens
  });
}

function openBySlash(event) {
  const { target } = event;
  const isTyped = event.isTrusted && !event.isComposing && !event.inputType?.startsWith("delete");
  if (target.value !== "/" || !isTyped) return;
  target.value = "";
  field.value = "";
  isBySlash = true;
  list.open = true;
  field.focus(); // at once: what is typed next belongs there
}

function onToggle() {
  if (!list.open) {
    request?.abort();
    isBySlash = false;
    return;
  }
  if (!isBySlash) field.value = "";
  field.focus();
  show();
}

async function show() {
  clearTimeout(timer);
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const part = await loadPart(`${list.dataset.savedPrompts}?${new URLSearchParams({ q: field.value })}`, { signal });
  if (!part || signal.aborted) return;
  found.replaceChildren(part);
  announce(countText(found.dataset, found.querySelectorAll("a").length));
}

const links = () => [...list.querySelectorAll("[data-found] a, .menu-body > .menu-item")];

function onKey(event) {
  if (event.isComposing || !list.open) return;
  const all = links();
  const place = all.indexOf(document.activeElement);
  if (event.key === "ArrowDown") all[Math.min(place + 1, all.length - 1)]?.focus();
  else if (event.key === "ArrowUp") (place > 0 ? all[place - 1] : field).focus();
  else if (event.key === "Enter" && event.target === field) show().then(() => found.querySelector("a")?.click());
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Go back to the prompt, in which a / stays that was meant as one. */
function close() {
  const prompt = form.elements.prompt;
  const isMeant = isBySlash && !prompt.value;
  list.open = false;
  if (isMeant) prompt.value = "/";
  prompt.focus();
  if (isMeant) prompt.dispatchEvent(new InputEvent("input", { bubbles: true })); // for the draft and the counter
}
