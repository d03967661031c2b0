// Behaviour of every page: copying, closing menus, toasts, rows of tabs, CSRF tokens for plain forms.
import "./dialog.js";
import "./keys.js";
import { csrfToken, keepOffFocus, leaveInTime, notice, portal } from "./page.js";

document.addEventListener("click", async (event) => {
  const copyButton = event.target.closest("[data-copy]");
  if (copyButton) {
    await copy(copyButton.dataset.copy);
    notice(portal.copied);
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || copyButton) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
/* ---- toasts ---- */

document.addEventListener("click", ({ target }) => target.closest("[data-close-toast]")?.closest(".toast").remove());
document.addEventListener("focusin", () => document.querySelectorAll(".toasts").forEach(keepOffFocus));
// Screen readers announce what is put into a status, not what it held when the page came.
const arrived = [...document.querySelectorAll("#toasts > [data-toast]")];
if (arrived.length) setTimeout(() => document.getElementById("toasts").replaceChildren(...arrived), 100);
for (const toast of arrived) if (!toast.matches(".toast-error, .toast-warning")) leaveInTime(toast);

/* ---- rows of tabs ---- */

for (const row of document.querySelectorAll("[data-fades]")) {
  const showFades = () => {
    row.classList.toggle("fades-start", row.scrollLeft > 4);
    row.classList.toggle("fades-end", row.scrollLeft < row.scrollWidth - row.clientWidth - 4);
  };
  const showCurrent = () => {
    const current = row.querySelector("[aria-current]");
    if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  };
  row.addEventListener("scroll", showFades, { passive: true });
  new ResizeObserver(() => { // also when a phone is turned
    showCurrent();
    showFades();
  }).observe(row);
}

// HTML from the event stream contains no CSRF token of this session: plain forms get one when they are submitted.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-adds-csrf-token]") || form.elements.csrfmiddlewaretoken) return;
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "csrfmiddlewaretoken" });
  field.value = csrfToken();
  form.append(field);
});

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // plain http has no clipboard
  area.value = text;
  area.className = "visually-hidden";
  (document.querySelector("dialog[open]") ?? document.body).append(area); // an open dialog makes the body inert
  area.select();
  document.execCommand("copy");
  area.remove();
}
