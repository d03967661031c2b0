// Pictures for the library: picked on the upload page or dropped anywhere on the library's, sent one by one.
import { toSignIn } from "./page.js";

const LARGEST = 10 * 1024 * 1024;
const template = document.querySelector("template[data-upload]");
const list = document.querySelector("[data-upload-list]");
const form = document.querySelector("[data-upload-form]");
const panel = document.querySelector("[data-upload-panel]");
const veil = document.querySelector("[data-upload-veil]");
const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

let turn = Promise.resolve(); // each file waits for the one before

function say(line, word) {
  for (const words of line.querySelectorAll("[data-while]")) words.hidden = words.dataset.while !== word;
  if (word === "lost" || word === "large") {
    line.classList.add("is-refused");
    line.querySelector("progress").remove();
  }
}

/** Sends one file; the line in the list becomes what the portal says of it. */
function send(file, visibility, line) {
  return new Promise((resolve) => {
    if (file.size > LARGEST) {
      say(line, "large");
      return resolve();
    }
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("image", file);
    if (visibility) body.append("visibility", visibility);
    request.open("POST", template.dataset.upload);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("X-CSRFToken", token());
    request.upload.onprogress = (event) => {
      line.querySelector("progress").value = event.loaded / event.total;
      say(line, event.loaded < event.total ? "sending" : "checking");
    };
    request.onload = () => {
      if (request.getResponseHeader("HX-Redirect")) return toSignIn();
      const answer = document.createElement("template");
      answer.innerHTML = request.response;
      const told = answer.content.querySelector(".upload-item");
      if (told) line.replaceWith(told);
      else say(line, "lost");
      resolve();
    };
    request.onerror = request.ontimeout = () => {
      say(line, "lost");
      resolve();
    };
    say(line, "sending");
    request.send(body);
  });
}

function bring(files, visibility) {
  if (panel) panel.hidden = false;
  for (const file of files) {
    const line = template.content.firstElementChild.cloneNode(true);
    line.querySelector(".upload-name").textContent = file.name;
    list.append(line);
    turn = turn.then(() => send(file, visibility, line));
  }
  const last = turn;
  turn.then(() => {
    const done = document.querySelector("[data-upload-done]");
    if (done && last === turn) done.hidden = false;
  });
}

// A picture of the page itself that somebody drags carries a file too.
let fromHere = false;
addEventListener("dragstart", () => {
  fromHere = true;
});
addEventListener("dragend", () => {
  fromHere = false;
});
const carriesFiles = (event) => !fromHere && event.dataTransfer?.types.includes("Files");

if (template && list) {
  const target = form ? form.querySelector("[data-upload-drop]") : document;
  const over = (is) => {
    if (veil) veil.hidden = !is;
    else target.classList.toggle("is-over", is);
  };
  target.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over(true);
  });
  target.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget || target !== document) over(false);
  });
  target.addEventListener("drop", (event) => {
    over(false);
    if (!carriesFiles(event)) return;
    event.preventDefault();
    bring([...event.dataTransfer.files], form?.elements.visibility.value);
  });
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    bring([...form.elements.image.files], form.elements.visibility.value);
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
