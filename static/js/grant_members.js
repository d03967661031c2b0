// Choosing members for a grant: find some, tick all that are shown, see what it comes to.
import { credits } from "./page.js";

const form = document.querySelector("[data-share]");
const ticks = [...form.querySelectorAll('[name="members"]')];
const all = form.querySelector("[data-all]");
const find = form.querySelector("[data-find]");

const shown = () => ticks.filter((tick) => !tick.closest("[data-row]").hidden);

/** Hundredths of what was typed; nothing while it is no amount. */
function typed() {
  const text = form.elements.amount.value.trim();
  return /^\d+(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : 0;
}

function reckon() {
  const count = ticks.filter((tick) => tick.checked).length;
  const total = count * typed();
  const left = Number(form.dataset.pool) + ("back" in form.dataset ? total : -total);
  form.querySelector("[data-count]").textContent = String(count);
  form.querySelector("[data-total]").textContent = credits(total);
  const rest = form.querySelector("[data-left]");
  rest.textContent = credits(left);
  rest.classList.toggle("is-short", left < 0);
  const these = shown();
  all.checked = these.length > 0 && these.every((tick) => tick.checked);
  all.indeterminate = !all.checked && these.some((tick) => tick.checked);
}

find.addEventListener("input", () => {
  const words = find.value.trim().toLocaleLowerCase();
  for (const tick of ticks) {
    const row = tick.closest("[data-row]");
    row.hidden = !row.querySelector("[data-name]").textContent.toLocaleLowerCase().includes(words);
  }
  reckon();
});
find.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault(); // finding someone sends nothing
});
all.addEventListener("change", () => {
  for (const tick of shown()) tick.checked = all.checked;
  reckon();
});
form.addEventListener("input", reckon);
reckon();
