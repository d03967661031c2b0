// A zip that was just asked for begins by itself, once; the part that shows it asks how far it is.
const begun = new Set();
const READ = 20000; // milliseconds: a zip that is whole need not be told of for longer, beside a page of pictures

function begin() {
  for (const link of document.querySelectorAll("[data-begin]")) {
    if (begun.has(link.dataset.begin)) continue;
    begun.add(link.dataset.begin);
    link.click();
  }
  for (const whole of document.querySelectorAll("#deed > .archive.is-done")) setTimeout(() => whole.remove(), READ);
}

document.addEventListener("htmx:afterSettle", begin);
begin();
