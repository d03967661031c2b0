// The library's page: rows without end, keys, news, and the modules that it is made of.
import "./bulk_actions.js";
import "./filters.js";
import { clear, mark, toggle } from "./selection.js";
import { say, speak } from "./page.js";
import { density, layOut, takeOver } from "./library_rows.js";

layOut();

/* ---- without end: the next page is asked for long before it is seen ---- */

const reach = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) window.htmx.trigger(target, "reached");
}, { rootMargin: "2000px 0px" });
const watch = () => {
  const older = document.querySelector("#pictures > .older");
  if (older) reach.observe(older);
};
watch();
const isPage = ({ detail }) => detail.pathInfo?.requestPath.includes("before=");
document.addEventListener("htmx:afterSwap", (event) => {
  if (!isPage(event)) return;
  takeOver();
  mark();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (isPage(event)) watch(); // not before htmx knows the new end, which it does only now
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!isPage(event) || event.detail.successful) return;
  reach.disconnect();
  setTimeout(watch, 5000);
});

/* ---- two densities ---- */

function press() {
  for (const button of document.querySelectorAll("[data-density]")) button.setAttribute("aria-pressed", String(button.dataset.density === density()));
}
press();
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-density]");
  if (!button) return;
  localStorage.setItem("density", button.dataset.density);
  press();
  layOut();
});

/* ---- keys ---- */

const pictures = () => [...document.querySelectorAll(".rows > li:not(.is-gone, .is-held) > .picture")];
const isTyping = (element) => element.matches("input:not(.pick), textarea, select");

/** The picture above or below: the one whose middle is nearest, in the next row that way. */
function beside(from, every, way) {
  const box = from.getBoundingClientRect();
  const middle = (box.left + box.right) / 2;
  let best = null;
  let row = null;
  const [start, step] = [every.indexOf(from) + way, way];
  for (let at = start; every[at]; at += step) {
    const { top, left, right } = every[at].getBoundingClientRect();
    if (Math.abs(top - box.top) < 2) continue;
    row ??= top;
    if (Math.abs(top - row) > 2) break;
    const away = Math.abs((left + right) / 2 - middle);
    if (!best || away < best.away) best = { away, picture: every[at] };
  }
  return best?.picture;
}

function move(key) {
  const every = pictures();
  const at = every.indexOf(document.activeElement);
  if (at < 0) return every.find((one) => one.getBoundingClientRect().bottom > 120);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  return step ? every[at + step] : beside(every[at], every, key === "ArrowUp" ? -1 : 1);
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const { key, target } = event;
  if (key === "/" && !isTyping(target)) {
    event.preventDefault();
    document.getElementById("search").select();
  } else if (key === "Escape") {
    if (isTyping(target)) target.blur();
    else if (!document.querySelector("details.menu[open]")) clear();
  } else if (/^Arrow/.test(key) && !isTyping(target) && (target === document.body || target.id === "main" || target.closest(".rows"))) {
    const next = move(key);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } else if ((key === "x" || key === " ") && target.matches(".rows .picture")) {
    event.preventDefault();
    toggle(target.parentElement);
  }
});

/* ---- news: what came since, told without moving the page ---- */

const pill = document.getElementById("newer");
async function ask() {
  if (document.hidden || pill.dataset.still !== undefined) return;
  const answer = await fetch(`${pill.dataset.ask}&first=${pill.dataset.first}`, { headers: { Accept: "application/json" }, redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const { count } = await answer.json();
  const words = count === 1 ? pill.dataset.one : say(pill.dataset.many, { n: count >= 99 ? "99+" : count });
  if (count && pill.hidden) speak(words);
  pill.hidden = !count;
  pill.querySelector("span").textContent = words;
}
if (pill) setInterval(ask, 20000);
addEventListener("visibilitychange", () => setTimeout(ask, 500));
