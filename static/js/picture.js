// Looking at a picture large: keys, fingers and the mouse go to its neighbours, zoom it, and lead back.
import "./image_tags.js";
import { touching } from "./gestures.js";
import { zoomable } from "./zoom.js";

const find = (selector) => document.querySelector(selector);

/* ---- the way back: however many pictures were looked at, the library is as many steps behind ---- */

const came = document.referrer && new URL(document.referrer);
const isFrom = came && came.origin === location.origin && /\/(create|library|credits)\//.test(came.pathname);
const depth = history.state?.depth ?? (isFrom ? 1 : Number(sessionStorage.getItem("depth")));
sessionStorage.removeItem("depth");
if (depth) history.replaceState({ depth }, "");

/** The next page comes in place of this one, or behind it (`steps` 1). */
const willBe = (steps) => depth && sessionStorage.setItem("depth", String(depth + steps));

function replace(address) {
  willBe(0);
  location.replace(address);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.matches("[data-close]") && depth) {
    event.preventDefault();
    history.go(-depth);
  } else if (link.pathname.includes("/picture/") && !link.target) {
    event.preventDefault();
    replace(link.href);
  }
});
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) willBe(1); // a plain form leaves this page behind the next
});
document.addEventListener("portal:gone", ({ detail }) => replace(detail.value));

/* ---- keys ---- */

const press = (selector) => find(selector)?.click();

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (find("details.menu[open], dialog[open], :popover-open")) return; // Escape closes that first
  if (event.key === "ArrowLeft") press('[rel="prev"]');
  if (event.key === "ArrowRight") press('[rel="next"]');
  if (event.key === "Escape") press("[data-close]");
}, { capture: true });

/* ---- the picture ---- */

const stage = find(".stage-picture");
const picture = find("[data-large]");
if (picture) {
  const link = find("[data-zoom]");
  if (!picture.complete) {
    picture.style.backgroundImage = `url("${picture.dataset.small}")`; // until its own bytes are there
    picture.addEventListener("load", () => { picture.style.backgroundImage = ""; }, { once: true });
  }
  touching(stage, link, zoomable(picture, stage), (way) => press(way === "close" ? "[data-close]" : `[rel="${way}"]`));
  sessionStorage.setItem("looked-at", location.pathname.split("/").at(-2)); // where the library goes on
}

/** The neighbours' bytes, once this picture's are there and the browser has nothing better to do. */
function preload() {
  if (navigator.connection?.saveData) return;
  for (const arrow of ["next", "prev"].map((way) => find(`[rel="${way}"]`)).filter(Boolean)) {
    const image = new Image();
    image.fetchPriority = "low";
    image.src = arrow.dataset.original;
  }
}
addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(preload), { once: true });

find(".strip [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
