// Starts the download of a zip once it is ready, one time each. Its panel polls for progress with htmx.
const started = new Set();
const REMOVE_AFTER = 20000; // milliseconds for which a finished zip stays on the library page

function startDownloads() {
  for (const link of document.querySelectorAll("[data-auto-download]")) {
    if (started.has(link.dataset.autoDownload)) continue;
    started.add(link.dataset.autoDownload);
    link.click();
  }
  for (const done of document.querySelectorAll("#bulk-action > .archive.is-done")) setTimeout(() => done.remove(), REMOVE_AFTER);
}

document.addEventListener("htmx:afterSettle", startDownloads);
startDownloads();
