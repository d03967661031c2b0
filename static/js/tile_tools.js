// What is done with a finished picture of the stream: its heart, its menu, the trash, with a way to undo it.
import { addressOf, csrfToken, generationOf, notice, parse, portal } from "./page.js";
import { act, leaveAfter, onResult } from "./picture_actions.js";
import { filledIn } from "./stream_parts.js";
import { apply } from "./tiles.js";
import { whenOpened } from "./when_opened.js";

const status = document.getElementById("bulk-action");
const tileOf = (generation) => document.getElementById(`tile-${generation}`);
const UNDO_SHOWN = 20000; // milliseconds; the server takes it for longer
const TOLD_SHOWN = 6000;

/* ---- favourite ---- */

const isLiked = (button) => button.getAttribute("aria-pressed") === "true";

/** Mark the picture at once, and take it back if the server refuses. */
async function like(button) {
  const on = !isLiked(button);
  const show = (isOn) => button.setAttribute("aria-pressed", String(isOn));
  show(on);
  const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
  const body = new URLSearchParams({ on: on ? "1" : "0" });
  const response = await fetch(button.dataset.like, { method: "POST", headers, body, redirect: "manual" }).catch(() => null);
  if (response?.ok) return;
  show(!on);
  notice(response ? portal.failed : portal.offline);
}

/* ---- trash ---- */

function trash(button) {
  const image = button.dataset.trashPicture;
  const tile = document.querySelector(`.tile[data-image="${CSS.escape(image)}"]`);
  const generation = generationOf(tile);
  tile.classList.add("is-removed");
  const takeBack = () => tileOf(generation)?.classList.remove("is-removed");
  act(status.dataset.actions, { act: "trash", image }, { ids: [generation], takeBack });
}

async function reload(generation) {
  const response = await fetch(addressOf(portal.tileAddress, generation), { redirect: "error" }).catch(() => null);
  if (response?.ok) apply.tile(parse(await response.text()).querySelector(".tile").outerHTML);
}

onResult((result, generations) => {
  if (!("finished" in result.dataset)) return;
  if (result.dataset.action) generations.forEach(reload); // not of what was canceled
  leaveAfter(result.querySelector("form") ? UNDO_SHOWN : TOLD_SHOWN);
});

/* ---- the menu, one for all tiles ---- */

const MARGIN = 8; // pixels between the menu and the edges of the window

/** Fill in the menu for one tile and open it beside its button; on a phone it lies at the bottom. */
async function openMenu(button) {
  const template = await whenOpened("tile-menu");
  if (!template || !button.isConnected) return;
  document.querySelector(".tile-menu")?.remove();
  const tile = button.closest(".tile");
  const menu = filledIn(template, tile).querySelector(".tile-menu");
  if (!tile.matches(".tile-image")) for (const item of menu.querySelectorAll("[data-of-image]")) item.remove();
  if (!("seed" in tile.dataset)) menu.querySelector("[data-of-seed]").remove();
  document.body.append(menu);
  menu.addEventListener("toggle", ({ newState }) => newState === "closed" && close(menu, button));
  menu.showPopover();
  place(menu, button);
  button.setAttribute("aria-expanded", "true");
  menu.querySelector(".menu-item").focus();
  addEventListener("scroll", () => menu.isConnected && menu.hidePopover(), { once: true, passive: true });
}

function close(menu, button) {
  button.setAttribute("aria-expanded", "false");
  if (menu.contains(document.activeElement) || document.activeElement === document.body) button.focus({ preventScroll: true });
  menu.remove();
}

function place(menu, button) {
  if (innerWidth < 600) return;
  const box = button.getBoundingClientRect();
  const left = Math.max(MARGIN, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - MARGIN));
  const isAbove = box.bottom + menu.offsetHeight + MARGIN > innerHeight;
  const top = isAbove ? box.top - menu.offsetHeight - MARGIN / 2 : box.bottom + MARGIN / 2;
  menu.style.left = `${left}px`;
  menu.style.top = `${Math.max(MARGIN, Math.min(top, innerHeight - menu.offsetHeight - MARGIN))}px`;
}

/** The arrows go through the open menu. */
function moveFocus(menu, step) {
  const items = [...menu.querySelectorAll(".menu-item")];
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
}

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".tile-menu");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  moveFocus(menu, event.key === "ArrowDown" ? 1 : -1);
});

document.addEventListener("click", (event) => {
  const heart = event.target.closest("[data-like]");
  if (heart) like(heart);
  const bin = event.target.closest("[data-trash-picture]");
  if (bin) {
    bin.closest(".tile-menu")?.hidePopover();
    trash(bin);
  }
  const opener = event.target.closest("[data-tile-menu]");
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (opener && isPlain && "popover" in HTMLElement.prototype) {
    event.preventDefault();
    openMenu(opener);
  }
});
