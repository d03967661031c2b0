// Acting on what is chosen: what is seen changes at once, the server says how it went, and Undo takes it back.
import { notice, portal } from "./page.js";
import { chosen, clear, isEverything, tell } from "./selection.js";
import { layOut } from "./library_rows.js";

const form = document.getElementById("selection");
const place = document.getElementById("deed");
const item = (id) => document.querySelector(`.rows > li[data-id="${id}"]`);
const AWAY = { trash: true, restore: false };
const LIKED = { like: true, unlike: false };
let acted = []; // the pictures of the last deed that are on this page
let done = 0;

const wanted = (button) => (button?.name === "act" ? button.value : button?.name) || (form.elements.tag?.value ? "tag" : "collect");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { submitter } = event;
  const values = new FormData(form, submitter);
  if (isEverything()) values.delete("image");
  const path = submitter?.getAttribute("formaction") ?? form.action;
  const act = submitter?.hasAttribute("formaction") ? "" : wanted(submitter);
  for (const menu of form.querySelectorAll("details[open]")) menu.open = false;
  if (submitter?.matches("[data-for-one]")) {
    return window.htmx.ajax("GET", `${path}?image=${chosen()[0]}`, { target: "body", swap: "beforeend" });
  }
  if (act) begin(act);
  window.htmx.ajax("POST", path, { target: "#deed", swap: "innerHTML", values });
});

/** What can be shown before the answer is there. */
function begin(act) {
  acted = chosen();
  // What follows on the page is gone too, or will be in a moment.
  const older = document.querySelector("#pictures > .older");
  if (older && act === "trash" && isEverything()) older.hidden = true;
  show(act, acted);
  for (const name of ["tag", "name"]) if (form.elements[name]) form.elements[name].value = "";
  if (act in AWAY) clear();
}

function show(act, ids) {
  if (!(act in AWAY) && !(act in LIKED)) return;
  const lists = new Set();
  for (const id of ids) {
    const one = item(id);
    if (!one) continue;
    if (act in LIKED) one.querySelector(".heart").hidden = !LIKED[act];
    else one.classList.toggle("is-gone", AWAY[act]);
    lists.add(one.parentElement);
  }
  const older = document.querySelector("#pictures > .older");
  if (older && act === "restore") older.hidden = false;
  if (act in AWAY) layOut(lists);
  tell();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "deed") return;
  clearTimeout(done);
  const deed = place.querySelector("[data-deed]");
  if (!deed) return; // a zip on its way
  if ("failed" in deed.dataset) return failed();
  if (!("ended" in deed.dataset)) return;
  const { act, left, undoes } = deed.dataset;
  if (undoes) show(undoes === "take_out" ? "restore" : act, acted);
  else if (act === "trash" && left) show("restore", left.split(" "));
  if (act === "take_out" && !undoes) away();
  window.htmx.trigger(document.body, "library-changed");
  done = setTimeout(() => place.replaceChildren(), deed.querySelector("form") ? 20000 : 6000);
});
document.addEventListener("htmx:sendError", () => failed(portal.offline));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.target === place) failed(portal.failed);
});

function failed(words) {
  show("restore", acted);
  if (words) notice(words);
  done = setTimeout(() => place.replaceChildren(), 8000);
}

/** What was taken out of the collection that the page shows. */
function away() {
  if (new URLSearchParams(location.search).has("collection")) {
    show("trash", acted);
    clear();
  }
}
