// The library page: endless scrolling, density, keyboard navigation, and the count of new pictures.
import "./bulk_actions.js";
import "./filters.js";
import { density, layOut, layOutNextPage, nextPage } from "./justified_rows.js";
import { announce, fill } from "./page.js";
import { clearSelection, selectAdded, toggle } from "./selection.js";

/* ---- endless scrolling: the next page is loaded well before it is visible ---- */

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) window.htmx.trigger(target, "reached");
}, { rootMargin: "2000px 0px" });
function observeNextPage() {
  if (nextPage()) observer.observe(nextPage());
}
observeNextPage();
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

/* ---- keyboard ---- */

const shownPictures = () => [...document.querySelectorAll(".rows > li:not(.is-removed, .is-pending) > .picture")];
const isTextField = (element) => element.matches("input:not(.select-box), textarea, select");

/** The picture above (-1) or below (1): in the adjacent row, the one whose centre is nearest. */
function verticalNeighbour(picture, pictures, direction) {
  const box = picture.getBoundingClientRect();
  const centre = (box.left + box.right) / 2;
  let nearest = null;
  let rowTop = null;
  for (let index = pictures.indexOf(picture) + direction; pictures[index]; index += direction) {
    const { top, left, right } = pictures[index].getBoundingClientRect();
    if (Math.abs(top - box.top) < 2) continue;
    rowTop ??= top;
    if (Math.abs(top - rowTop) > 2) break;
    const distance = Math.abs((left + right) / 2 - centre);
    if (!nearest || distance < nearest.distance) nearest = { distance, picture: pictures[index] };
  }
  return nearest?.picture;
}

function neighbour(key) {
  const pictures = shownPictures();
  const index = pictures.indexOf(document.activeElement);
  if (index < 0) return pictures.find((picture) => picture.getBoundingClientRect().bottom > 120);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  return step ? pictures[index + step] : verticalNeighbour(pictures[index], pictures, key === "ArrowUp" ? -1 : 1);
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const { key, target } = event;
  const isInGrid = target === document.body || target.id === "main" || target.closest(".rows");
  if (key === "/" && !isTextField(target)) {
    event.preventDefault();
    document.getElementById("search").select();
  } else if (key === "Escape") {
    if (isTextField(target)) target.blur();
    else if (!document.querySelector("details.menu[open]")) clearSelection();
  } else if (/^Arrow/.test(key) && !isTextField(target) && isInGrid) {
    const next = neighbour(key);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } else if ((key === "x" || key === " ") && target.matches(".rows .picture")) {
    event.preventDefault();
    toggle(target.parentElement);
  }
});

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
