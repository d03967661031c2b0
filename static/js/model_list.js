// The list of models on Create: found by typing or by their system, chosen with the keyboard.
// #choices is rendered anew with each model; what was typed stays.
import { complete } from "./whole_lists.js";

const found = { text: "", system: "" };
const all = (selector) => [...document.querySelectorAll(`#part-model ${selector}`)];
const search = () => all("[data-search-models]")[0];
const cardsInSight = () => all(".card").filter((card) => card.checkVisibility());
const wordsOf = (card) =>
  `${card.querySelector(".name").textContent} ${card.querySelector(".clause").textContent} ${card.dataset.words}`.toLowerCase();

const whole = () => complete(all("#cards")[0]); // a promise: only then all models can be found

/** Show the models that hold all words that were typed, of the chosen system. */
function filter() {
  const words = found.text.toLowerCase().split(/\s+/);
  all("#cards")[0]?.classList.toggle("is-searched", Boolean(found.text.trim() || found.system));
  for (const group of all("[data-system-cards]")) {
    const isOfSystem = !found.system || group.dataset.systemCards === found.system;
    for (const card of group.querySelectorAll(".card")) {
      const said = wordsOf(card);
      card.hidden = !isOfSystem || !words.every((word) => said.includes(word));
    }
    group.hidden = !group.querySelector(".card:not([hidden])");
  }
  for (const chip of all("[data-system]")) chip.setAttribute("aria-pressed", String(chip.dataset.system === found.system));
  for (const nothing of all("[data-no-model]")) nothing.hidden = all(".card:not([hidden])").length > 0;
}

/** Show what was typed and chosen in a list that was rendered anew; a list without a search begins anew. */
export function keepModelSearch() {
  const field = search();
  if (!field || !all("[data-system]").some(({ dataset }) => dataset.system === found.system)) found.system = "";
  if (!field) found.text = "";
  else field.value = found.text;
  filter();
}

function choose(card) {
  const radio = card?.querySelector("input");
  if (!radio) return;
  radio.focus();
  if (!radio.checked) radio.click();
}

/** Enter and the arrow down lead from the search to the list, a letter from the list to the search. */
function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (target.matches("[data-search-models]") && (key === "Enter" || key === "ArrowDown")) {
    event.preventDefault(); // Enter in a field of the form would send it
    whole().then(() => (key === "ArrowDown" || found.text.trim()) && choose(cardsInSight()[0]));
  } else if (target.matches('[name="model"]') && key === "Enter") {
    event.preventDefault();
    choose(target.closest(".card"));
  } else if (target.matches('[name="model"]') && key.length === 1 && key !== " ") {
    search()?.focus(); // which gets the letter
  }
}

/** Set up the list of a form. */
export function setUpModelList(form) {
  form.addEventListener("keydown", onKey);
  form.addEventListener("focusin", ({ target }) => target.matches("[data-search-models]") && whole());
  form.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-search-models]")) return;
    found.text = target.value;
    whole().then(filter);
  });
  form.addEventListener("click", ({ target }) => {
    const chip = target.closest("[data-system]");
    if (!chip) return;
    found.system = chip.dataset.system === found.system ? "" : chip.dataset.system;
    whole().then(filter);
  });
}
