// Tiles of Create and their totals: progress, queue positions, costs, ages, and changes from the event stream.
import { announce, credits, fill, goToSignIn, notice, parse, portal } from "./page.js";

const live = document.getElementById("live");
const cancelAll = document.querySelector(".cancel-all");

/* ---- progress and queue position ---- */

const firstSeen = new WeakMap();
const isFinished = (tile) => !["queued", "running", "submitted", "storing"].includes(tile.dataset.status);

function showProgress() {
  for (const tile of document.querySelectorAll('.tile[data-status="running"], .tile[data-status="submitted"]:not([data-told])')) {
    if (!firstSeen.has(tile)) firstSeen.set(tile, performance.now());
    const elapsed = Math.floor(Number(tile.dataset.elapsed) + (performance.now() - firstSeen.get(tile)) / 1000);
    const typical = Number(tile.dataset.typical);
    const late = elapsed > typical;
    tile.querySelector("progress").value = late ? 96 : Math.min(96, (100 * (elapsed + 1)) / typical);
    tile.querySelector("[data-seconds]").textContent = late ? portal.longer : fill(portal.elapsed, { n: elapsed, m: typical });
  }
}

const ordinal = new Intl.PluralRules(document.documentElement.lang, { type: "ordinal" });

function showPosition(tile, { position, seconds, notice: reason }) {
  const text = position > 1 ? fill(portal[ordinal.select(position)] ?? portal.other, { n: position }) : portal.next;
  tile.querySelector("[data-queue-position]").textContent = text;
  const about = seconds < 120 ? fill(portal.about, { n: seconds }) : fill(portal.aboutMinutes, { n: Math.round(seconds / 60) });
  tile.querySelector("[data-about]").textContent = reason || about;
  const ticks = tile.querySelector(".ticks");
  const marks = Array.from({ length: Math.min(position, 8) }, () => document.createElement("i"));
  ticks.replaceChildren(...marks, position > 8 ? "+" : "");
}

// The member's queued generations whose tiles are not on this page.
let queuedElsewhere = Math.max(0, Number(cancelAll?.dataset.waiting ?? 0) - document.querySelectorAll('.tile[data-status="queued"]').length);

function showPositions(positions) {
  queuedElsewhere = Object.keys(positions).filter((generation) => !document.getElementById(`tile-${generation}`)).length;
  for (const [generation, position] of Object.entries(positions)) {
    const tile = document.getElementById(`tile-${generation}`);
    if (tile?.dataset.status === "queued") showPosition(tile, position);
  }
}

/* ---- totals ---- */

function batchCost(batch) {
  const totals = { held: 0, settled: 0 };
  for (const tile of batch.querySelectorAll("[data-status]")) {
    const price = Number(tile.dataset.price);
    if (!isFinished(tile)) totals.held += price;
    if (tile.dataset.status === "succeeded") totals.settled += price;
  }
  const held = totals.held && fill(portal.held, { n: credits(totals.held) });
  const settled = totals.settled && fill(totals.held ? portal.settled : portal.paid, { n: credits(totals.settled) });
  const text = [held, settled].filter(Boolean).join(", ");
  return text || (batch.matches(".batch-1") ? "" : portal.free); // a single tile shows it itself
}

/** Write a text only if it differs, so that screen readers do not announce it twice. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

function showCancelAll() {
  const count = queuedElsewhere + document.querySelectorAll('.tile[data-status="queued"]').length;
  const label = cancelAll.querySelector("[data-text]");
  setText(label, fill(label.dataset.text, { n: count }));
  cancelAll.hidden = count < 2;
}

/** Show costs, the number of running and queued tiles, and Cancel all. */
export function showTotals() {
  if (cancelAll) showCancelAll();
  for (const batch of document.querySelectorAll("[data-batch]")) setText(batch.querySelector("[data-cost]"), batchCost(batch));
  if (!live || live.classList.contains("is-disconnected")) return;
  const countOf = (...states) => document.querySelectorAll(states.map((state) => `.tile[data-status="${state}"]`).join()).length;
  const running = countOf("running", "submitted", "storing");
  const queued = countOf("queued");
  const texts = [running && fill(portal.running, { n: running }), queued && fill(portal.waiting, { n: queued })].filter(Boolean);
  live.classList.toggle("is-idle", !texts.length);
  setText(live, texts.join(", ") || (document.querySelector(".tile") ? portal.idle : ""));
}

