// A zip that was just asked for begins by itself, once; the part that shows it asks how far it is.
const begun = new Set();

function begin() {
  for (const link of document.querySelectorAll("[data-begin]")) {
    if (begun.has(link.dataset.begin)) continue;
    begun.add(link.dataset.begin);
    link.click();
  }
}

document.addEventListener("htmx:afterSettle", begin);
begin();
