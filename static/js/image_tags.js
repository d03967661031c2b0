// The picture page's title, tags and collections: a changed title is submitted, tags are suggested.
import { onTagSuggestions } from "./tag_completion.js";

document.addEventListener("change", ({ target }) => target.closest("[data-submit-on-change]")?.requestSubmit());

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-focus]");
  if (!link) return;
  event.preventDefault();
  link.closest("details")?.removeAttribute("open");
  const field = document.getElementById(link.dataset.focus);
  field.scrollIntoView({ block: "center" });
  field.focus();
});

onTagSuggestions((field, tags) => {
  field.list?.replaceChildren(...tags.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
});

document.addEventListener("toggle", ({ target }) => {
  const isOpened = target.matches("details.collection-menu[open]");
  if (isOpened && matchMedia("(hover: hover)").matches) target.querySelector("input[type=search]").focus();
}, { capture: true });
