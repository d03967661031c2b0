// The draft of Create: what was typed is saved in this browser per user and team until it is submitted.
import { portal } from "./page.js";

const key = `draft-${portal.user}-${portal.team}`;
const UNSAVED = new Set(["csrfmiddlewaretoken", "submission", "prices_at", "image"]);

function setField(form, name, value) {
  const field = form.elements[name];
  if (!field || value === undefined) return;
  if (field.type === "checkbox") {
    field.checked = value !== "";
    return;
  }
  if (field instanceof RadioNodeList) {
    if ([...field].some((choice) => choice.value === value)) field.value = value;
  } else if (field.type !== "radio") field.value = value; // a single radio button has nothing to choose
}

/** Save the form's values, for a reload or a new sign-in. */
export function saveDraft(form) {
  const draft = Object.fromEntries([...new FormData(form)].filter(([name]) => !UNSAVED.has(name)));
  for (const box of form.querySelectorAll("input[type=checkbox]:not(:checked)")) draft[box.name] = ""; // not in FormData
  try { localStorage.setItem(key, JSON.stringify(draft)); } catch { /* no storage in some private windows */ }
}

/** Delete the draft after it was submitted. */
export function deleteDraft() {
  try { localStorage.removeItem(key); } catch { /* nothing was saved */ }
}

/** Fill in the draft, except fields that the server has prefilled. */
export function restoreDraft(form) {
  const { prefilled } = form.dataset;
  if (form.hasAttribute("data-bound") || prefilled === "*") return;
  let draft;
  try { draft = JSON.parse(localStorage.getItem(key)); } catch { /* unreadable: as without a draft */ }
  for (const [name, value] of Object.entries(draft ?? {})) {
    if (name === "visibility" && value !== "private") continue; // a draft never makes a private default public
    if (name !== "start" && !prefilled.split(" ").includes(name)) setField(form, name, value);
  }
}

/** A random UUID; crypto.randomUUID exists only on https. */
export function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
