// The pictures of a request on Create: chosen, dropped, pasted, taken from the library, drawn as a mask.
// A file is uploaded at once; the form holds ids, and the server shows each picture with what is wrong with it.
import { takeFiles } from "./dropped_files.js";
import { csrfToken, fill, goToSignIn, notice, portal } from "./page.js";

const MAX_BYTES = 10 * 1024 * 1024;

let form;
let notify; // changed: shows the form with its pictures as they are now; failed: an upload was not possible
let uploads = 0; // that are under way
const maskKeys = new Set(); // pictures whose drawn masks are stored in this browser until they are sent

const fields = () => [...form.querySelectorAll("[data-input]")];
const fieldOf = (role) => form.querySelector(`[data-input="${role}"]`);
const kept = () => form.querySelector("[data-kept-inputs]"); // of roles that the chosen model does not take
const itemsOf = (field) => [...field.querySelectorAll("[data-item]")];
const roomIn = (field) => Number(field.dataset.maximum) - itemsOf(field).length;
const isMask = (field) => field.dataset.input === "mask";

/** Set up the form's pictures; `changed` is called when one was added, moved or removed, `failed` when it could not be. */
export function setUpInputs(element, { changed, failed }) {
  [form, notify] = [element, { changed, failed }];
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "file") return;
    const files = [...target.files];
    target.value = "";
    const field = target.closest("[data-input]");
    if (field && files.length) upload(field.dataset.input, files);
  });
  form.addEventListener("click", onClick);
}

/** Forget masks that were stored until now: they are sent. */
export async function deleteStoredMasks() {
  if (!maskKeys.size) return;
  const { deleteMask } = await import("./mask_store.js");
  await Promise.all([...maskKeys].map(deleteMask));
  maskKeys.clear();
}

/* ---- files from anywhere on the page ---- */

/** The field that takes files dropped or pasted here: the one below the pointer, or the first that has room. */
function fieldFor(target) {
  return target.closest?.("[data-input]") ?? fields().find((field) => roomIn(field) > 0 && !isMask(field)) ?? fields()[0];
}

function showOver(target) {
  const field = target && fieldFor(target);
  for (const each of fields()) each.classList.toggle("is-over", each === field);
  form.classList.toggle("is-over", Boolean(target) && !field);
}

takeFiles({
  over: (target) => form?.isConnected && !document.querySelector("dialog[open]") && showOver(target),
  take(files, target) {
    const dialog = document.querySelector("dialog[open]");
    if (!form?.isConnected || (dialog && !dialog.dataset.role)) return; // the mask editor
    const images = files.filter((file) => file.type.startsWith("image/"));
    if (!images.length) return notice(form.dataset.notAPicture);
    const role = dialog?.dataset.role ?? fieldFor(target)?.dataset.input ?? "image";
    dialog?.close();
    upload(role, images);
  },
});

/** Add pictures by their ids; in a role that takes one, or that the model does not take, the new one replaces it. */
function add(role, ids) {
  const field = fieldOf(role);
  if (Number(field?.dataset.maximum) === 1) for (const item of itemsOf(field)) item.remove();
  if (!field) for (const input of kept().querySelectorAll(`[name="input_${role}"]`)) input.remove();
  for (const id of ids) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: `input_${role}`, value: id });
    (field ?? kept()).append(input);
  }
  notify.changed();
}

/* ---- uploads ---- */

async function upload(role, files) {
  const field = fieldOf(role);
  const room = field ? Math.max(1, roomIn(field)) : 1;
  showError(role, "");
  setBusy(role, 1);
  const ids = [];
  try {
    for (const file of files.slice(0, room)) ids.push(await send(role, file));
  } catch (problem) {
    if (!(problem instanceof UploadError)) throw problem;
    if (problem.message) showError(role, problem.message);
  } finally {
    setBusy(role, -1);
  }
  if (files.length > room) notice(fill(form.dataset.tooMany, { n: room, m: files.length }));
  if (ids.length) add(role, ids);
  else notify.failed();
}

class UploadError extends Error {}

/** Upload a file; its id, or an UploadError that says why not. */
async function send(role, file) {
  if (file.size > MAX_BYTES) throw new UploadError(form.dataset.tooLarge);
  const body = new FormData();
  body.append("role", role);
  body.append("image", file, file.name);
  const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
  const response = await fetch(form.dataset.upload, { method: "POST", headers, body, redirect: "manual" })
    .catch(() => { throw new UploadError(portal.offline); });
  if (response.type === "opaqueredirect" || response.headers.get("HX-Redirect")) {
    goToSignIn();
    throw new UploadError("");
  }
  if (response.status === 413) throw new UploadError(portal.tooLarge); // from a proxy's limit
  const answer = await response.json().catch(() => ({}));
  if (!answer.id) throw new UploadError(answer.error ?? portal.failed);
  return answer.id;
}

function setBusy(role, step) {
  uploads += step;
  form.toggleAttribute("data-uploading", uploads > 0);
  (fieldOf(role) ?? kept()).querySelector("[data-input-busy]").hidden = step < 0;
}

/** Whether files are still on their way. */
export const isUploading = () => uploads > 0;

function showError(role, text) {
  const place = (fieldOf(role) ?? kept()).querySelector("[data-input-error]");
  place.textContent = text;
  place.hidden = !text;
  if (text) place.setAttribute("role", "alert");
}

/* ---- buttons ---- */

function onClick({ target }) {
  const button = target.closest("button");
  if (!button) return;
  const field = button.closest("[data-input]");
  const item = button.closest("[data-item]");
  if ("removeItem" in button.dataset) {
    item.remove();
    notify.changed(field ? `id_file_${field.dataset.input}` : "id_prompt");
  }
  if ("moveItem" in button.dataset) {
    item.previousElementSibling.before(item);
    notify.changed();
  }
  if ("drawMask" in button.dataset) drawMask(field);
}

/** Open the mask editor over the picture that the request is about, and upload what was drawn. */
async function drawMask(field) {
  const image = fieldOf("image")?.querySelector("[data-full]")?.dataset.full;
  if (!image) return;
  const role = field.dataset.input;
  const drawn = field.querySelector("[data-full]")?.dataset.full;
  const { openMaskEditor } = await import("./mask_editor.js");
  const mask = drawn ? await fetch(drawn).then((response) => (response.ok ? response.blob() : null)) : null;
  const key = new URL(image, location.href).pathname;
  const blob = await openMaskEditor({ image, mask, key }).catch((problem) => {
    if (problem.name !== "EncodingError" && !(problem instanceof RangeError)) throw problem;
    const texts = document.getElementById("mask-editor").dataset;
    notice(problem instanceof RangeError ? texts.tooLarge : texts.unreadable);
  });
  if (!blob) return;
  maskKeys.add(key);
  await upload(role, [new File([blob], "mask.png", { type: "image/png" })]);
}

/* ---- the picker, which is a dialog outside of the form ---- */

document.addEventListener("click", ({ target }) => {
  const picked = target.closest("[data-pick-image]");
  if (!picked) return;
  const dialog = picked.closest("dialog");
  add(dialog.dataset.role, [picked.dataset.pickImage]);
  dialog.close();
});
