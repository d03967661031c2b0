// Fingers and mouse on a large picture: swipe to the neighbours, pull down to close, pinch, double tap, drag.
const FAR = 60; // pixels of a swipe
const FAR_DOWN = 100;
const QUICK = 300; // milliseconds between the taps of a double tap

/** Gestures on a stage; `go` takes "prev", "next" or "close". */
export function touching(stage, link, zoom, go) {
  let hold = null; // what the fingers are doing
  let tapped = { at: 0, x: 0, y: 0 };
  let touched = 0; // when a finger was last there: the click after it is not a mouse's

  const spread = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  const between = ([one, other]) => ({ x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 });

  stage.addEventListener("touchstart", ({ touches, target }) => {
    touched = Date.now();
    if (target.closest(".arrow")) return;
    const first = { x: touches[0].clientX, y: touches[0].clientY };
    if (touches.length === 2) hold = { kind: "pinch", wide: spread(touches), ...between(touches) };
    else hold = { kind: zoom.isZoomed ? "pan" : "", ...first, from: first };
  }, { passive: true });

  stage.addEventListener("touchmove", (event) => {
    if (!hold || hold.kind === "scroll") return;
    const [first] = event.touches;
    if (hold.kind === "pinch" && event.touches.length === 2) pinch(event.touches);
    else if (hold.kind === "pan") pan(first);
    else if (hold.from) lean(first);
    if (hold.kind && hold.kind !== "scroll" && event.cancelable) event.preventDefault();
  }, { passive: false });

  function pinch(touches) {
    const wide = spread(touches);
    const point = between(touches);
    zoom.by(wide / hold.wide, point);
    zoom.move(point.x - hold.x, point.y - hold.y);
    Object.assign(hold, point, { wide });
  }

  function pan({ clientX, clientY }) {
    zoom.move(clientX - hold.x, clientY - hold.y);
    hold.x = clientX;
    hold.y = clientY;
  }

  function lean({ clientX, clientY }) {
    const across = clientX - hold.from.x;
    const down = clientY - hold.from.y;
    if (!hold.kind && Math.hypot(across, down) > 8) {
      const pulls = down > Math.abs(across) && scrollY <= 0;
      hold.kind = Math.abs(across) > Math.abs(down) ? "across" : pulls ? "down" : "scroll";
    }
    if (hold.kind === "across") zoom.lean(across, 0);
    if (hold.kind === "down") zoom.lean(across / 2, Math.max(0, down));
  }

  stage.addEventListener("touchend", (event) => {
    const { clientX, clientY } = event.changedTouches[0];
    touched = Date.now();
    if (!hold || event.touches.length) return;
    const { kind, from } = hold;
    hold = null;
    const across = from ? clientX - from.x : 0;
    if (kind === "across" || kind === "down") zoom.settle();
    if (kind === "across" && Math.abs(across) > FAR) go(across > 0 ? "prev" : "next");
    else if (kind === "down" && clientY - from.y > FAR_DOWN) go("close");
    else if (from && Math.hypot(across, clientY - from.y) < 8) tap(event, { x: clientX, y: clientY });
  });
  stage.addEventListener("touchcancel", () => {
    hold = null;
    zoom.settle();
  });

  function tap(event, point) {
    const again = event.timeStamp - tapped.at < QUICK && Math.hypot(point.x - tapped.x, point.y - tapped.y) < 30;
    tapped = again ? { at: 0, x: 0, y: 0 } : { at: event.timeStamp, ...point };
    if (!again) return;
    event.preventDefault();
    zoom.toggle(point);
  }

  /* ---- mouse ---- */

  let dragged = false;
  link.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.pointerType !== "mouse" || event.button || !zoom.isZoomed) return;
    link.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  link.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || !link.hasPointerCapture(event.pointerId)) return;
    if (event.movementX || event.movementY) dragged = true;
    zoom.move(event.movementX, event.movementY);
  });
  link.addEventListener("dragstart", (event) => event.preventDefault());
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with every link
    event.preventDefault();
    const byKey = event.detail === 0;
    const box = stage.getBoundingClientRect();
    const point = byKey ? { x: box.left + box.width / 2, y: box.top + box.height / 2 } : { x: event.clientX, y: event.clientY };
    if (!dragged && (byKey || Date.now() - touched > 700)) zoom.toggle(point);
  });
  stage.addEventListener("wheel", (event) => {
    // Where the page scrolls past the picture, the wheel scrolls it; a pinch on a touchpad comes with ctrl.
    if (!event.ctrlKey && !matchMedia("(min-width: 900px)").matches) return;
    event.preventDefault();
    zoom.by(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 160), { x: event.clientX, y: event.clientY });
  }, { passive: false });
}
