// Behaviour of every page: copying, closing menus, CSRF tokens for plain forms.
import "./dialog.js";
import { csrfToken, notice, portal } from "./page.js";

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
