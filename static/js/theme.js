// Runs before the first paint, so that nothing flashes: marks that scripts run, and sets the chosen theme.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const kept = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const theme = kept();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private windows keep nothing */ }
  });

  // Small manners that pages without other scripts share.
  document.addEventListener("click", (event) => {
    const eye = event.target.closest("[data-show-password]");
    if (!eye) return;
    const field = eye.parentElement.querySelector("input");
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    eye.setAttribute("aria-pressed", String(!shown));
  });
})();
