// What was typed on Create, kept in this browser for this person and team until it is sent.
import { portal } from "./page.js";

const key = `draft-${portal.user}-${portal.team}`;
const UNSAVED = new Set(["csrfmiddlewaretoken", "submission", "prices_at", "image"]);

function set(form, name, wanted) {
  const field = form.elements[name];
  if (!field || wanted === undefined) return;
  if (field instanceof RadioNodeList) {
    if ([...field].some((choice) => choice.value === wanted)) field.value = wanted;
  } else if (field.type !== "radio") field.value = wanted; // a single choice stays what it is
}

/** Keep what is typed, for a reload or a new sign-in. */
export function saveDraft(form) {
  const draft = Object.fromEntries([...new FormData(form)].filter(([name]) => !UNSAVED.has(name)));
  try { localStorage.setItem(key, JSON.stringify(draft)); } catch { /* private windows keep nothing */ }
}

/** It was sent: nothing to keep. */
export function forgetDraft() {
  try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
}

/** Fill in what was kept, except where the page itself says something. */
export function restoreDraft(form) {
  const won = form.dataset.prefilled;
  if (form.hasAttribute("data-bound") || won === "*") return;
  let draft;
  try { draft = JSON.parse(localStorage.getItem(key)); } catch { /* unreadable: as if there were none */ }
  for (const [name, kept] of Object.entries(draft ?? {})) {
    if (name === "visibility" && kept !== "private") continue; // a draft never shows what was to be private
    if (name !== "start" && !won.split(" ").includes(name)) set(form, name, kept);
  }
}

/** A new name for a request: a random UUID, also where there is no https and so no randomUUID. */
export function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
