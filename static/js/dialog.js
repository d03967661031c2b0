// Opens a dialog that htmx loaded as a modal one, and removes it when it closes.
document.addEventListener("htmx:load", ({ detail }) => {
  const dialog = detail.elt;
  if (!dialog.matches("dialog[data-modal]") || dialog.open) return;
  for (const other of document.querySelectorAll("dialog[data-modal]")) if (other !== dialog) other.remove();
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
});
document.addEventListener("click", ({ target }) => {
  const dialog = target.closest("dialog[data-modal]");
  // A click on the backdrop has the dialog itself as its target.
  if (dialog && (target === dialog || target.closest("[data-close-dialog]"))) dialog.close();
});
