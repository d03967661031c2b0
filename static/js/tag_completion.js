// Tag suggestions for a text field, from the address in its data-tags.
const DELAY = 150; // milliseconds without typing before the server is asked

/** Call `show(field, tags)` with [{name, uses}] whenever a tag field has the focus or its text changes. */
export function onTagSuggestions(show) {
  let latest = 0;
  async function request(field, delay) {
    const number = ++latest;
    await new Promise((resolve) => { setTimeout(resolve, delay); });
    if (number !== latest) return;
    const address = `${field.dataset.tags}?q=${encodeURIComponent(field.value.trim())}`;
    const response = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!response?.ok || number !== latest) return; // only the latest request counts
    const { tags } = await response.json();
    show(field, tags);
  }
  document.addEventListener("input", ({ target }) => target.matches("[data-tags]") && request(target, DELAY));
  document.addEventListener("focusin", ({ target }) => target.matches("[data-tags]") && request(target, 0));
}
