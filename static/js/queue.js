// The queue page asks for itself every two seconds: only while it is looked at, and not under somebody's hand.

const isPoll = (event) => event.detail.elt.matches("[data-now]") && !event.detail.requestConfig?.triggeringEvent;
const isInUse = () => document.querySelector("[data-now] details[open]") || document.activeElement?.matches("[data-now] select");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPoll(event) && (document.hidden || isInUse())) event.preventDefault();
});

// An answer that was on its way when a menu opened would close it.
let scrolled = 0;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig?.elt?.matches("[data-now]") && isInUse()) event.detail.shouldSwap = false;
  scrolled = document.getElementById("hour-table")?.scrollTop ?? 0;
});
document.addEventListener("htmx:afterSwap", () => {
  const table = document.getElementById("hour-table");
  if (table) table.scrollTop = scrolled;
});

function cut(event) {
  if (!event.detail.elt.matches("[data-now]")) return;
  const live = document.querySelector(".queue .live");
  live.classList.add("is-cut");
  live.firstElementChild.textContent = live.dataset.cut;
}
document.addEventListener("htmx:sendError", cut);
document.addEventListener("htmx:responseError", cut);
