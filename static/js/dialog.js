// A dialog that came by htmx opens over its page, and goes when it is closed.
document.addEventListener("htmx:load", ({ detail }) => {
  const dialog = detail.elt;
  if (!dialog.matches("dialog[data-over]") || dialog.open) return;
  for (const other of document.querySelectorAll("dialog[data-over]")) if (other !== dialog) other.remove();
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
});
document.addEventListener("click", ({ target }) => {
  const dialog = target.closest("dialog[data-over]");
  // The backdrop is the dialog itself, what stands in it is not.
  if (dialog && (target === dialog || target.closest("[data-close-dialog]"))) dialog.close();
});
