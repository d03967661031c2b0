// Keys in the library: they move from picture to picture, select, and act on what is selected or has the focus.
import { focusPicture, neighbour } from "./grid_focus.js";
import { addKeys, isField } from "./keys.js";
import { look } from "./look.js";
import { clearSelection, extendSelection, isAllSelected, selectMore, selectedIds, toggle, withSelected } from "./selection.js";

const form = document.getElementById("selection");
const find = (selector) => form.querySelector(selector);
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const shownPictures = () => [...document.querySelectorAll(".rows > li:not(.is-removed, .is-pending) > .picture")];
const focused = () => document.activeElement?.closest?.(".rows > li")?.querySelector(".picture") ?? null;
const hasSelection = () => isAllSelected() || selectedIds().length > 0;
const hasPictures = () => document.querySelector(".rows > li");
const canAct = () => hasSelection() || focused();

const isInGrid = (target) => target === document.body || target.id === "main" || target.closest(".rows");

function move({ key, target, shiftKey }) {
  const next = isInGrid(target) && neighbour(key);
  if (!next) return false;
  const before = focused();
  focusPicture(next);
  if (shiftKey) extendSelection(before?.parentElement ?? next.parentElement, next.parentElement);
  return true;
}

/* ---- what is done to pictures ---- */

/** Press a button of the selection bar for what is selected, or else for the picture with the focus. */
function press(button) {
  const submit = () => form.requestSubmit(button);
  if (hasSelection()) submit();
  else withSelected(focused().parentElement, submit);
}

function like() {
  const isLiked = hasSelection() ? false : !focused().parentElement.querySelector(".heart").hidden;
  press(find(`[name="act"][value="${isLiked ? "unlike" : "like"}"]`));
}

function trash() {
  const pictures = shownPictures();
  const at = pictures.indexOf(focused());
  press(find('[name="act"][value="trash"]'));
  const rest = shownPictures();
  const next = pictures.slice(at).find((one) => rest.includes(one)) ?? rest.at(-1);
  if (at >= 0 && next) focusPicture(next);
}

/** Open a menu of the selection bar; its first field gets the focus. */
function open(menu) {
  if (!hasSelection()) toggle(focused().parentElement);
  menu.open = true;
  menu.querySelector("input:not([type=hidden]), select, button").focus();
}

/** The one picture that a key is about: the selected one, or that with the focus. */
function onlyId() {
  if (!hasSelection()) return focused()?.parentElement.dataset.id;
  return !isAllSelected() && selectedIds().length === 1 ? selectedIds()[0] : null;
}
const addressFor = (pattern, id) => pattern.replace(form.dataset.anyImage, id);

function download() {
  const id = onlyId();
  if (!id) return open(find("[data-zip-menu]"));
  const link = document.createElement("a");
  link.href = `${addressFor(form.dataset.download, id)}?format=stored`;
  link.download = "";
  link.click();
}

const reuse = (use) => location.assign(`${form.dataset.create}?image=${onlyId()}&use=${use}`);
const canReuse = () => hasPictures() && form.dataset.create;
const can = (selector) => () => hasPictures() && find(selector);

addKeys(
  { keys: ARROWS, shown: 4, text: "move", when: hasPictures, run: move },
  { keys: ARROWS.map((arrow) => `shift+${arrow}`), text: "extend", when: hasPictures, run: move },
  { keys: ["mod+a"], text: "chooseAll", when: hasPictures, run: selectMore },
  {
    keys: ["x", " "],
    shown: 2,
    text: "choose",
    when: hasPictures,
    run: ({ target }) => (target.matches(".rows .picture") ? toggle(target.parentElement) : false),
  },
  { keys: ["f"], text: "favourite", when: hasPictures, run: () => canAct() && like() },
  { keys: ["t"], text: "tag", when: can("[data-tag-menu]"), run: () => canAct() && open(find("[data-tag-menu]")) },
  { keys: ["d"], text: "download", when: hasPictures, run: () => canAct() && download() },
  { keys: ["Delete", "Backspace"], text: "trash", when: can('[value="trash"]'), run: () => canAct() && trash() },
  { keys: ["r"], text: "useAll", when: canReuse, run: () => onlyId() && reuse("all") },
  { keys: ["shift+r"], text: "remix", when: canReuse, run: () => onlyId() && reuse("remix") },
  { keys: ["z"], text: "large", when: hasPictures, run: () => focused() && showLarge() },
  { keys: ["i"], text: "details", when: hasPictures, run: () => focused()?.click() },
  { keys: ["/"], text: "search", run: () => document.getElementById("search").select() },
  {
    keys: ["Escape"],
    text: "clear",
    inFields: true,
    run: ({ target }) => (isField(target) ? target.blur() : clearSelection()),
  },
);

/* ---- large ---- */

const isPicture = (picture) => picture.querySelector("img.sharp");
const large = (picture) => ({
  address: addressFor(form.dataset.original, picture.parentElement.dataset.id),
  words: picture.querySelector("img.sharp").alt,
});

/** Show the picture with the focus large; a text or a file is opened instead. */
function showLarge() {
  let picture = focused();
  if (!isPicture(picture)) return picture.click();
  look(large(picture), (direction) => {
    const pictures = shownPictures().filter(isPicture);
    const next = pictures[pictures.indexOf(picture) + direction];
    if (!next) return null;
    picture = next;
    picture.scrollIntoView({ block: "nearest" });
    return large(picture);
  });
  document.getElementById("look").addEventListener("close", () => focusPicture(picture), { once: true });
}
