// Tiles of Create and their totals: progress, queue positions, costs, ages, and changes from the event stream.
import { addressOf, announce, credits, duration, fill, generationOf, inCredits, goToSignIn, parse, portal } from "./page.js";

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
    tile.querySelector("[data-seconds]").textContent = late ? portal.longer : fill(portal.elapsed, { done: duration(elapsed), usual: duration(typical) });
  }
}

const ordinal = new Intl.PluralRules(document.documentElement.lang, { type: "ordinal" });
// Twin of TIME_FORMAT in sdweb/formats.
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: portal.timeZone });
const retries = new WeakMap(); // tiles between two calls: when the next one is made, and which it is

/** What a waiting tile says of itself, as templates/jobs/live/tile.html does. */
function waitingText({ position, halted, paused_since: pausedSince }) {
  if (pausedSince) return fill(portal.paused, { time: clock.format(new Date(pausedSince)) });
  if (halted) return portal.halted;
  return position > 1 ? fill(portal[ordinal.select(position)] ?? portal.other, { n: position }) : portal.next;
}

function showPosition(tile, place) {
  const { position, seconds, notice: reason, retry_in: retryIn, next_call: next, calls, halted } = place;
  if (retryIn && !halted) retries.set(tile, { at: performance.now() + retryIn * 1000, next, calls });
  else retries.delete(tile);
  tile.querySelector("[data-queue-position]").textContent = waitingText(place);
  tile.querySelector("[data-about]").textContent = reason || fill(portal.about, { time: duration(seconds) });
  const ticks = tile.querySelector(".ticks");
  const marks = Array.from({ length: Math.min(position, 8) }, () => document.createElement("i"));
  ticks.hidden = halted;
  ticks.replaceChildren(...marks, position > 8 ? "+" : "");
  showRetry(tile);
}

/** Count down to the next call. */
function showRetry(tile) {
  const { at, next, calls } = retries.get(tile) ?? {};
  const seconds = Math.ceil((at - performance.now()) / 1000);
  if (seconds > 0) tile.querySelector("[data-queue-position]").textContent = fill(portal.retryIn, { time: duration(seconds), n: next, m: calls });
}

function showRetries() {
  for (const tile of document.querySelectorAll('.tile[data-status="queued"]')) showRetry(tile);
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
  const held = totals.held && fill(portal.held, { credits: inCredits(totals.held) });
  const paid = totals.held ? fill(portal.settled, { n: credits(totals.settled) }) : inCredits(totals.settled);
  const settled = totals.settled && paid;
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

/* ---- what ended without a picture: the line below its batch is the server's ---- */

let lostFocus = null; // the batch of a tile that was hidden while it had the focus

const foldedIds = (batch) => [...batch.querySelectorAll("[data-folded]")].map(generationOf);

/** Load the lines of batches in which other pictures ended without one than these lines say. */
function showEnded() {
  for (const batch of document.querySelectorAll("[data-batch]:has([data-folded]), [data-batch]:has([data-ended]:not([hidden]))")) {
    const line = batch.querySelector("[data-ended]");
    const isShown = line.dataset.ended.split(" ").filter(Boolean).sort().join() === foldedIds(batch).sort().join();
    if (!isShown && !("loading" in line.dataset)) loadEnded(batch, line);
  }
}

async function loadEnded(batch, line) {
  line.dataset.loading = "";
  const response = await fetch(addressOf(portal.batchAddress, batch.id.slice("batch-".length)), { redirect: "error" }).catch(() => null);
  const now = response?.ok && parse(await response.text()).querySelector("[data-batch]");
  delete line.dataset.loading;
  if (!now || !line.isConnected) return;
  const idsOf = (one) => [...one.querySelectorAll(".tile")].map(({ id }) => id).sort().join();
  if (idsOf(now) !== idsOf(batch)) {
    replace(batch, now.outerHTML); // something of it was asked for again elsewhere
    return;
  }
  const loaded = now.querySelector("[data-ended]");
  line.replaceWith(loaded);
  window.htmx?.process(loaded);
  if (lostFocus === batch && document.activeElement === document.body) loaded.querySelector("a, button")?.focus();
  lostFocus = null;
}

/** Show costs, the number of running and queued tiles, and Cancel all. */
export function showTotals() {
  if (cancelAll) showCancelAll();
  showEnded();
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
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds >= 24 * 3600) continue;
    time.textContent = seconds < 90 ? portal.justNow : fill(portal.ago, { time: duration(seconds) });
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

function reportEnd(batch) {
  if (!batch || [...batch.querySelectorAll("[data-status]")].some((tile) => !isFinished(tile))) return;
  document.dispatchEvent(new CustomEvent("portal:batch-ended", { detail: batch }));
}

/** Whether something is under way on this page. */
export const isUnderWay = () =>
  document.querySelector("[data-pending]") !== null || [...document.querySelectorAll(".tile[data-status]")].some((tile) => !isFinished(tile));

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

/** Have the notices asked for again; their element knows where. */
export function askForNotices() {
  document.getElementById("notices")?.dispatchEvent(new Event("portal:notices"));
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
    if (hadFocus && tile.hidden) lostFocus = tile.closest("[data-batch]");
    if (isChanged) announceState(tile);
    if (isChanged && isFinished(tile)) reportEnd(tile.closest("[data-batch]"));
    if (tile.closest("[data-reload-when-finished]") && isFinished(tile)) location.reload();
  },
  batch(html) {
    const batch = element(html);
    const batches = document.getElementById("batches");
    if (!batches || document.getElementById(batch.id) || !insert(batches, batch)) return;
    window.htmx?.process(batch);
    document.dispatchEvent(new CustomEvent("portal:batch-added", { detail: batch }));
    showStream();
    applyEarly();
  },
  wallet(html) {
    const pill = document.getElementById("balance");
    if (pill) replace(pill, html);
    document.dispatchEvent(new CustomEvent("portal:balance"));
  },
  notices: askForNotices,
  places: (text) => showPositions(JSON.parse(text)),
  resync() {
    queuedElsewhere = 0; // the stream sends all positions every two seconds
    refresh();
  },
};

/** Show a batch in place of the one that the page has of it. */
export function replaceBatch(html) {
  const old = document.getElementById(element(html).id);
  if (old) replace(old, html);
  else apply.batch(html);
}

/** Put a batch where it belongs, newest first; false if it is older than all that the page shows. */
function insert(batches, batch) {
  const shown = [...batches.querySelectorAll(":scope > [data-batch]")];
  let next = shown.find(({ id }) => id < batch.id); // ids are made in the order of time
  if (!next && shown.length) return false;
  // What stands between two batches belongs to the lower one; pending ones are the newest.
  while (next?.previousElementSibling && next.previousElementSibling.matches(".day, .previous-page")) next = next.previousElementSibling;
  if (next) next.before(batch);
  else batches.append(batch);
  return true;
}

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

document.addEventListener("htmx:afterSettle", () => {
  if (document.querySelector("[data-reload-when-finished] [data-folded]")) location.reload();
});
document.addEventListener("portal:canceled", () => apply.resync());

showProgress();
showTotals();
setInterval(showProgress, 1000);
setInterval(showRetries, 1000);
setInterval(showAges, 30000);
