// The library's filter menus: they submit when they close, their choices can be filtered, tags are suggested.
import { onTagSuggestions } from "./tag_completion.js";

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("details.menu")) return;
  if (menu.open) {
    const field = menu.querySelector("input[data-filter-choices], input[name=tag], input[name=name], input[name=seed]");
    if (matchMedia("(hover: hover)").matches) field?.focus();
    keepInWindow(menu.querySelector(".menu-body"));
    return;
  }
  const form = menu.matches("[data-chip]") && menu.querySelector("form");
  const isChanged = (field) => field.type === "checkbox" && field.checked !== field.defaultChecked;
  if (form && [...form.elements].some(isChanged)) form.requestSubmit();
}, true);

/** Align a menu to its other side if it would leave the window. */
function keepInWindow(body) {
  if (!body || innerWidth < 600 || body.closest(".menu-up, .library-side")) return;
  body.style.left = body.style.right = "";
  const { left, right } = body.getBoundingClientRect();
  if (right > innerWidth - 8) Object.assign(body.style, { left: "auto", right: "0" });
  if (left < 8) Object.assign(body.style, { left: "0", right: "auto" });
}

document.addEventListener("input", ({ target: field }) => {
  if (!field.matches("[data-filter-choices]")) return;
  const words = field.value.toLocaleLowerCase().split(/\s+/);
  for (const choice of field.parentElement.querySelectorAll(".menu-choices > *")) {
    const text = choice.textContent.toLocaleLowerCase();
    choice.hidden = !words.every((word) => text.includes(word));
  }
});

/* ---- tag suggestions ---- */

onTagSuggestions((field, tags) => {
  let list = field.parentElement.querySelector(".completions");
  if (!list) {
    list = document.createElement("div");
    list.className = "completions";
    field.after(list);
  }
  list.replaceChildren(...tags.map(({ name, uses }) => suggestion(field, name, uses)));
});

function suggestion(field, name, uses) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "menu-item";
  const [label, number] = [document.createElement("bdi"), document.createElement("span")];
  label.textContent = name;
  number.textContent = uses;
  number.className = "number";
  button.append(label, number);
  button.addEventListener("click", () => {
    field.value = name;
    const submitter = field.form.id === "selection" ? field.parentElement.querySelector("[value=tag]") : null;
    field.form.requestSubmit(submitter);
  });
  return button;
}

document.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const field = event.target.closest?.("[data-tags], .completions")?.parentElement.querySelector("[data-tags]");
  const list = field?.parentElement.querySelector(".completions");
  if (!list) return;
  event.preventDefault();
  const buttons = [...list.children];
  const next = buttons[buttons.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  (next ?? field).focus();
});
