// A press of Generate shows its batch at once, with a tile of the right shape for each picture. The server's batch takes
// its place, whether it comes as the response or as an event; if the form is refused, it goes again.
import { countNewAbove } from "./above.js";

const form = () => document.getElementById("create-form");
const batches = document.getElementById("batches");
const batchTemplate = document.getElementById("pending-batch");
const tileTemplate = document.getElementById("pending-tile");
const LARGEST_COUNT = 10;
const SHAPES = ["21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21"];

const pendingOf = (submission) => document.querySelector(`[data-pending="${CSS.escape(submission)}"]`);

/** The shape that the pictures will have: the chosen one, or nearest to that of the picture they are made from. */
function chosenShape(values) {
  const chosen = values.get("aspect_ratio");
  if (SHAPES.includes(chosen)) return chosen;
  const image = form().querySelector(".input-item > img");
  if (!image?.naturalWidth) return "1:1";
  const ratio = Math.log(image.naturalWidth / image.naturalHeight);
  const distance = (shape) => {
    const [across, down] = shape.split(":").map(Number);
    return Math.abs(Math.log(across / down) - ratio);
  };
  return SHAPES.reduce((nearest, shape) => (distance(shape) < distance(nearest) ? shape : nearest));
}

/** Whether the server may take the form, as far as the page can know. */
function mayBeTaken(values) {
  const needsPrompt = form().matches("[data-needs-prompt]");
  return !(needsPrompt && !values.get("prompt").trim()) && !document.getElementById("generate").matches(".is-missing");
}

function show() {
  const values = new FormData(form());
  const submission = values.get("submission");
  if (!mayBeTaken(values) || pendingOf(submission)) return;
  const count = Math.min(LARGEST_COUNT, Math.max(1, Math.floor(Number(values.get("count"))) || 1));
  const shape = chosenShape(values);
  const batch = batchTemplate.content.firstElementChild.cloneNode(true);
  const model = form().querySelector('[name="model"]:checked')?.closest(".card")?.querySelector(".name").textContent;
  batch.dataset.pending = submission;
  batch.classList.add(`batch-${count}`);
  batch.querySelector(".batch-prompt").textContent = values.get("prompt") || model;
  for (const [part, text] of [["model", model], ["shape", values.get("aspect_ratio")]]) {
    const element = batch.querySelector(`[data-${part}]`);
    if (text) element.textContent = text;
    else element.remove();
  }
  const tile = tileTemplate.content.firstElementChild;
  tile.classList.add(`ratio-${shape.replace(":", "x")}`);
  batch.querySelector(".tiles").append(...Array.from({ length: count }, () => tile.cloneNode(true)));
  tile.className = "tile tile-waiting";
  toggleIntroduction(false);
  batches.prepend(batch);
  if (matchMedia("(max-width: 899px)").matches) batch.scrollIntoView({ behavior: "smooth", block: "center" });
  else countNewAbove(batch);
}

/** The introduction is not shown beside pictures, and comes back if the first form was refused. */
function toggleIntroduction(isShown) {
  const introduction = document.getElementById("first-run");
  if (!introduction) return;
  introduction.hidden = !isShown;
  document.querySelector(".stream-head").hidden = isShown;
}

/** Whether an event is about a request of the form; the answer may have replaced the element that sent it. */
const isForm = ({ detail }) => detail.requestConfig.elt.id === "create-form";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isForm(event) && !event.defaultPrevented) show();
});
/** Take away what stood for batches that are there now. */
function settle() {
  for (const pending of document.querySelectorAll("[data-pending]")) {
    if (document.querySelector(`[data-submission="${CSS.escape(pending.dataset.pending)}"]`)) pending.remove();
  }
}

document.addEventListener("htmx:afterSwap", settle);
document.addEventListener("portal:batch-added", ({ detail: batch }) => {
  if (!pendingOf(batch.dataset.submission)) countNewAbove(batch);
  settle();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!isForm(event)) return;
  const pending = document.querySelectorAll("[data-pending]");
  if (!pending.length) return;
  for (const batch of pending) batch.remove(); // the batch is there, or it was refused
  toggleIntroduction(!document.querySelector("[data-batch]"));
});
