// Uploads to the library: files selected on the upload page, dropped or pasted on any page of the library, sent one
// after another.
import { takeFiles } from "./dropped_files.js";
import { csrfToken, goToSignIn, notice, parse } from "./page.js";

const MAX_BYTES = 10 * 1024 * 1024;
const template = document.querySelector("template[data-upload]");
const list = document.querySelector("[data-upload-list]");
const form = document.querySelector("[data-upload-form]");
const panel = document.querySelector("[data-upload-panel]");
const overlay = document.querySelector("[data-upload-overlay]");

let queue = Promise.resolve(); // each file waits for the one before

/** Show one of the item's texts: sending, checking, lost, large, or refused by a proxy. */
function showState(item, state) {
  for (const text of item.querySelectorAll("[data-while]")) text.hidden = text.dataset.while !== state;
  if (["lost", "large", "proxy"].includes(state)) {
    item.classList.add("is-refused");
    item.querySelector("progress").remove();
  }
}

/** Send one file; its item in the list is replaced by the server's. */
function send(file, visibility, item) {
  return new Promise((resolve) => {
    if (file.size > MAX_BYTES) {
      showState(item, "large");
      return resolve();
    }
    const request = new XMLHttpRequest(); // fetch reports no upload progress
    const data = new FormData();
    data.append("image", file);
    if (visibility) data.append("visibility", visibility);
    request.open("POST", template.dataset.upload);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.upload.onprogress = (event) => {
      item.querySelector("progress").value = event.loaded / event.total;
      showState(item, event.loaded < event.total ? "sending" : "checking");
    };
    request.onload = () => {
      if (request.getResponseHeader("HX-Redirect")) return goToSignIn();
      const result = parse(request.response).querySelector(".upload-item");
      if (result) item.replaceWith(result);
      else showState(item, request.status === 413 ? "proxy" : "lost"); // 413 comes from a proxy's limit
      resolve();
    };
    request.onerror = request.ontimeout = () => {
      showState(item, "lost");
      resolve();
    };
    showState(item, "sending");
    request.send(data);
  });
}

function upload(files, visibility) {
  if (panel) panel.hidden = false;
  for (const file of files) {
    const item = template.content.firstElementChild.cloneNode(true);
    item.querySelector(".upload-name").textContent = file.name;
    list.append(item);
    queue = queue.then(() => send(file, visibility, item));
  }
  const last = queue;
  queue.then(() => {
    const done = document.querySelector("[data-upload-done]");
    if (done && last === queue) done.hidden = false;
  });
}

const refusal = document.querySelector("[data-upload-refused]");
if (refusal) takeFiles({ take: () => notice(refusal.textContent) });

if (template && list) {
  const dropArea = form?.querySelector("[data-upload-drop]");
  takeFiles({
    take: (files) => upload(files, form?.elements.visibility.value),
    over: (target) => {
      if (overlay) overlay.hidden = !target;
      dropArea?.classList.toggle("is-over", Boolean(target));
    },
  });
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    upload([...form.elements.image.files], form.elements.visibility.value);
    form.elements.image.value = "";
  });
  form?.elements.image.addEventListener("change", () => {
    if (form.elements.image.files.length) form.requestSubmit();
  });
  document.querySelector("[data-upload-close]")?.addEventListener("click", () => {
    panel.hidden = true;
  });
  addEventListener("beforeunload", (event) => {
    if (list.querySelector(".is-sending:not(.is-refused)")) event.preventDefault();
  });
}
