// Keeps a page true while it is open: one stream of changes per browser, and what htmx asks for beside it.
import { notice, portal, toSignIn } from "./page.js";
import { apply, catchUp, count, refresh } from "./tiles.js";

const live = document.getElementById("live");
const shared = "BroadcastChannel" in window ? new BroadcastChannel(`live-${portal.user}-${portal.team}`) : null;
let since = portal.since;
let source = null;
let release = null; // gives the leader's lock back
let waiting = null; // an AbortController while another tab leads
let pause = 1000;
let cut = false;
let retry = 0;

function happened({ kind, data, id }) {
  if (id) since = id;
  apply[kind](data);
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
  live.hidden = false;
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
  const polled = event.detail.elt.matches(".tile, [data-polled]") && !asked;
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
  if (!event.detail.elt.matches(".tile, [data-polled], [data-now]")) notice(portal.failed);
});
document.addEventListener("htmx:sendError", (event) => {
  if (!event.detail.elt.matches(".tile, [data-polled], [data-now]")) notice(portal.offline);
});
document.addEventListener("portal:say", (event) => notice(event.detail.value));

setInterval(pollWhileCut, 5000);
if (!document.hidden) lead();
