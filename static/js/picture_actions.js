// Actions on pictures: sent one after another, so that none is lost; what the last one did is shown, with its Undo.
// htmx keeps but the last of the requests that wait for one element (issue 2147): hx-sync on #bulk-action has it keep all.
import { notice, parse, portal } from "./page.js";

const status = document.getElementById("bulk-action");
const unanswered = []; // the actions that have no answer yet
const FAILED_SHOWN = 8000; // milliseconds
let changed = []; // by the action whose result is shown: of the library's pictures, or of generations
let clearTimer = 0;
let handle = () => {};

/** Have a function called with each result, and with what its action changed on the page. */
export function onResult(handler) {
  handle = handler;
}

/** Do something to pictures. `takeBack` shows them as they were, and is called if the server does not do it. */
export function act(path, values, { ids = [], takeBack = () => {} } = {}) {
  unanswered.push({ ids, takeBack });
  clearTimeout(clearTimer);
  status.replaceChildren(); // with the Undo of an earlier action
  window.htmx.ajax("POST", path, { source: status, target: status, swap: "innerHTML", values }).catch(() => {}); // see sendError
}

/** Take the shown result away after some time. */
export function leaveAfter(milliseconds) {
  clearTimeout(clearTimer);
  clearTimer = setTimeout(() => status.replaceChildren(), milliseconds);
}

// Toasts stand above the result. A class, since a :has() of the body has the browser look at every tile after each change.
new MutationObserver(() => {
  document.body.classList.toggle("has-result", Boolean(status.querySelector(".bulk-result")));
}).observe(status, { childList: true, subtree: true });

const resultIn = (place) => place.querySelector("[data-bulk-action]"); // null: the panel of a zip
const isAction = (detail) => detail.requestConfig.elt === status; // and not its Undo or its progress

status.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== status) return;
  clearTimeout(clearTimer);
  if (!isAction(detail)) return;
  if (unanswered.length === 1) {
    changed = unanswered[0].ids;
    return;
  }
  const result = resultIn(parse(detail.xhr.responseText));
  if (!result) return;
  detail.shouldSwap = false; // another action waits: its result is shown
  if (detail.xhr.status === 422) notice(result.textContent.trim());
  else handle(result, unanswered[0].ids);
});
status.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target !== status) return; // htmx tells each new element, too
  const result = resultIn(status);
  if (result && "failed" in result.dataset) leaveAfter(FAILED_SHOWN);
  else if (result) handle(result, changed);
});
status.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!isAction(detail)) return;
  const { takeBack } = unanswered.shift();
  if (detail.xhr.status < 200 || detail.xhr.status >= 400) takeBack();
});
status.addEventListener("htmx:sendError", () => notice(portal.offline));
status.addEventListener("htmx:responseError", () => notice(portal.failed));
