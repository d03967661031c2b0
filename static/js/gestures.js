// Touch and mouse gestures on a large picture: swipe to its neighbours, pull down to close, pinch, double tap, drag.
const SWIPE = 60; // pixels
const PULL_DOWN = 100; // pixels
const DOUBLE_TAP = 300; // milliseconds

/** Handle gestures on a stage; `navigate` takes "prev", "next" or "close". */
export function handleGestures(stage, link, zoom, navigate) {
  let gesture = null; // what the fingers on the stage are doing
  let lastTap = { at: 0, x: 0, y: 0 };
  let lastTouchAt = 0; // browsers send a click after a touch: that one is not the mouse's

  const distance = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  const centre = ([one, other]) => ({ x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 });

  stage.addEventListener("touchstart", ({ touches, target }) => {
    lastTouchAt = Date.now();
    if (target.closest(".arrow")) return;
    const start = { x: touches[0].clientX, y: touches[0].clientY };
    if (touches.length === 2) gesture = { kind: "pinch", distance: distance(touches), ...centre(touches) };
    else gesture = { kind: zoom.isZoomed ? "pan" : "", ...start, start };
  }, { passive: true });

  stage.addEventListener("touchmove", (event) => {
    if (!gesture || gesture.kind === "scroll") return;
    const [touch] = event.touches;
    if (gesture.kind === "pinch" && event.touches.length === 2) pinch(event.touches);
    else if (gesture.kind === "pan") pan(touch);
    else if (gesture.start) swipe(touch);
    if (gesture.kind && gesture.kind !== "scroll" && event.cancelable) event.preventDefault();
  }, { passive: false });

  function pinch(touches) {
    const newDistance = distance(touches);
    const point = centre(touches);
    zoom.scaleBy(newDistance / gesture.distance, point);
    zoom.move(point.x - gesture.x, point.y - gesture.y);
    Object.assign(gesture, point, { distance: newDistance });
  }

  function pan({ clientX, clientY }) {
    zoom.move(clientX - gesture.x, clientY - gesture.y);
    gesture.x = clientX;
    gesture.y = clientY;
  }

  function swipe({ clientX, clientY }) {
    const deltaX = clientX - gesture.start.x;
    const deltaY = clientY - gesture.start.y;
    if (!gesture.kind && Math.hypot(deltaX, deltaY) > 8) {
      const isPull = deltaY > Math.abs(deltaX) && scrollY <= 0;
      gesture.kind = Math.abs(deltaX) > Math.abs(deltaY) ? "horizontal" : isPull ? "down" : "scroll";
    }
    if (gesture.kind === "horizontal") zoom.follow(deltaX, 0);
    if (gesture.kind === "down") zoom.follow(deltaX / 2, Math.max(0, deltaY));
  }

  stage.addEventListener("touchend", (event) => {
    const { clientX, clientY } = event.changedTouches[0];
    lastTouchAt = Date.now();
    if (!gesture || event.touches.length) return;
    const { kind, start } = gesture;
    gesture = null;
    const deltaX = start ? clientX - start.x : 0;
    if (kind === "horizontal" || kind === "down") zoom.reset();
    if (kind === "horizontal" && Math.abs(deltaX) > SWIPE) navigate(deltaX > 0 ? "prev" : "next");
    else if (kind === "down" && clientY - start.y > PULL_DOWN) navigate("close");
    else if (start && Math.hypot(deltaX, clientY - start.y) < 8) tap(event, { x: clientX, y: clientY });
  });
  stage.addEventListener("touchcancel", () => {
    gesture = null;
    zoom.reset();
  });

  function tap(event, point) {
    const isNear = Math.hypot(point.x - lastTap.x, point.y - lastTap.y) < 30;
    const isDouble = event.timeStamp - lastTap.at < DOUBLE_TAP && isNear;
    lastTap = isDouble ? { at: 0, x: 0, y: 0 } : { at: event.timeStamp, ...point };
    if (!isDouble) return;
    event.preventDefault();
    zoom.toggle(point);
  }

  /* ---- mouse ---- */

  let wasDragged = false;
  link.addEventListener("pointerdown", (event) => {
    wasDragged = false;
    if (event.pointerType !== "mouse" || event.button || !zoom.isZoomed) return;
    link.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  link.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || !link.hasPointerCapture(event.pointerId)) return;
    if (event.movementX || event.movementY) wasDragged = true;
    zoom.move(event.movementX, event.movementY);
  });
  link.addEventListener("dragstart", (event) => event.preventDefault());
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opens a new tab, as with every link
    event.preventDefault();
    const isKeyboard = event.detail === 0;
    const box = stage.getBoundingClientRect();
    const middle = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    const point = isKeyboard ? middle : { x: event.clientX, y: event.clientY };
    if (!wasDragged && (isKeyboard || Date.now() - lastTouchAt > 700)) zoom.toggle(point);
  });
  stage.addEventListener("wheel", (event) => {
    // On narrow windows the wheel scrolls the page past the picture; a pinch on a touchpad comes with ctrl.
    if (!event.ctrlKey && !matchMedia("(min-width: 900px)").matches) return;
    event.preventDefault();
    const delta = Math.max(-60, Math.min(60, event.deltaY));
    zoom.scaleBy(Math.exp(-delta / 160), { x: event.clientX, y: event.clientY });
  }, { passive: false });
}
