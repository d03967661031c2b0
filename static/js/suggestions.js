// The library's search field suggests filters while one types: people, models, collections, tags. A combobox with a
// list box, as in the ARIA Authoring Practices Guide ("Combobox Pattern"); without it the field searches for words.
import { announce, countText } from "./page.js";

const DELAY = 60; // milliseconds without typing before the server is asked
const field = document.getElementById("search");
const list = document.getElementById("search-suggestions");
const form = field.form;
let request = null; // an AbortController, of the latest question
let timer = 0;
let active = -1; // the option that the arrow keys have reached

field.setAttribute("role", "combobox");
field.setAttribute("aria-autocomplete", "list");
field.setAttribute("aria-controls", list.id);
field.setAttribute("aria-expanded", "false");

const options = () => [...list.children];

function close() {
  clearTimeout(timer);
  request?.abort();
  list.hidden = true;
  field.setAttribute("aria-expanded", "false");
  activate(-1);
}

function activate(index) {
  active = index;
  options().forEach((option, number) => option.setAttribute("aria-selected", String(number === index)));
  const option = options()[index];
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

/** An option: what kind of filter it is, and its name; the form's address with it is where it leads. */
function optionOf({ kind, title, address }, number) {
  const option = document.createElement("li");
  Object.assign(option, { id: `suggestion-${number}`, className: "menu-item" });
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.address = address;
  const [label, name] = [document.createElement("span"), document.createElement("bdi")];
  label.className = "kind";
  label.textContent = kind;
  name.textContent = title;
  option.append(label, " ", name);
  return option;
}

function show(suggestions) {
  list.replaceChildren(...suggestions.map(optionOf));
  activate(-1);
  list.hidden = !suggestions.length;
  field.setAttribute("aria-expanded", String(!list.hidden));
  if (suggestions.length) announce(countText(list.dataset, suggestions.length));
}

async function ask() {
  request?.abort();
  request = new AbortController();
  const address = `${form.dataset.suggest}?${new URLSearchParams(new FormData(form))}`;
  const manner = { headers: { Accept: "application/json" }, signal: request.signal, redirect: "error" };
  const response = await fetch(address, manner).catch(() => null); // the next letter asks again
  if (response?.ok) show((await response.json()).suggestions);
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  if (field.value.trim()) timer = setTimeout(ask, DELAY);
  else close();
});
field.addEventListener("blur", close);
field.addEventListener("keydown", (event) => {
  if (list.hidden || event.isComposing) return;
  const count = options().length;
  if (event.key === "ArrowDown") activate(active + 1 < count ? active + 1 : -1);
  else if (event.key === "ArrowUp") activate(active < 0 ? count - 1 : active - 1);
  else if (event.key === "Enter" && active >= 0) location.assign(options()[active].dataset.address);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
});
list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
list.addEventListener("click", ({ target }) => {
  const option = target.closest("[role=option]");
  if (option) location.assign(option.dataset.address);
});
