// What depends on the chosen model: #choices of the form of Create, which the server renders anew.
import { csrfToken, goToSignIn, notice, parse, portal } from "./page.js";

const opened = new Set(); // ids of what was unfolded
let form, notify; // prepare: other choices arrived; shown: they are there; ended: nothing is asked for any more
let renewal = null; // an AbortController while other choices are asked for

export const choices = () => document.getElementById("choices");

/**
 * Set up the choices of a form: `prepare` completes others before they are shown, `shown` is called when they are there,
 * `ended` also if they could not be had.
 */
export function setUpChoices(element, { prepare, shown, ended }) {
  [form, notify] = [element, { prepare, shown, ended }];
}

/** Whether other choices are on their way. */
export const isRenewing = () => Boolean(renewal);

/** Ask for the choices of another model, operation or picture, with what is filled in, and show them. */
export async function renew(values = new FormData(form), focus = document.activeElement?.id) {
  renewal?.abort();
  const mine = renewal = new AbortController();
  values.set("change", "1");
  for (const [name, value] of [...values]) if (typeof value !== "string") values.delete(name);
  const before = new FormData(form);
  try {
    const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
    const response = await fetch(form.getAttribute("action"), { method: "POST", headers, body: values, signal: mine.signal });
    if (response.headers.get("HX-Redirect") || response.redirected) return goToSignIn();
    if (!response.ok) return notice(response.status === 413 ? portal.tooLarge : portal.failed);
    const part = parse(await response.text()).querySelector("#choices");
    await notify.prepare(part);
    if (renewal === mine) show(part, before, focus);
  } catch (problem) {
    if (problem.name === "AbortError") return undefined;
    if (!(problem instanceof TypeError)) throw problem;
    notice(portal.offline);
  } finally {
    if (renewal === mine) {
      renewal = null;
      notify.ended();
    }
  }
  return undefined;
}

/** Whether a field differs from what was sent; of radio buttons the one that is chosen now. */
function isChanged({ name, type, value, checked }, before) {
  const wasChosen = before.getAll(name).includes(value);
  if (type === "radio") return checked && !wasChosen;
  return type === "checkbox" ? checked !== wasChosen : value !== before.get(name);
}

/** Put the new choices in place; what was filled in since they were asked for stays. */
function show(part, before, focus) {
  const later = [...choices().querySelectorAll("input:not([type=hidden], [type=file]), textarea, select")]
    .filter((field) => field.name && isChanged(field, before));
  const { scrollTop } = form.querySelector(".create-fields");
  choices().replaceWith(part);
  for (const { name, type, value, checked } of later) {
    const isChosen = type === "radio" || type === "checkbox";
    const field = part.querySelector(`[name="${name}"]${isChosen ? `[value="${value}"]` : ":not([type=hidden], [type=file])"}`);
    if (field && isChosen) field.checked = checked;
    else if (field) field.value = value;
  }
  for (const id of opened) setOpen(id, true);
  window.htmx.process(part);
  document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: part } })); // the editors set themselves up
  form.querySelector(".create-fields").scrollTop = scrollTop;
  const target = focus && document.getElementById(focus);
  if (target && part.contains(target)) target.focus({ preventScroll: true });
  notify.shown();
}

/** Unfold or fold cards, styles or further fields. */
export function setOpen(id, isOpen) {
  const part = document.getElementById(id);
  if (!part) return;
  opened[isOpen ? "add" : "delete"](id);
  part.classList.toggle("is-open", isOpen);
  if (id === "more-fields") part.toggleAttribute("data-closed", !isOpen);
  form.querySelector(`[data-expand="${id}"], [aria-controls="${id}"]`)?.setAttribute("aria-expanded", String(isOpen));
}
