// The queue page polls itself every two seconds, but not while it is hidden or one of its menus is open.

const isPoll = (event) => event.detail.elt.matches("[data-queue-poll]") && !event.detail.requestConfig?.triggeringEvent;
const isInUse = () =>
  document.querySelector("[data-queue-poll] details[open]") || document.activeElement?.matches("[data-queue-poll] select");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPoll(event) && (document.hidden || isInUse())) event.preventDefault();
});

let tableScroll = 0;
document.addEventListener("htmx:beforeSwap", (event) => {
  // A response to a request from before a menu was opened would close it.
  if (event.detail.requestConfig?.elt?.matches("[data-queue-poll]") && isInUse()) event.detail.shouldSwap = false;
  tableScroll = document.getElementById("calls-per-minute-table")?.scrollTop ?? 0;
});
document.addEventListener("htmx:afterSwap", () => {
  const table = document.getElementById("calls-per-minute-table");
  if (table) table.scrollTop = tableScroll;
});

function showDisconnected(event) {
  if (!event.detail.elt.matches("[data-queue-poll]")) return;
  const live = document.querySelector(".queue .live");
  live.classList.add("is-disconnected");
  live.firstElementChild.textContent = live.dataset.disconnected;
}
document.addEventListener("htmx:sendError", showDisconnected);
document.addEventListener("htmx:responseError", showDisconnected);
