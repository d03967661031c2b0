// Bulk actions on selected pictures: the page changes at once, the server reports the result, Undo reverts it.
import { layOut, nextPage } from "./justified_rows.js";
import { act, leaveAfter, onResult } from "./picture_actions.js";
import { clearSelection, isAllSelected, selectedIds, showSelection } from "./selection.js";

const form = document.getElementById("selection");
const itemOf = (id) => document.querySelector(`.rows > li[data-id="${id}"]`);
const REMOVES = { trash: true, restore: false };
const LIKES = { like: true, unlike: false };
const UNDO_SHOWN = 20000; // milliseconds
const TOLD_SHOWN = 6000;

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
  if (submitter?.matches("[data-opens-dialog]")) {
    return window.htmx.ajax("POST", path, { target: "body", swap: "beforeend", values });
  }
  act(path, values, action ? showBeforeResponse(action) : undefined);
});

/** Show the expected result before the server responds; returns the pictures, and how to show them as they were. */
function showBeforeResponse(action) {
  const ids = selectedIds();
  const hearts = action in LIKES ? ids.map((id) => itemOf(id)?.querySelector(".heart")).filter(Boolean) : [];
  const wereHidden = hearts.map((heart) => heart.hidden);
  if (nextPage() && action === "trash" && isAllSelected()) nextPage().hidden = true; // those pages are trashed too
  showResult(action, ids);
  for (const name of ["tag", "name"]) if (form.elements[name]) form.elements[name].value = "";
  if (action in REMOVES) clearSelection();
  const takeBack = () => {
    if (action in REMOVES) showResult("restore", ids);
    for (const [index, heart] of hearts.entries()) heart.hidden = wereHidden[index];
  };
  return { ids, takeBack };
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

onResult((result, ids) => {
  if (!("finished" in result.dataset)) return;
  const { action, unchanged, undoes } = result.dataset;
  if (undoes) showResult(undoes === "take_out" ? "restore" : action, ids);
  else if (action === "trash" && unchanged) showResult("restore", unchanged.split(" "));
  if (action === "take_out" && !undoes) hideTakenOut(ids);
  window.htmx.trigger(document.body, "library-changed");
  leaveAfter(result.querySelector("form") ? UNDO_SHOWN : TOLD_SHOWN);
});

/** Hide pictures that were removed from the collection that this page shows. */
function hideTakenOut(ids) {
  if (new URLSearchParams(location.search).has("collection")) {
    showResult("trash", ids);
    clearSelection();
  }
}
