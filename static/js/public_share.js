// A shared picture: arrow keys and swipes open its neighbours, Escape the collection.
const SWIPE = 60; // pixels
const follow = (relation) => document.querySelector(`[rel="${relation}"]`)?.click();

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowLeft") follow("prev");
  if (event.key === "ArrowRight") follow("next");
  if (event.key === "Escape") follow("up");
});

let start = null;
const stage = document.querySelector(".shared-stage");
stage.addEventListener("touchstart", ({ touches }) => {
  start = touches.length === 1 ? { x: touches[0].clientX, y: touches[0].clientY } : null;
}, { passive: true });
stage.addEventListener("touchend", ({ changedTouches }) => {
  if (!start) return;
  const deltaX = changedTouches[0].clientX - start.x;
  const deltaY = changedTouches[0].clientY - start.y;
  if (Math.abs(deltaX) > SWIPE && Math.abs(deltaX) > 2 * Math.abs(deltaY)) follow(deltaX > 0 ? "prev" : "next");
  start = null;
});
