// The picture page: keys and gestures for its neighbours, zoom and actions, and the way back.
import "./image_tags.js";
import { handleGestures } from "./gestures.js";
import { addKeys, isField } from "./keys.js";
import { rememberPicture } from "./way_back.js";
import { zoomable } from "./zoom.js";

const find = (selector) => document.querySelector(selector);

/* ---- history: Close returns to where the visitor came from, however many pictures were viewed since ---- */

const referrer = document.referrer && new URL(document.referrer);
const cameFromList = referrer && referrer.origin === location.origin && /\/(create|library|credits)\//.test(referrer.pathname);
const depth = history.state?.depth ?? (cameFromList ? 1 : Number(sessionStorage.getItem("depth")));
sessionStorage.removeItem("depth");
if (depth) history.replaceState({ depth }, "");

const [, shownPicture] = location.pathname.match(/\/picture\/([0-9a-f-]+)/) ?? [];
if (shownPicture) addEventListener("pageshow", () => rememberPicture(shownPicture));

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
  } else if (link.matches("[data-close]") && shownPicture) {
    const list = new URL(link.href); // opened in a tab of its own: the library begins at this picture
    list.searchParams.set("at", shownPicture);
    link.href = list;
  } else if (link.pathname.includes("/picture/") && !link.target) {
    event.preventDefault();
    replacePage(link.href);
  }
});
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) passDepth(1); // a plain form adds a history entry
});
document.addEventListener("portal:gone", ({ detail }) => replacePage(detail.value));

/* ---- the picture ---- */

const click = (selector) => find(selector)?.click();
const stage = find(".stage-picture");
let zoom = null;
const picture = find("[data-large]");
if (picture) {
  const link = find("[data-zoom]");
  if (!picture.complete) {
    picture.style.background = `url("${picture.dataset.small}") center / cover`; // until the original has loaded
    picture.addEventListener("load", () => { picture.style.background = ""; }, { once: true });
  }
  const navigate = (relation) => click(relation === "close" ? "[data-close]" : `[rel="${relation}"]`);
  zoom = zoomable(picture, stage);
  handleGestures(stage, link, zoom, navigate);
}

/* ---- keys ---- */

const DETAILS = "details"; // in sessionStorage: "off" while the panel is put away, also on the neighbours' pages
const page = find(".picture-page");

function showDetails(isOn) {
  page.classList.toggle("without-details", !isOn);
  if (isOn) sessionStorage.removeItem(DETAILS);
  else sessionStorage.setItem(DETAILS, "off");
}
showDetails(sessionStorage.getItem(DETAILS) !== "off");

/** A key that presses what is on the page. */
const presses = (keys, text, selector) => ({ keys, text, when: () => find(selector), run: () => click(selector) });

function stageCentre() {
  const box = stage.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

addKeys(
  {
    keys: ["ArrowLeft", "ArrowRight"],
    shown: 2,
    text: "neighbours",
    when: () => find('[rel="prev"], [rel="next"]'),
    run: ({ key }) => click(key === "ArrowLeft" ? '[rel="prev"]' : '[rel="next"]'),
  },
  presses(["f"], "favourite", "#heart-button"),
  {
    keys: ["t"],
    text: "tag",
    when: () => find("#add-tag"),
    run: () => { showDetails(true); find("#add-tag").focus(); },
  },
  presses(["d"], "download", "[data-download]"),
  presses(["r"], "useAll", "[data-use-all]"),
  presses(["shift+r"], "remix", "[data-remix]"),
  { keys: ["z"], text: "zoom", when: () => zoom, run: () => zoom.toggle(stageCentre()) },
  { keys: ["i"], text: "details", run: () => showDetails(page.classList.contains("without-details")) },
  presses(["Delete", "Backspace"], "trash", "[data-trash]"),
  {
    keys: ["Escape"],
    text: "close",
    inFields: true,
    run: ({ target }) => (isField(target) ? target.blur() : click("[data-close]")),
  },
);

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
