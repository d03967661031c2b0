// Bulk actions on selected pictures: the page changes at once, the server reports the result, Undo reverts it.
import { layOut, nextPage } from "./justified_rows.js";
import { notice, portal } from "./page.js";
import { clearSelection, isAllSelected, selectedIds, showSelection } from "./selection.js";

const form = document.getElementById("selection");
const status = document.getElementById("bulk-action");
const itemOf = (id) => document.querySelector(`.rows > li[data-id="${id}"]`);
const REMOVES = { trash: true, restore: false };
const LIKES = { like: true, unlike: false };
let affectedIds = []; // the pictures of the last bulk action that are on this page
let clearTimer = 0;

const actionOf = (button) =>
  (button?.name === "act" ? button.value : button?.name) || (form.elements.tag?.value ? "tag" : "collect");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { submitter } = event;
  const values = new FormData(form, submitter);
  if (isAllSelected()) values.delete("image");
  const path = submitter?.getAttribute("formaction") ?? form.action;
  const action = submitter?.hasAttribute("formaction") ? "" : actionOf(submitter);
  for (const menu of form.querySelectorAll("details[open]")) menu.open = false;
  if (submitter?.matches("[data-single-only]")) {
    return window.htmx.ajax("GET", `${path}?image=${selectedIds()[0]}`, { target: "body", swap: "beforeend" });
  }
  if (action) showBeforeResponse(action);
  window.htmx.ajax("POST", path, { target: "#bulk-action", swap: "innerHTML", values });
});

/** Show the expected result before the server responds. */
function showBeforeResponse(action) {
  affectedIds = selectedIds();
  if (nextPage() && action === "trash" && isAllSelected()) nextPage().hidden = true; // those pages are trashed too
  showResult(action, affectedIds);
  for (const name of ["tag", "name"]) if (form.elements[name]) form.elements[name].value = "";
  if (action in REMOVES) clearSelection();
}

function showResult(action, ids) {
  if (!(action in REMOVES) && !(action in LIKES)) return;
  const changedLists = new Set();
  for (const id of ids) {
    const item = itemOf(id);
    if (!item) continue;
    if (action in LIKES) item.querySelector(".heart").hidden = !LIKES[action];
    else item.classList.toggle("is-removed", REMOVES[action]);
    changedLists.add(item.parentElement);
  }
  if (nextPage() && action === "restore") nextPage().hidden = false;
  if (action in REMOVES) layOut(changedLists);
  showSelection();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "bulk-action") return;
  clearTimeout(clearTimer);
  const result = status.querySelector("[data-bulk-action]");
  if (!result) return; // the panel of a zip
  if ("failed" in result.dataset) return revert();
  if (!("finished" in result.dataset)) return;
  const { action, unchanged, undoes } = result.dataset;
  if (undoes) showResult(undoes === "take_out" ? "restore" : action, affectedIds);
  else if (action === "trash" && unchanged) showResult("restore", unchanged.split(" "));
  if (action === "take_out" && !undoes) hideTakenOut();
  window.htmx.trigger(document.body, "library-changed");
  clearTimer = setTimeout(() => status.replaceChildren(), result.querySelector("form") ? 20000 : 6000);
});
document.addEventListener("htmx:sendError", () => revert(portal.offline));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.target === status) revert(portal.failed);
});

/** Show the pictures again after a failure. */
function revert(text) {
  showResult("restore", affectedIds);
  if (text) notice(text);
  clearTimer = setTimeout(() => status.replaceChildren(), 8000);
}

/** Hide pictures that were removed from the collection that this page shows. */
function hideTakenOut() {
  if (new URLSearchParams(location.search).has("collection")) {
    showResult("trash", affectedIds);
    clearSelection();
  }
}
