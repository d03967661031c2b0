// Looking at a picture large: arrows, Escape and swipes go to its neighbours and back.
const to = (selector) => document.querySelector(selector)?.click();

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select")) return;
  if (event.key === "ArrowLeft") to('[rel="prev"]');
  if (event.key === "ArrowRight") to('[rel="next"]');
  if (event.key === "Escape") to("[data-close]");
});

// Where one came from in the portal is where closing leads.
document.querySelector("[data-close]")?.addEventListener("click", (event) => {
  const start = sessionStorage.getItem("looked-from");
  if (start) {
    event.preventDefault();
    sessionStorage.removeItem("looked-from");
    location.assign(start);
  }
});
const came = document.referrer && new URL(document.referrer);
if (came && came.origin === location.origin && !/\/(picture|generation)\//.test(came.pathname) && /\/(create|library|credits)\//.test(came.pathname)) {
  sessionStorage.setItem("looked-from", came.pathname + came.search);
}

let from = null;
const stage = document.querySelector(".stage-picture");
stage.addEventListener("touchstart", ({ touches }) => {
  from = touches.length === 1 ? { x: touches[0].clientX, y: touches[0].clientY } : null;
}, { passive: true });
stage.addEventListener("touchend", ({ changedTouches }) => {
  if (!from) return;
  const across = changedTouches[0].clientX - from.x;
  if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(changedTouches[0].clientY - from.y)) {
    to(across > 0 ? '[rel="prev"]' : '[rel="next"]');
  }
  from = null;
});

document.querySelector(".strip [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
