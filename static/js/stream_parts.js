// What every finished picture and every batch of the stream has alike stands once on the page, in templates, and is put
// into each as it comes: tools of a tile, links and menu of a batch. Without scripts a tile leads to its picture's page
// and a menu to the details, which offer the same.
import { generationOf, parse } from "./page.js";
import { whenOpened } from "./when_opened.js";

const stream = document.getElementById("batches");
const [tools, links] = ["tile-tools", "batch-links"].map((id) => document.getElementById(id));
const MAX_TITLE = 400; // characters of a prompt that are shown while the mouse is on its beginning
// Twins of the ids in templates/jobs/live/tile_tools.html and templates/jobs/create/when_opened.html.
const ANY_GENERATION = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const ANY_IMAGE = "00000000-0000-0000-0000-000000000000";

/** A template with the ids of a tile's generation and image in place of those that stand for any. */
export const filledIn = (template, tile) => {
  const ofGeneration = template.innerHTML.replaceAll(ANY_GENERATION, generationOf(tile));
  return parse(ofGeneration.replaceAll(ANY_IMAGE, tile.dataset.image ?? ""));
};

function addTools(tile) {
  if (tile.querySelector(":scope > .tile-tools")) return;
  const added = filledIn(tools, tile);
  added.querySelector("[data-like]").setAttribute("aria-pressed", String("liked" in tile.dataset));
  tile.append(added);
}

const firstTile = (batch) => batch.querySelector(".tile");

function addLinks(batch) {
  if (batch.querySelector(".batch-actions > a")) return;
  const heading = batch.querySelector(".batch-prompt");
  if ("prompt" in heading.dataset) heading.title = promptOf(heading).slice(0, MAX_TITLE);
  batch.querySelector("[data-batch-menu]")?.before(filledIn(links, firstTile(batch)));
}

/** The whole prompt: the heading shows its beginning if it is long. */
const promptOf = ({ dataset, textContent }) => dataset.prompt || textContent.trim();

/** Fill in the menu of a batch when it is opened. */
function fillMenu(details, menu) {
  const batch = details.closest(".batch");
  const items = filledIn(menu, firstTile(batch));
  const heading = batch.querySelector(".batch-prompt");
  const copyButton = items.querySelector("[data-copy]");
  if ("prompt" in heading.dataset) copyButton.dataset.copy = promptOf(heading);
  else copyButton.remove();
  details.querySelector(".menu-body").replaceChildren(items);
}

document.addEventListener("click", async (event) => {
  const details = event.target.closest("summary")?.closest("[data-batch-menu]");
  if (!details || details.open) return;
  event.preventDefault(); // it opens when it is filled in; as it is, with the details, if that cannot be had
  const menu = await whenOpened("batch-menu");
  if (menu) fillMenu(details, menu);
  details.open = true;
});

/** Those of this kind that are or contain an element. */
const within = (element, selector) => [...(element.matches(selector) ? [element] : []), ...element.querySelectorAll(selector)];

function complete(element) {
  for (const tile of within(element, ".tile-done:not(.tile-text, .tile-style)")) addTools(tile);
  for (const batch of within(element, "[data-batch]")) addLinks(batch);
}

complete(stream);
new MutationObserver((records) => {
  for (const { addedNodes } of records) for (const node of addedNodes) if (node.isConnected && node.matches?.(".tile, .batch")) complete(node);
}).observe(stream, { childList: true, subtree: true });