function showAges() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000);
    if (minutes >= 1440) continue;
    time.textContent =
      minutes < 1 ? portal.justNow : minutes < 60 ? fill(portal.minutes, { n: minutes }) : fill(portal.hours, { n: Math.floor(minutes / 60) });
  }
}

/* ---- changes from the event stream ---- */

const element = (html) => parse(html).firstElementChild;

function replace(old, html) {
  const replacement = element(html);
  old.replaceWith(replacement);
  window.htmx?.process(replacement);
  return replacement;
}

function announceState(tile) {
  const state = tile.querySelector("[data-reason], .tile-state, .tile-canceled span") ?? tile.querySelector("img.sharp");
  announce((state?.alt ?? state?.textContent ?? "").trim());
}

// A change may arrive before the response that contains the tile itself: it is applied then.
const early = new Map();

/** Apply changes that arrived before their tiles. */
export function applyEarly() {
  for (const [id, html] of early) {
    if (!document.getElementById(id)) continue;
    early.delete(id);
    apply.tile(html);
  }
}

export const apply = {
  tile(html) {
    const next = element(html);
    const old = document.getElementById(next.id);
    if (!old) {
      early.set(next.id, html);
      if (early.size > 200) early.delete(early.keys().next().value);
      return;
    }
    if (isFinished(old) && !isFinished(next)) return; // an older event: finished tiles never restart
    const isChanged = old.dataset.status !== next.dataset.status;
    const hadFocus = old.contains(document.activeElement);
    const tile = replace(old, html);
    if (hadFocus) tile.querySelector("a, button")?.focus();
    if (isChanged) announceState(tile);
    if (tile.closest("[data-reload-when-finished]") && isFinished(tile)) location.reload();
  },
  batch(html) {
    const batch = element(html);
    const batches = document.getElementById("batches");
    if (!batches || document.getElementById(batch.id)) return;
    batches.prepend(batch);
    window.htmx?.process(batch);
    showStream();
    applyEarly();
  },
  wallet(html) {
    const pill = document.getElementById("balance");
    if (pill) replace(pill, html);
    document.dispatchEvent(new CustomEvent("portal:balance"));
  },
  places: (text) => showPositions(JSON.parse(text)),
  resync() {
    queuedElsewhere = 0; // the stream sends all positions every two seconds
    refresh();
  },
};

/** Replace the introduction by the stream of batches. */
function showStream() {
  document.getElementById("first-run")?.remove();
  document.querySelector(".stream-head")?.removeAttribute("hidden");
}

/** Load the newest batches again and apply what differs: after the page was hidden, or when events were missed. */
export async function refresh() {
  if (!document.getElementById("batches")) return;
  const response = await fetch(portal.stream, { redirect: "manual" }).catch(() => null);
  if (response?.type === "opaqueredirect") return goToSignIn();
  if (!response?.ok) return;
  const loaded = parse(await response.text());
  for (const batch of [...loaded.querySelectorAll("[data-batch]")].reverse()) {
    const old = document.getElementById(batch.id);
    if (!old) apply.batch(batch.outerHTML);
    else for (const tile of batch.querySelectorAll(".tile")) {
      const shown = document.getElementById(tile.id);
      if (!shown) replace(old, batch.outerHTML);
      else if (shown.dataset.status !== tile.dataset.status && !isFinished(shown)) replace(shown, tile.outerHTML);
    }
  }
  showTotals();
}

document.addEventListener("portal:canceled", (event) => {
  notice(event.detail.value);
  apply.resync();
});

showProgress();
showTotals();
setInterval(showProgress, 1000);
setInterval(showAges, 30000);
