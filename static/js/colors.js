/* Fields of colors: text `#rrggbb #rrggbb`, a picker that adds one, and a chip for each that takes it out. */

const COLOR = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i;
const written = (field) => field.value.split(/[\s,]+/).filter(Boolean);

function set(field, colors) {
  field.value = colors.join(" ");
  field.dispatchEvent(new Event("input", { bubbles: true })); // the draft keeps it, and the chips follow
}

/** Show a chip for each color of a field. */
function show(field) {
  const chips = document.querySelector(`[data-colors-of="${field.name}"]`);
  const buttons = written(field).filter((color) => COLOR.test(color)).map((color) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "color-chip";
    button.dataset.color = color;
    button.title = `${chips.dataset.remove} ${color}`;
    button.setAttribute("aria-label", button.title);
    button.style.backgroundColor = color.startsWith("#") ? color : `#${color}`;
    return button;
  });
  chips.replaceChildren(...buttons);
}

const showAll = () => document.querySelectorAll("[data-colors]").forEach(show);

document.addEventListener("input", ({ target }) => target.matches?.("[data-colors]") && show(target));
document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("[data-add-color]")) return;
  const field = document.querySelector(`[data-colors][name="${target.dataset.addColor}"]`);
  const kept = written(field).slice(0, Number(field.dataset.colors) - 1);
  set(field, [...kept, target.value]);
});
document.addEventListener("click", ({ target }) => {
  const chip = target.closest?.(".color-chip");
  if (!chip) return;
  const field = document.querySelector(`[data-colors][name="${chip.parentElement.dataset.colorsOf}"]`);
  set(field, written(field).filter((color) => color !== chip.dataset.color));
  field.focus();
});
document.addEventListener("htmx:load", showAll);
showAll();
