// A shared picture large: arrows and swipes go to its neighbours, Escape back to all.
const to = (relation) => document.querySelector(`[rel="${relation}"]`)?.click();

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowLeft") to("prev");
  if (event.key === "ArrowRight") to("next");
  if (event.key === "Escape") to("up");
});

let from = null;
const stage = document.querySelector(".shared-stage");
stage.addEventListener("touchstart", ({ touches }) => {
  from = touches.length === 1 ? { x: touches[0].clientX, y: touches[0].clientY } : null;
}, { passive: true });
stage.addEventListener("touchend", ({ changedTouches }) => {
  if (!from) return;
  const across = changedTouches[0].clientX - from.x;
  if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(changedTouches[0].clientY - from.y)) {
    to(across > 0 ? "prev" : "next");
  }
  from = null;
});
