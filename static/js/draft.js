// The draft of Create: what was filled in is saved in this browser per user and team, until it is cleared.
import { portal } from "./page.js";

const key = `draft-${portal.user}-${portal.team}`;
const UNSAVED = new Set(["csrfmiddlewaretoken", "submission", "prices_at", "change", "remove_input", "model_order", "shown_notes"]);

/** Save the form's values, for a reload or a new sign-in: all fields and the ids of all pictures, no files. */
export function saveDraft(form) {
  const draft = {};
  for (const box of form.querySelectorAll("input[type=checkbox]:not(:checked)")) draft[box.name] = []; // not in FormData
  for (const [name, value] of new FormData(form)) {
    if (!UNSAVED.has(name) && typeof value === "string") (draft[name] ??= []).push(value);
  }
  try { localStorage.setItem(key, JSON.stringify(draft)); } catch { /* no storage in some private windows */ }
}

/**
 * The form's values with those of the draft, except fields that the server has prefilled; null if that changes nothing.
 * Older versions saved one text for each name.
 */
export function withDraft(form) {
  const { prefilled } = form.dataset;
  if (form.hasAttribute("data-bound") || prefilled === "*") return null;
  let draft;
  try { draft = JSON.parse(localStorage.getItem(key)); } catch { /* unreadable: as without a draft */ }
  if (typeof draft !== "object" || draft === null) return null;
  const values = new FormData(form);
  const before = listOf(values);
  for (const [name, saved] of Object.entries(draft)) {
    const texts = [saved].flat().filter((text) => typeof text === "string");
    if (UNSAVED.has(name) || prefilled.split(" ").includes(name)) continue;
    if (name === "visibility" && texts[0] !== "private") continue; // a draft never makes a private default public
    values.delete(name);
    for (const text of texts.length ? texts : [""]) values.append(name, text);
  }
  return listOf(values) === before ? null : values;
}

const listOf = (values) => JSON.stringify([...values].filter(([, value]) => value && typeof value === "string").sort());

/** A random UUID; crypto.randomUUID exists only on https. */
export function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
