// Keeps a page true while it is open: one stream of changes per browser, progress bars, places, times.
import { credits, notice, portal, say, speak, toSignIn } from "./page.js";

const live = document.getElementById("live");
const shared = "BroadcastChannel" in window ? new BroadcastChannel(`live-${portal.user}-${portal.team}`) : null;
let since = portal.since;
let source = null;
let release = null; // gives the leader's lock back
let waiting = null; // an AbortController while another tab leads
let pause = 1000;
let cut = false;
let retry = 0;

/* ---- what a tile shows ---- */

const firstSeen = new WeakMap();

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

function places(everyone) {
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
    if (["queued", "running", "storing"].includes(tile.dataset.status)) sums.held += price;
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

function count() {
  for (const batch of document.querySelectorAll("[data-batch]")) setText(batch.querySelector("[data-cost]"), cost(batch));
  if (!live || cut) return;
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

function catchUp() {
  for (const [id, html] of early) {
    if (!document.getElementById(id)) continue;
    early.delete(id);
    apply.tile(html);
  }
}

const apply = {
  tile(html) {
    const made = element(html);
    const old = document.getElementById(made.id);
    if (!old) {
      early.set(made.id, html);
      if (early.size > 200) early.delete(early.keys().next().value);
      return;
    }
    const changed = old.dataset.status !== made.dataset.status;
    // A press of the keyboard stays where it was.
    const focused = old.contains(document.activeElement);
    const tile = replace(old, html);
    if (focused) tile.querySelector("a, button")?.focus();
    if (changed) spoken(tile);
    if (tile.closest("[data-reload]") && !["queued", "running", "storing"].includes(tile.dataset.status)) location.reload();
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
  resync: () => refresh(),
};

function arrived() {
  document.getElementById("first-run")?.remove();
  document.querySelector(".stream-head")?.removeAttribute("hidden");
}

function happened({ kind, data, id }) {
  if (id) since = id;
  apply[kind](data);
  count();
}

/** Ask for the newest batches again, and take over what differs: after a sleep, or when news was missed. */
async function refresh() {
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
      else if (mine.dataset.status !== tile.dataset.status) replace(mine, tile.outerHTML);
    }
  }
  count();
}

/* ---- the stream: one visible tab leads and passes on what it hears ---- */

function open() {
  source = new EventSource(`${portal.live}?since=${encodeURIComponent(since)}`);
  source.addEventListener("open", () => {
    pause = 1000;
    mend();
    shared?.postMessage({ kind: "mended" });
  });
  for (const kind of Object.keys(apply)) {
    source.addEventListener(kind, (event) => {
      const change = { kind, data: event.data, id: event.lastEventId };
      happened(change);
      shared?.postMessage(change);
    });
  }
  source.addEventListener("error", () => {
    broken();
    shared?.postMessage({ kind: "cut" });
    source?.close();
    source = null;
    retry = setTimeout(again, pause + Math.random() * 500);
    pause = Math.min(pause * 2, 30000);
  });
}

async function again() {
  const answer = await fetch(portal.stream, { method: "GET", redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") return toSignIn();
  if (release && !source) open();
}

function lead() {
  if (!navigator.locks) {
    release = () => {};
    return open();
  }
  waiting = new AbortController();
  navigator.locks
    .request(`live-${portal.user}-${portal.team}`, { signal: waiting.signal }, () => new Promise((done) => {
      release = done;
      open();
    }))
    .catch(() => {});
}

function leave() {
  clearTimeout(retry);
  source?.close();
  source = null;
  waiting?.abort();
  release?.();
  waiting = release = null;
}

function broken() {
  cut = true;
  if (!live) return;
  live.textContent = portal.cut;
  live.classList.add("is-cut");
}

function mend() {
  if (cut) refresh();
  cut = false;
  live?.classList.remove("is-cut");
  count();
}

function pollWhileCut() {
  if (!cut || document.hidden) return;
  for (const tile of document.querySelectorAll(".tile[hx-get]")) {
    window.htmx?.ajax("GET", tile.getAttribute("hx-get"), { target: tile, swap: "outerHTML" });
  }
}

shared?.addEventListener("message", ({ data }) => {
  if (data.kind === "cut") broken();
  else if (data.kind === "mended") mend();
  else if (!document.hidden) happened(data);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) leave();
  else {
    refresh();
    lead();
  }
});
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => {
  if (event.persisted && !document.hidden) {
    refresh();
    lead();
  }
});

/* ---- htmx ---- */

document.addEventListener("htmx:beforeRequest", (event) => {
  const asked = event.detail.requestConfig?.triggeringEvent;
  const polled = event.detail.elt.matches(".tile") && !asked;
  if (polled && document.hidden) event.preventDefault();
  // On the tile itself: what happens to an element that is no longer on the page is not heard further up.
  else event.detail.target?.addEventListener("htmx:beforeSwap", answered, { once: true });
});
/** The stream may replace a tile while its answer is on the way: then each part of it finds its own place. */
function answered(event) {
  if (event.detail.requestConfig.elt.isConnected || !event.detail.shouldSwap) return;
  event.preventDefault();
  const holder = document.createElement("template");
  holder.innerHTML = event.detail.serverResponse;
  for (const part of holder.content.children) {
    part.removeAttribute("hx-swap-oob");
    if (part.id === "balance") apply.wallet(part.outerHTML);
    else if (part.matches(".tile")) apply.tile(part.outerHTML);
  }
  count();
}

document.addEventListener("htmx:afterSettle", () => {
  catchUp();
  count();
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id === "balance") document.dispatchEvent(new CustomEvent("portal:balance"));
});
document.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.elt.matches(".tile")) notice(portal.failed);
});
document.addEventListener("htmx:sendError", (event) => {
  if (!event.detail.elt.matches(".tile")) notice(portal.offline);
});
document.addEventListener("portal:say", (event) => notice(event.detail.value));

/* ---- manners ---- */

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await copied(copy.dataset.copy);
    notice(portal.copied);
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || copy) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
// A tile that came by the stream carries no token of this page: plain forms get it when they are sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-with-token]") || form.elements.csrfmiddlewaretoken) return;
  const token = document.createElement("input");
  token.type = "hidden";
  token.name = "csrfmiddlewaretoken";
  token.value = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  form.append(token);
});

async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // plain http has no clipboard
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

tick();
count();
setInterval(tick, 1000);
setInterval(ages, 30000);
setInterval(pollWhileCut, 5000);
if (!document.hidden) lead();
