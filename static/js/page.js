// What several scripts share: texts from the page, localised numbers, notices, parsed HTML, the CSRF token.
export const portal = document.getElementById("portal").dataset;

const amounts = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });

/** Format hundredths of a credit as credits. */
export const credits = (hundredths) => amounts.format(hundredths / 100);

/** Format a whole number. */
export const integer = (number) => number.toLocaleString(document.documentElement.lang);

/** Fill placeholders such as {n} in a text of the page. */
export const fill = (text, values = {}) =>
  Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(`{${name}}`, value), text);

/** The singular or plural text of an element's data attributes. */
export const countText = ({ singular, plural }, count) => (count === 1 ? singular : fill(plural, { n: integer(count) }));

/** Announce a text to screen readers. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Show a notice for six seconds. */
export function notice(text) {
  document.querySelector(".toast")?.remove();
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.textContent = text;
  (document.querySelector("dialog[open]") ?? document.body).append(toast); // an open dialog covers the body
  setTimeout(() => toast.remove(), 6000);
}

/** Parse HTML; returns a fragment, in which images and scripts are not loaded. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export const csrfToken = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

/** Go to the sign-in page, which returns here; the draft of Create is saved. */
export function goToSignIn() {
  location.assign(`${portal.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
}
