// The pictures of a request on Create: chosen, dropped, pasted, taken from the library, drawn as a mask.
// A file is uploaded at once; the form holds ids, and the server shows each picture with what is wrong with it.
import { csrfToken, goToSignIn, notice, portal } from "./page.js";

let form;
let notify; // changed: shows the form with its pictures as they are now; failed: an upload was not possible
let uploads = 0; // that are under way
const maskKeys = new Set(); // pictures whose drawn masks are stored in this browser until they are sent

const fields = () => [...form.querySelectorAll("[data-input]")];
const fieldOf = (role) => form.querySelector(`[data-input="${role}"]`);
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
  form.addEventListener("dragover", (event) => {
    const field = fieldFor(event);
    for (const each of fields()) each.classList.toggle("is-over", each === field);
    if (field) event.preventDefault();
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) for (const each of fields()) each.classList.remove("is-over");
  });
  form.addEventListener("drop", (event) => {
    for (const each of fields()) each.classList.remove("is-over");
    addFiles(event, event.dataTransfer);
  });
  form.addEventListener("paste", (event) => addFiles(event, event.clipboardData));
  form.addEventListener("click", onClick);
}

/** Forget masks that were stored until now: they are sent. */
export async function deleteStoredMasks() {
  if (!maskKeys.size) return;
  const { deleteMask } = await import("./mask_store.js");
  await Promise.all([...maskKeys].map(deleteMask));
  maskKeys.clear();
}

/** The field that takes files dropped or pasted here: the one below the pointer, or the first that has room. */
function fieldFor({ target }) {
  return target.closest?.("[data-input]") ?? fields().find((field) => roomIn(field) > 0 && !isMask(field)) ?? fields()[0];
}

function addFiles(event, { files }) {
  const images = [...files].filter((file) => file.type.startsWith("image/"));
  const field = fieldFor(event);
  if (!images.length || !field) return;
  event.preventDefault();
  upload(field.dataset.input, images);
}

/** Add pictures by their ids; in a role that takes one, the new one replaces it. */
function add(role, ids) {
  const field = fieldOf(role);
  if (!field) return; // another model was chosen meanwhile
  if (Number(field.dataset.maximum) === 1) for (const item of itemsOf(field)) item.remove();
  for (const id of ids) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: `input_${role}`, value: id });
    field.append(input);
  }
  notify.changed();
}

/* ---- uploads ---- */

async function upload(role, files) {
  const field = fieldOf(role);
  const room = Math.max(1, roomIn(field));
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
  if (ids.length) add(role, ids);
  else notify.failed();
}

class UploadError extends Error {}

/** Upload a file; its id, or an UploadError that says why not. */
async function send(role, file) {
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
  const busy = fieldOf(role)?.querySelector("[data-input-busy]");
  if (busy) busy.hidden = step < 0;
}

/** Whether files are still on their way. */
export const isUploading = () => uploads > 0;

function showError(role, text) {
  const place = fieldOf(role)?.querySelector("[data-input-error]");
  if (!place) return text && notice(text);
  place.textContent = text;
  place.hidden = !text;
  if (text) place.setAttribute("role", "alert");
}

/* ---- buttons ---- */

function onClick({ target }) {
  const button = target.closest("button");
  const field = button?.closest("[data-input]");
  if (!field) return;
  const item = button.closest("[data-item]");
  if ("removeItem" in button.dataset) {
    item.remove();
    notify.changed(`id_file_${field.dataset.input}`);
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
