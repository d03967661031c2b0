// A picture of the grid large, over the page: arrow keys go on, Escape, z and a click close it.
const dialog = document.getElementById("look");

/** Show a picture; `step` takes -1 or 1, and returns the next { address, words } or nothing. */
export function look(shown, step) {
  const picture = dialog.querySelector("img");
  const show = ({ address, words }) => {
    picture.src = address;
    picture.alt = words;
  };
  dialog.onkeydown = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const direction = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (event.key === "z") dialog.close();
    if (!direction) return;
    event.preventDefault();
    const next = step(direction);
    if (next) show(next);
  };
  show(shown);
  dialog.showModal();
}

dialog?.addEventListener("click", () => dialog.close());
dialog?.addEventListener("close", () => dialog.querySelector("img").removeAttribute("src"));
