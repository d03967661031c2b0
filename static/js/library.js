// The library page: endless scrolling, density, and the count of new pictures.
import "./bulk_actions.js";
import "./filters.js";
import "./library_keys.js";
import "./suggestions.js";
import { density, layOut, layOutNextPage, layOutPreviousPage, nextPage, previousPage } from "./justified_rows.js";
import { announce, fill } from "./page.js";
import { selectAdded } from "./selection.js";
import { holdStill, keepPlace, loadPart } from "./way_back.js";

const pictures = document.querySelector("#pictures.pictures"); // absent if there are none

/* ---- endless scrolling: the next page, or the previous one, is loaded well before it is visible ---- */

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    if (target === previousPage()) loadPreviousPage(target);
    else window.htmx.trigger(target, "reached");
  }
}, { rootMargin: "2000px 0px" });
function observeNextPage() {
  if (nextPage()) observer.observe(nextPage());
}
function observePreviousPage() {
  if (previousPage()) observer.observe(previousPage());
}
observeNextPage();
observePreviousPage();
const isNextPage = ({ detail }) => detail.pathInfo?.requestPath.includes("before=");
document.addEventListener("htmx:afterSwap", (event) => {
  if (!isNextPage(event)) return;
  layOutNextPage();
  selectAdded();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (isNextPage(event)) observeNextPage(); // htmx has processed the new element only now
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!isNextPage(event) || event.detail.successful) return;
  observer.disconnect();
  setTimeout(observeNextPage, 5000);
});

async function loadPreviousPage(place) {
  observer.unobserve(place);
  const address = new URL(place.querySelector("a").href); // to a page around the first picture
  address.searchParams.set("after", address.searchParams.get("at"));
  address.searchParams.delete("at");
  const page = await loadPart(address);
  if (!place.isConnected) return;
  if (!page) return setTimeout(observePreviousPage, 5000);
  holdStill(pictures.querySelector(".rows > li:not(.is-pending, .is-removed)"), () => {
    place.replaceWith(page);
    layOutPreviousPage();
  });
  selectAdded();
  observePreviousPage();
}

/* ---- the way back ---- */

/** Replace the pictures by those around one of them. */
async function loadAround(id) {
  const address = new URL(location.href);
  for (const name of ["before", "after"]) address.searchParams.delete(name);
  address.searchParams.set("at", id);
  const page = await loadPart(address);
  if (!page) return;
  observer.disconnect();
  pictures.replaceChildren(page);
  window.htmx.process(pictures);
  layOut();
  selectAdded();
  observeNextPage();
  observePreviousPage();
}

if (pictures) {
  keepPlace({
    item: "#pictures .rows > li",
    idOf: (element) => element.dataset.id,
    find: (id) => pictures.querySelector(`.rows > li[data-id="${CSS.escape(id)}"]:not(.is-removed, .is-pending)`),
    load: loadAround,
  });
}

/* ---- density ---- */

const densityButtons = document.querySelectorAll("[data-density]");
function showDensity() {
  for (const button of densityButtons) button.setAttribute("aria-pressed", String(button.dataset.density === density()));
}
showDensity();
for (const button of densityButtons) {
  button.addEventListener("click", () => {
    localStorage.setItem("density", button.dataset.density);
    showDensity();
    layOut();
  });
}

/* ---- new pictures: counted without moving the page ---- */

const pill = document.getElementById("newer");
async function countNewer() {
  if (document.hidden || pill.dataset.paused !== undefined) return;
  const address = `${pill.dataset.countUrl}&first=${pill.dataset.first}`;
  const response = await fetch(address, { headers: { Accept: "application/json" }, redirect: "error" }).catch(() => null);
  if (!response?.ok) return;
  const { count } = await response.json();
  const text = count === 1 ? pill.dataset.singular : fill(pill.dataset.plural, { n: count >= 99 ? "99+" : count });
  if (count && pill.hidden) announce(text);
  pill.hidden = !count;
  pill.querySelector("span").textContent = text;
}
if (pill) {
  setInterval(countNewer, 20000);
  addEventListener("visibilitychange", () => setTimeout(countNewer, 500));
}
