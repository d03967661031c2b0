// The keys of a page: one registry, and the dialog that lists what works here (?).
// Where the person has switched keys of one character off, theme.js lets none of them through.
// They do nothing while somebody types, over a dialog or an open menu, or with modifiers that they do not name.

import { csrfToken, notice, portal } from "./page.js";
import { whenOpened } from "./when_opened.js";

const dialog = () => document.getElementById("keys");
const hasDialog = Boolean(dialog() ?? document.querySelector("[data-when-opened]"));
const entries = [];
const root = document.documentElement;
const OPEN = "dialog[open], details.menu[open], :popover-open";
const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);

export const isField = (element) =>
  element.matches('textarea, select, [contenteditable="true"], input:not([type="checkbox"], [type="radio"], [type="range"])');

/**
 * Let keys work on this page; each entry is { keys, text, run, when, inFields }.
 * `keys` are names such as "f", "shift+r", "mod+a" (Ctrl, or Command on a Mac), "ArrowLeft"; the first ones are shown.
 * `text` names an attribute of the dialog; without one the entry is not listed. `when` says whether it does anything
 * now. An entry without `run` is listed alone: another script listens. `inFields` works while somebody types, too.
 */
export function addKeys(...added) {
  entries.push(...added);
}

/** The name of the key that was pressed, with its modifiers. */
function nameOf(event) {
  const isLetter = event.key.length > 1 || /\p{L}/u.test(event.key); // Shift is a part of other characters
  const parts = [(event.ctrlKey || event.metaKey) && "mod", event.altKey && "alt", event.shiftKey && isLetter && "shift"];
  return [...parts, event.key.length === 1 ? event.key.toLowerCase() : event.key].filter(Boolean).join("+");
}

const works = ({ when }) => !when || Boolean(when());

document.addEventListener("keydown", (event) => {
  if (!event.key || event.isComposing || event.defaultPrevented) return; // autofill sends events without a key
  const name = nameOf(event);
  const { target } = event;
  if (document.querySelector(OPEN) || target.matches('[role="combobox"][aria-expanded="true"]')) return; // Escape closes it
  if (target.matches('[role="slider"], [type="range"]') && name !== "Escape") return; // it has keys of its own
  const isTyping = isField(target);
  const entry = entries.find((one) => one.run && one.keys.includes(name) && (!isTyping || one.inFields) && works(one));
  if (entry && entry.run(event) !== false) event.preventDefault();
}, { capture: true });

/* ---- the dialog ---- */

/** A text of the dialog: data-cap-… for what stands on a key, data-says-… for what it does. */
const textOf = (kind, name) => dialog().dataset[`${kind}${name[0].toUpperCase()}${name.slice(1)}`];

/** A key as it stands on a keyboard. */
function cap(name) {
  const element = document.createElement("kbd");
  element.className = "keycap";
  const symbol = { ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193" }[name];
  element.textContent = symbol ?? textOf("cap", isMac && name === "mod" ? "command" : name) ?? name.toUpperCase();
  return element;
}

function row({ keys, text, shown = 1 }) {
  const line = document.createElement("div");
  const caps = document.createElement("dt");
  for (const key of keys.slice(0, shown)) {
    const group = document.createElement("span");
    group.append(...key.split("+").map((part) => cap(part === " " ? "space" : part)));
    caps.append(group);
  }
  const words = document.createElement("dd");
  words.textContent = textOf("says", text);
  line.append(caps, words);
  return line;
}

/** Show what works on this page now. */
async function showKeys() {
  const shown = entries.filter((one) => one.text && works(one));
  const keys = await whenOpened("keys");
  if (!keys || keys.open) return;
  keys.querySelector("dl").replaceChildren(...shown.map(row));
  keys.querySelector("#keys-on").checked = root.dataset.shortcuts !== "off";
  for (const open of document.querySelectorAll(":popover-open")) open.hidePopover();
  keys.showModal();
}

/** Keys of one character work or do nothing at once, and on all pages of the person (WCAG 2.1.4; theme.js). */
async function switchKeys(box) {
  const show = (on) => {
    if (on) delete root.dataset.shortcuts;
    else root.dataset.shortcuts = "off";
    box.checked = on;
  };
  const on = box.checked;
  show(on);
  const body = new URLSearchParams({ on: on ? "1" : "0" });
  const headers = { "X-CSRFToken": csrfToken() };
  const response = await fetch(box.dataset.address, { method: "POST", headers, body, redirect: "manual" }).catch(() => null);
  if (response?.ok) return;
  show(!on);
  notice(response ? portal.failed : portal.offline);
}

document.addEventListener("change", ({ target }) => target.id === "keys-on" && switchKeys(target));
document.addEventListener("click", ({ target }) => {
  if (hasDialog && target.closest("[data-show-keys]")) showKeys();
  else if (target.id === "keys" || target.closest("[data-close-keys]")) dialog().close(); // its backdrop, or its button
});
document.addEventListener("keydown", ({ key, target }) => {
  if (key === "?" && target.closest?.("#keys")) dialog().close();
});

if (hasDialog) {
  addKeys(
    { keys: ["?"], text: "this", run: showKeys },
    { keys: ["mod+Enter"], text: "generate", when: () => document.getElementById("create-form") },
  );
}
