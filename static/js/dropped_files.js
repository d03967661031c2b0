// Files that are dropped anywhere on a page or pasted into it: the page takes them, and the browser never opens
// one in its place.

let isOwnDrag = false; // a picture of this page that is dragged carries a file too

addEventListener("dragstart", () => {
  isOwnDrag = true;
});
for (const name of ["dragend", "pointerdown"]) {
  addEventListener(name, () => {
    isOwnDrag = false;
  });
}

const isEditable = (element) => element.matches?.("input, textarea, [contenteditable]");

/**
 * Take the files that are dropped or pasted on this page: `take(files, target)`, with the element below the pointer or
 * the one that has the focus. While files are dragged, `over(target)` is called, and `over(null)` when they are gone.
 */
export function takeFiles({ take, over = () => {} }) {
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (!isOwnDrag) over(event.target);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(null);
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over(null);
    const files = [...event.dataTransfer.files];
    if (files.length && !isOwnDrag) take(files, event.target);
  });
  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // What office programs copy is a text and a picture of it: in a text field it is the text that is wanted.
    if (!files.length || (types.includes("text/plain") && isEditable(event.target))) return;
    event.preventDefault();
    take([...files], event.target);
  });
}
