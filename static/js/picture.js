// The picture page: keyboard and gestures for its neighbours and zoom, and the way back.
import "./image_tags.js";
import { handleGestures } from "./gestures.js";
import { zoomable } from "./zoom.js";

const find = (selector) => document.querySelector(selector);

/* ---- history: Close returns to where the visitor came from, however many pictures were viewed since ---- */

const referrer = document.referrer && new URL(document.referrer);
const cameFromList = referrer && referrer.origin === location.origin && /\/(create|library|credits)\//.test(referrer.pathname);
const depth = history.state?.depth ?? (cameFromList ? 1 : Number(sessionStorage.getItem("depth")));
sessionStorage.removeItem("depth");
if (depth) history.replaceState({ depth }, "");

/** Tell the next picture page how many history entries it is away from the list. */
const passDepth = (added) => depth && sessionStorage.setItem("depth", String(depth + added));

function replacePage(address) {
  passDepth(0);
  location.replace(address);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const isModified = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || event.defaultPrevented || isModified) return;
  if (link.matches("[data-close]") && depth) {
    event.preventDefault();
    history.go(-depth);
  } else if (link.pathname.includes("/picture/") && !link.target) {
    event.preventDefault();
    replacePage(link.href);
  }
});
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) passDepth(1); // a plain form adds a history entry
});
document.addEventListener("portal:gone", ({ detail }) => replacePage(detail.value));

/* ---- keyboard ---- */

const click = (selector) => find(selector)?.click();

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (event.target.matches('[role="slider"]') && event.key !== "Escape") return; // the divider of before and after
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (find("details.menu[open], dialog[open], :popover-open")) return; // Escape closes that first
  if (event.key === "ArrowLeft") click('[rel="prev"]');
  if (event.key === "ArrowRight") click('[rel="next"]');
  if (event.key === "Escape") click("[data-close]");
}, { capture: true });

/* ---- the picture ---- */

const stage = find(".stage-picture");
const picture = find("[data-large]");
if (picture) {
  const link = find("[data-zoom]");
  if (!picture.complete) {
    picture.style.backgroundImage = `url("${picture.dataset.small}")`; // until the original has loaded
    picture.addEventListener("load", () => { picture.style.backgroundImage = ""; }, { once: true });
  }
  const navigate = (relation) => click(relation === "close" ? "[data-close]" : `[rel="${relation}"]`);
  handleGestures(stage, link, zoomable(picture, stage), navigate);
}

/** Load the neighbours' originals once this picture is complete and the browser is idle. */
function preload() {
  if (navigator.connection?.saveData) return;
  for (const arrow of ["next", "prev"].map((relation) => find(`[rel="${relation}"]`)).filter(Boolean)) {
    const image = new Image();
    image.fetchPriority = "low";
    image.src = arrow.dataset.original;
  }
}
addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(preload), { once: true });

find(".strip [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
