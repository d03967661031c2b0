// The trash: how many pictures are selected.
import "./justified_rows.js";
import { announce, countText } from "./page.js";

const form = document.querySelector(".trash-form");

function showCount() {
  const count = form.querySelectorAll(".trashed-select:checked").length;
  const place = form.querySelector("[data-selected]");
  place.textContent = countText(place.dataset, count);
  if (count) announce(place.textContent);
}

if (form) {
  form.addEventListener("change", showCount);
  form.addEventListener("reset", () => setTimeout(showCount)); // the boxes are cleared after the event
  showCount(); // a browser may have kept what was selected before
}
