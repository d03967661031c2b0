// What several scripts share: texts from the page, localised numbers, notices, parsed HTML, the CSRF token.
export const portal = document.getElementById("portal").dataset;
Object.assign(portal, document.getElementById("script-texts")?.dataset);

const amounts = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });

/** Format hundredths of a credit as credits. */
export const credits = (hundredths) => amounts.format(hundredths / 100);

const pluralRules = new Intl.PluralRules(document.documentElement.lang);
const isOne = (number) => pluralRules.select(number) === "one";

/** Format hundredths of a credit with their unit: "1 credit", "0.25 credits"; twin of `in_credits`. */
export const inCredits = (hundredths) =>
  fill(isOne(hundredths / 100) ? portal.credit : portal.credits, { n: credits(hundredths) });

/** Format seconds as "8 s", "3 min", "2 h" or "4 days"; twin of generations/core/durations.py. */
export function duration(seconds) {
  if (seconds < 90) return fill(portal.seconds, { n: Math.round(seconds) });
  if (seconds < 90 * 60) return fill(portal.minutes, { n: Math.round(seconds / 60) });
  if (seconds < 48 * 3600) return fill(portal.hours, { n: Math.round(seconds / 3600) });
  const days = Math.round(seconds / (24 * 3600));
  return fill(isOne(days) ? portal.day : portal.days, { n: integer(days) });
}

/** Format a whole number. */
export const integer = (number) => number.toLocaleString(document.documentElement.lang);

/** Fill placeholders such as {n} in a text of the page. */
export const fill = (text, values = {}) =>
  Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(`{${name}}`, value), text);

/** An address of the page in which zeros stand for an id, with this id. */
export const addressOf = (address, id) => address.replace("00000000-0000-0000-0000-000000000000", id);

/** The id of the generation that a tile shows. */
export const generationOf = (tile) => tile.id.slice("tile-".length);

/** The singular or plural text of an element's data attributes. */
export const countText = ({ singular, plural }, count) => (count === 1 ? singular : fill(plural, { n: integer(count) }));

/** Announce a text to screen readers. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Say something at the foot of the page. With `undo`, a function, there is a button that calls it. */
export function notice(text, { undo } = {}) {
  const list = toastList();
  const toast = document.createElement("div");
  toast.className = "toast toast-info";
  toast.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "undo", textContent: portal.undo });
    button.addEventListener("click", () => {
      toast.remove();
      undo();
    });
    toast.append(button);
  }
  for (const old of list.querySelectorAll(".toast-info:not(:has(.undo))")) old.remove();
  list.append(toast);
  keepOffFocus(list);
  leaveInTime(toast);
}

/** Remove a toast after some seconds, in which it is neither pointed at nor has the focus. */
export function leaveInTime(toast) {
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) return setTimeout(leave, 2000);
    return toast.remove();
  };
  setTimeout(leave, toast.querySelector(".undo") ? 20000 : 8000);
}

/** Where toasts are: an open dialog makes the rest of the page inert, so it has its own. */
function toastList() {
  const dialog = document.querySelector("dialog[open]");
  const list = dialog?.querySelector(".toasts") ?? (dialog ? null : document.getElementById("toasts"));
  if (list) return list;
  const made = Object.assign(document.createElement("div"), { className: "toasts" });
  made.setAttribute("role", "status");
  (dialog ?? document.body).append(made);
  return made;
}

/** Move toasts to the top while they would cover what has the focus: WCAG 2.2, 2.4.11. */
export function keepOffFocus(list) {
  list.classList.remove("is-on-top");
  const focused = document.activeElement;
  if (!list.firstElementChild || !focused || focused === document.body || list.contains(focused)) return;
  const below = focused.getBoundingClientRect();
  const covers = ({ top, bottom, left, right }) =>
    top < below.bottom && below.top < bottom && left < below.right && below.left < right;
  list.classList.toggle("is-on-top", [...list.children].some((toast) => covers(toast.getBoundingClientRect())));
}

/** Parse HTML; returns a fragment, in which images and scripts are not loaded. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export const csrfToken = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

/** Go to the sign-in page, which returns here; the draft of Create is saved. */
export function goToSignIn() {
  location.assign(`${portal.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Load a part of a page as a fragment; null, with a notice, if it cannot be had. */
export async function loadPart(address, { signal, headers = {} } = {}) {
  try {
    const response = await fetch(address, { headers: { "HX-Request": "true", ...headers }, redirect: "manual", signal });
    if (response.type === "opaqueredirect" || response.headers.get("HX-Redirect")) goToSignIn();
    else if (response.ok) return parse(await response.text());
    else notice(portal.failed);
  } catch (problem) {
    if (!signal?.aborted) notice(portal.offline);
    else if (problem.name !== "AbortError") throw problem;
  }
  return null;
}
