// The stream of batches on Create: what is new above, pending and ready batches, tools of tiles, the size of the pictures,
// newer and older parts, and the way back to a picture.
import "./above.js";
import "./pending.js";
import "./ready.js";
import "./stream_parts.js";
import "./tile_tools.js";
import { csrfToken, generationOf, notice, portal } from "./page.js";
import { applyEarly, showTotals } from "./tiles.js";
import { holdStill, keepPlace, loadPart } from "./way_back.js";

const sizes = document.querySelector("[data-stream-size]");
const batches = document.getElementById("batches");

function showSize(size) {
  batches.dataset.size = size;
  for (const button of sizes.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === size));
}

/** Show the pictures in that size at once, and have the server remember it. */
async function chooseSize(size) {
  const top = document.elementFromPoint(batches.getBoundingClientRect().left + 40, innerHeight / 3)?.closest(".batch");
  showSize(size);
  top?.scrollIntoView({ block: "start" });
  const body = new URLSearchParams({ size });
  const headers = { "X-CSRFToken": csrfToken() };
  const response = await fetch(sizes.action, { method: "POST", headers, body, redirect: "manual" }).catch(() => null);
  if (!response || response.status >= 400) notice(response ? portal.failed : portal.offline);
}

sizes.addEventListener("submit", (event) => {
  event.preventDefault();
  chooseSize(event.submitter.value);
});

/* ---- parts of the stream: older ones come by htmx, newer ones above what is looked at ---- */

const previousPage = () => batches.querySelector(":scope > .previous-page");
const nextPage = () => batches.querySelector(":scope > .next-page");
const RETRY = 5000; // milliseconds

const ends = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) loadNextPage(target);
}, { rootMargin: "300px 0px" });

function loadNextPage(place) {
  ends.unobserve(place);
  if (!place.matches(".htmx-request")) window.htmx.trigger(place, "reached");
}

function observeNextPage() {
  if (nextPage()) ends.observe(nextPage());
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt === nextPage() && !detail.successful) setTimeout(observeNextPage, RETRY);
});
document.addEventListener("htmx:afterSettle", observeNextPage); // htmx has processed the new one only now

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) loadPreviousPage(target);
}, { rootMargin: "1000px 0px" });

function observePreviousPage() {
  if (previousPage()) observer.observe(previousPage());
}

/** A day has one heading, though each part of the stream has one for its first batch. */
function dropRepeatedDays() {
  const days = new Set();
  for (const heading of batches.querySelectorAll(":scope > .day")) {
    if (days.has(heading.dataset.day)) heading.remove();
    days.add(heading.dataset.day);
  }
}

async function loadPreviousPage(place) {
  observer.unobserve(place);
  const part = await loadPart(place.dataset.address);
  if (!place.isConnected) return;
  if (!part) {
    setTimeout(observePreviousPage, RETRY);
    return;
  }
  for (const batch of part.querySelectorAll("[data-batch]")) if (document.getElementById(batch.id)) batch.remove();
  const added = [...part.children];
  batches.classList.add("is-held"); // the browser holds nothing still itself meanwhile
  // Not the first batch: large pictures stand beside each other, and an odd number above them moves them up a row.
  holdStill(lookedAt() ?? batches.querySelector(":scope > .previous-page ~ [data-batch]"), () => {
    place.replaceWith(part);
    dropRepeatedDays();
  });
  requestAnimationFrame(() => batches.classList.remove("is-held"));
  for (const element of added) window.htmx.process(element);
  applyEarly();
  showTotals();
  observePreviousPage();
}

/** Replace the stream by the part around a picture. */
async function loadAround(id) {
  const part = await loadPart(`${portal.stream}?at=${id}`);
  if (!part) return;
  batches.replaceChildren(part);
  window.htmx.process(batches);
  observeNextPage();
  dropRepeatedDays();
  applyEarly();
  showTotals();
  observePreviousPage();
}

document.addEventListener("htmx:afterSwap", dropRepeatedDays);
dropRepeatedDays();

const lookedAt = keepPlace({
  item: "#batches .tile",
  idOf: (tile) => tile.dataset.image ?? generationOf(tile),
  find: (id) => batches.querySelector(`.tile[data-image="${CSS.escape(id)}"]`) ?? document.getElementById(`tile-${id}`),
  load: loadAround,
});
observePreviousPage(); // on the way back the page begins further down
document.addEventListener("DOMContentLoaded", observeNextPage); // htmx has processed the page only then
