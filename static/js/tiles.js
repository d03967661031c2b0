// What tiles show and what stands around them: progress, places, costs, ages, and how a change is taken over.
import { credits, notice, portal, say, speak, toSignIn } from "./page.js";

const live = document.getElementById("live");
const cancelAll = document.querySelector(".cancel-all");

/* ---- what a tile shows ---- */

const firstSeen = new WeakMap();
const isOver = (tile) => !["queued", "running", "storing"].includes(tile.dataset.status);

function tick() {
  for (const tile of document.querySelectorAll('[data-status="running"]')) {
    if (!firstSeen.has(tile)) firstSeen.set(tile, performance.now());
    const elapsed = Math.floor(Number(tile.dataset.elapsed) + (performance.now() - firstSeen.get(tile)) / 1000);
    const typical = Number(tile.dataset.typical);
    const late = elapsed > typical;
    tile.querySelector("progress").value = late ? 96 : Math.min(96, (100 * (elapsed + 1)) / typical);
    tile.querySelector("[data-seconds]").textContent = late ? portal.longer : say(portal.elapsed, { n: elapsed, m: typical });
  }
}

const ordinal = new Intl.PluralRules(document.documentElement.lang, { type: "ordinal" });

function place(tile, { position, seconds, notice: why }) {
  const words = position > 1 ? say(portal[ordinal.select(position)] ?? portal.other, { n: position }) : portal.next;
  tile.querySelector("[data-place]").textContent = words;
  const about = seconds < 120 ? say(portal.about, { n: seconds }) : say(portal.aboutMinutes, { n: Math.round(seconds / 60) });
  tile.querySelector("[data-about]").textContent = why || about;
  const ticks = tile.querySelector(".ticks");
  const marks = Array.from({ length: Math.min(position, 8) }, () => document.createElement("i"));
  ticks.replaceChildren(...marks, position > 8 ? "+" : "");
}

// Of mine that wait, those whose tiles are further down than this page has come.
let elsewhere = Math.max(0, Number(cancelAll?.dataset.waiting ?? 0) - document.querySelectorAll('.tile[data-status="queued"]').length);

function places(everyone) {
  elsewhere = Object.keys(everyone).filter((generation) => !document.getElementById(`tile-${generation}`)).length;
  for (const [generation, facts] of Object.entries(everyone)) {
    const tile = document.getElementById(`tile-${generation}`);
    if (tile?.dataset.status === "queued") place(tile, facts);
  }
}

/* ---- what stands around the tiles ---- */

function cost(batch) {
  const sums = { held: 0, settled: 0 };
  for (const tile of batch.querySelectorAll("[data-status]")) {
    const price = Number(tile.dataset.price);
    if (!isOver(tile)) sums.held += price;
    if (tile.dataset.status === "succeeded") sums.settled += price;
  }
  const held = sums.held && say(portal.held, { n: credits(sums.held) });
  const settled = sums.settled && say(sums.held ? portal.settled : portal.paid, { n: credits(sums.settled) });
  const words = [held, settled].filter(Boolean).join(", ");
  return words || (batch.matches(".batch-1") ? "" : portal.free); // a single tile says it itself
}

/** Writes only what differs, so that nothing is announced twice. */
function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

function offerToCancelAll() {
  const waiting = elsewhere + document.querySelectorAll('.tile[data-status="queued"]').length;
  const words = cancelAll.querySelector("[data-words]");
  setText(words, say(words.dataset.words, { n: waiting }));
  cancelAll.hidden = waiting < 2;
}

export function count() {
  if (cancelAll) offerToCancelAll();
  for (const batch of document.querySelectorAll("[data-batch]")) setText(batch.querySelector("[data-cost]"), cost(batch));
  if (!live || live.classList.contains("is-cut")) return;
  const number = (...states) => document.querySelectorAll(states.map((state) => `.tile[data-status="${state}"]`).join()).length;
  const drawing = number("running", "storing");
  const queued = number("queued");
  const words = [drawing && say(portal.drawing, { n: drawing }), queued && say(portal.waiting, { n: queued })].filter(Boolean);
  live.classList.toggle("is-still", !words.length);
  setText(live, words.join(", ") || (document.querySelector(".tile") ? portal.still : ""));
}

function ages() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000);
    if (minutes >= 1440) continue;
    time.textContent =
      minutes < 1 ? portal.justNow : minutes < 60 ? say(portal.minutes, { n: minutes }) : say(portal.hours, { n: Math.floor(minutes / 60) });
  }
}

/* ---- changes ---- */

function element(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

function replace(old, html) {
  const made = element(html);
  old.replaceWith(made);
  window.htmx?.process(made);
  return made;
}

function spoken(tile) {
  const state = tile.querySelector("[data-reason], .tile-state, .tile-canceled span") ?? tile.querySelector("img.sharp");
  speak(state?.alt ?? state?.textContent ?? "");
}

// A worker may be faster than the answer that brings the tile itself: its news waits for it.
const early = new Map();

export function catchUp() {
  for (const [id, html] of early) {
    if (!document.getElementById(id)) continue;
    early.delete(id);
    apply.tile(html);
  }
}

export const apply = {
  tile(html) {
    const made = element(html);
    const old = document.getElementById(made.id);
    if (!old) {
      early.set(made.id, html);
      if (early.size > 200) early.delete(early.keys().next().value);
      return;
    }
    if (isOver(old) && !isOver(made)) return; // older news: what ended never reopens
    const changed = old.dataset.status !== made.dataset.status;
    // A press of the keyboard stays where it was.
    const focused = old.contains(document.activeElement);
    const tile = replace(old, html);
    if (focused) tile.querySelector("a, button")?.focus();
    if (changed) spoken(tile);
    if (tile.closest("[data-reload]") && isOver(tile)) location.reload();
  },
  batch(html) {
    const made = element(html);
    const batches = document.getElementById("batches");
    if (!batches || document.getElementById(made.id)) return;
    batches.prepend(made);
    window.htmx?.process(made);
    arrived();
    catchUp();
  },
  wallet(html) {
    const pill = document.getElementById("balance");
    if (pill) replace(pill, html);
    document.dispatchEvent(new CustomEvent("portal:balance"));
  },
  places: (text) => places(JSON.parse(text)),
  resync() {
    elsewhere = 0; // news of places tell again, every two seconds
    refresh();
  },
};

function arrived() {
  document.getElementById("first-run")?.remove();
  document.querySelector(".stream-head")?.removeAttribute("hidden");
}

/** Ask for the newest batches again, and take over what differs: after a sleep, or when news was missed. */
export async function refresh() {
  if (!document.getElementById("batches")) return;
  const answer = await fetch(portal.stream, { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") return toSignIn();
  if (!answer?.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  for (const batch of [...holder.content.querySelectorAll("[data-batch]")].reverse()) {
    const old = document.getElementById(batch.id);
    if (!old) apply.batch(batch.outerHTML);
    else for (const tile of batch.querySelectorAll(".tile")) {
      const mine = document.getElementById(tile.id);
      if (!mine) replace(old, batch.outerHTML);
      else if (mine.dataset.status !== tile.dataset.status && !isOver(mine)) replace(mine, tile.outerHTML);
    }
  }
  count();
}

document.addEventListener("portal:canceled", (event) => {
  notice(event.detail.value);
  apply.resync();
});

tick();
count();
setInterval(tick, 1000);
setInterval(ages, 30000);
