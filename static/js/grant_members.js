// The grant form: filter members by name, select those shown, calculate the total.
import { credits } from "./page.js";

const form = document.querySelector("[data-grant-form]");
const checkboxes = [...form.querySelectorAll('[name="members"]')];
const selectAll = form.querySelector("[data-all]");
const filter = form.querySelector("[data-member-filter]");

const shownCheckboxes = () => checkboxes.filter((checkbox) => !checkbox.closest("[data-row]").hidden);

/** The amount field in hundredths of a credit; 0 while it holds no valid amount. */
function amount() {
  const text = form.elements.amount.value.trim();
  return /^\d+(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : 0;
}

function showTotals() {
  const count = checkboxes.filter((checkbox) => checkbox.checked).length;
  const total = count * amount();
  const remaining = Number(form.dataset.pool) + ("reclaims" in form.dataset ? total : -total);
  form.querySelector("[data-count]").textContent = String(count);
  form.querySelector("[data-total]").textContent = credits(total);
  const remainingField = form.querySelector("[data-remaining]");
  remainingField.textContent = credits(remaining);
  remainingField.classList.toggle("is-short", remaining < 0);
  const shown = shownCheckboxes();
  selectAll.checked = shown.length > 0 && shown.every((checkbox) => checkbox.checked);
  selectAll.indeterminate = !selectAll.checked && shown.some((checkbox) => checkbox.checked);
}

filter.addEventListener("input", () => {
  const text = filter.value.trim().toLocaleLowerCase();
  for (const checkbox of checkboxes) {
    const row = checkbox.closest("[data-row]");
    row.hidden = !row.querySelector("[data-name]").textContent.toLocaleLowerCase().includes(text);
  }
  showTotals();
});
filter.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault(); // the filter does not submit the grant
});
selectAll.addEventListener("change", () => {
  for (const checkbox of shownCheckboxes()) checkbox.checked = selectAll.checked;
  showTotals();
});
form.addEventListener("input", showTotals);
showTotals();
