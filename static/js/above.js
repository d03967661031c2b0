// What is new above the part of the stream that is on the screen: said, and a click goes there.
import { announce, fill, integer } from "./page.js";

const pill = document.getElementById("new-above");
const head = document.querySelector(".stream-head");
let isTopShown = true;
let count = 0;

function showCount() {
  pill.hidden = !count;
  pill.querySelector("[data-text]").textContent = fill(pill.dataset.text, { n: integer(count) });
}

/** Count the pictures of a batch that was put on top, if the top is not on the screen. */
export function countNewAbove(batch) {
  if (isTopShown || !scrollY) return;
  count += batch.querySelectorAll(".tile").length;
  showCount();
  announce(pill.textContent.trim());
}

new IntersectionObserver((entries) => {
  isTopShown = entries.at(-1).isIntersecting;
  if (!isTopShown) return;
  count = 0;
  showCount();
}, { rootMargin: "-60px 0px 0px" }).observe(head); // below the page's bar
pill.addEventListener("click", () => {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(".stream").scrollIntoView({ behavior: isCalm ? "instant" : "smooth" });
});
