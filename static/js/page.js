// What several scripts share: words from the page, numbers the reader's way, short notices.
export const portal = document.getElementById("portal").dataset;

const amounts = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });

/** Hundredths of a credit as a person reads them. */
export const credits = (hundredths) => amounts.format(hundredths / 100);

/** A sentence of the page with its numbers filled in. */
export const say = (words, numbers = {}) =>
  Object.entries(numbers).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), words);

/** Tell screen readers, politely. */
export function speak(sentence) {
  document.getElementById("spoken").textContent = sentence;
}

/** A notice that goes by itself. */
export function notice(sentence) {
  document.querySelector(".toast")?.remove();
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.textContent = sentence;
  (document.querySelector("dialog[open]") ?? document.body).append(toast); // below an open one nobody sees it
  setTimeout(() => toast.remove(), 6000);
}

/** To the sign-in page and back here; what was typed is kept. */
export function toSignIn() {
  location.assign(`${portal.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
}
