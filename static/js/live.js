// Keeps an open page up to date: one event stream per browser, and htmx requests where needed.
import { goToSignIn, notice, parse, portal } from "./page.js";
import { apply, applyEarly, askForNotices, isUnderWay, refresh, replaceBatch, showTotals } from "./tiles.js";

const live = document.getElementById("live");
const channel = "BroadcastChannel" in window ? new BroadcastChannel(`live-${portal.user}-${portal.team}`) : null;
let since = portal.since;
let source = null;
let releaseLock = null; // set while this tab is the leader
let lockRequest = null; // an AbortController while another tab is the leader
let retryDelay = 1000; // milliseconds
let isDisconnected = false;
let retryTimer = 0;

function applyEvent({ kind, data, id }) {
  if (id) since = id;
  apply[kind](data);
  showTotals();
  if (!isFollowing()) disconnect();
}

/** Whether the page is kept up to date: a hidden one until its pictures are ready, so that its title can say so. */
const isFollowing = () => !document.hidden || isUnderWay();

/* ---- the event stream: one tab, the leader, reads it and sends every event to the other tabs ---- */

function connect() {
  source = new EventSource(`${portal.live}?since=${encodeURIComponent(since)}`);
  source.addEventListener("open", () => {
    retryDelay = 1000;
    showConnected();
    channel?.postMessage({ kind: "connected" });
  });
  for (const kind of Object.keys(apply)) {
    source.addEventListener(kind, (event) => {
      const received = { kind, data: event.data, id: event.lastEventId };
      applyEvent(received);
      channel?.postMessage(received);
    });
  }
  source.addEventListener("error", () => {
    showDisconnected();
    channel?.postMessage({ kind: "disconnected" });
    source?.close();
    source = null;
    retryTimer = setTimeout(reconnect, retryDelay + Math.random() * 500);
    retryDelay = Math.min(retryDelay * 2, 30000);
  });
}

async function reconnect() {
  const response = await fetch(portal.stream, { method: "GET", redirect: "manual" }).catch(() => null);
  if (response?.type === "opaqueredirect") return goToSignIn();
  if (releaseLock && !source) connect();
}

/** Connect as soon as no other tab is connected. */
function requestLeadership() {
  if (!navigator.locks) {
    releaseLock = () => {};
    return connect();
  }
  lockRequest = new AbortController();
  navigator.locks
    .request(`live-${portal.user}-${portal.team}`, { signal: lockRequest.signal }, () => new Promise((done) => {
      releaseLock = done;
      connect();
    }))
    .catch(() => {});
}

function disconnect() {
  clearTimeout(retryTimer);
  source?.close();
  source = null;
  lockRequest?.abort();
  releaseLock?.();
  lockRequest = releaseLock = null;
}

function showDisconnected() {
  isDisconnected = true;
  if (!live) return;
  live.textContent = portal.disconnected;
  live.hidden = false;
  live.classList.add("is-disconnected");
}

function showConnected() {
  if (isDisconnected) refresh();
  isDisconnected = false;
  live?.classList.remove("is-disconnected");
  showTotals();
}

function pollWhileDisconnected() {
  if (!isDisconnected || document.hidden) return;
  for (const tile of document.querySelectorAll(".tile[hx-get]")) {
    window.htmx?.ajax("GET", tile.getAttribute("hx-get"), { target: tile, swap: "outerHTML" });
  }
}

channel?.addEventListener("message", ({ data }) => {
  if (data.kind === "disconnected") showDisconnected();
  else if (data.kind === "connected") showConnected();
  else if (isFollowing()) applyEvent(data);
});
document.addEventListener("visibilitychange", () => {
  if (!isFollowing()) disconnect();
  else if (!document.hidden) {
    refresh();
    askForNotices();
    if (!releaseLock && !lockRequest) requestLeadership();
  }
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted && !document.hidden) {
    refresh();
    askForNotices();
    requestLeadership();
  }
});

/* ---- htmx requests ---- */

document.addEventListener("htmx:beforeRequest", (event) => {
  const isByUser = event.detail.requestConfig?.triggeringEvent;
  const isPoll = event.detail.elt.matches(".tile, [data-polled]") && !isByUser;
  if (isPoll && document.hidden) event.preventDefault();
  // On the target itself: events of an element that was removed from the page do not bubble to the document.
  else event.detail.target?.addEventListener("htmx:beforeSwap", applyToReplaced, { once: true });
});
/** If the stream replaced the element during its request, apply each part of the response by its id. */
function applyToReplaced(event) {
  if (event.detail.requestConfig.elt.isConnected || !event.detail.shouldSwap) return;
  event.preventDefault();
  for (const part of parse(event.detail.serverResponse).children) {
    part.removeAttribute("hx-swap-oob");
    if (part.id === "balance") apply.wallet(part.outerHTML);
    else if (part.matches(".tile")) apply.tile(part.outerHTML);
    else if (part.matches("[data-batch]")) replaceBatch(part.outerHTML);
  }
  showTotals();
}

/** Leave out parts for elements that are not on this page; htmx would report each as an error. */
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.serverResponse?.includes("hx-swap-oob")) return;
  const content = parse(detail.serverResponse);
  const strays = [...content.querySelectorAll("[hx-swap-oob]")].filter((part) => !document.getElementById(part.id));
  if (!strays.length) return;
  for (const part of strays) part.remove();
  const holder = document.createElement("template");
  holder.content.append(content);
  detail.serverResponse = holder.innerHTML;
});
/** Notices that are the same are not swapped: they would lose the focus, and be read out again. */
document.getElementById("notices")?.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, isError } = event.detail;
  if (target !== event.currentTarget || isError) return;
  const words = (root) => root.textContent.replace(/\s+/g, " ").trim();
  if (words(parse(serverResponse)) === words(target)) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:afterSettle", () => {
  applyEarly();
  showTotals();
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id === "balance") document.dispatchEvent(new CustomEvent("portal:balance"));
});
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.elt.matches(".tile, [data-polled], [data-queue-poll]")) return;
  notice(event.detail.xhr.status === 413 ? portal.tooLarge : portal.failed); // 413 comes from a proxy's limit
});
document.addEventListener("htmx:sendError", (event) => {
  if (!event.detail.elt.matches(".tile, [data-polled], [data-queue-poll]")) notice(portal.offline);
});
document.addEventListener("portal:notice", (event) => notice(event.detail.value));

setInterval(pollWhileDisconnected, 5000);
if (!document.hidden) requestLeadership();
