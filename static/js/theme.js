// Runs before the first paint, to avoid a flash: marks that scripts run, and sets the chosen theme.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const savedTheme = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const theme = savedTheme();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* no storage in some private windows */ }
  });

  // Who switched them off may press a key by accident, or dictate text: WCAG 2.2, 2.1.4.
  addEventListener("keydown", (event) => {
    const isShortcut = event.key === "Delete" || (event.key.length === 1 && event.key !== " ");
    if (root.dataset.shortcuts !== "off" || !isShortcut || event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.closest?.('textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"], [type="range"])');
    if (!isTyping) event.stopImmediatePropagation();
  }, { capture: true });

  // Here, because the sign-in pages load no other script.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-show-password]");
    if (!button) return;
    const field = button.parentElement.querySelector("input");
    const isShown = field.type === "text";
    field.type = isShown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!isShown));
  });
})();
