// A batch that is ready while its page is not looked at says so in the tab's title and, if wished, by a desktop notice.
import { fill, integer, notice } from "./page.js";

const toggle = document.getElementById("desktop-notices");
const KEY = "desktop-notices"; // of this browser, as its permission is
const title = document.title;
let ready = 0;

const isLookedAt = () => !document.hidden && document.hasFocus();
const isWished = () => localStorage.getItem(KEY) === "on" && window.Notification?.permission === "granted";

function showTitle() {
  document.title = ready ? `(${integer(ready)}) ${title}` : title;
}

function clearTitle() {
  if (!isLookedAt()) return;
  ready = 0;
  showTitle();
}

document.addEventListener("portal:batch-ended", ({ detail: batch }) => {
  if (isLookedAt()) return;
  const count = batch.querySelectorAll('.tile[data-status="succeeded"]').length;
  ready += Math.max(1, count);
  showTitle();
  if (isWished()) showNotice(batch, count);
});

function showNotice(batch, count) {
  const { one, many, none } = toggle.dataset;
  const text = count ? fill(count === 1 ? one : many, { n: integer(count) }) : none;
  // Of several tabs that show the batch, the browser shows one notice: they name it alike.
  const shown = new Notification(text, { body: batch.querySelector(".batch-prompt").textContent.trim(), tag: batch.id });
  shown.addEventListener("click", () => {
    window.focus();
    batch.scrollIntoView({ block: "center" });
    shown.close();
  });
}

/* ---- the switch: the browser asks only when it is pressed ---- */

function showToggle() {
  toggle.setAttribute("aria-pressed", String(isWished()));
}

async function switchNotices() {
  if (isWished()) localStorage.removeItem(KEY);
  else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, "on");
  else notice(toggle.dataset.denied);
  showToggle();
}

toggle.hidden = !window.Notification;
if (!toggle.hidden) showToggle();
toggle.addEventListener("click", switchNotices);
document.addEventListener("visibilitychange", clearTitle);
addEventListener("focus", clearTitle);
