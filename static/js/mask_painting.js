// Painting a mask by mouse, pen, fingers and keys: one finger paints, two zoom and pan.
const SECOND_FINGER = 350; // milliseconds in which a second finger takes back what the first has begun to paint
const WHEEL = 400; // of the wheel's pixels zoom by a factor of e
const KEY_STEP = 8; // CSS pixels that an arrow key moves the brush
const FAST = 8; // times that, with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const middle = ([one, other]) => ({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 });
const distance = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);

/**
 * Handle the pointers and keys of a stage. `brush` has tool ("brush", "eraser", "rectangle") and size (pixels of the
 * picture); `changed` is called after each change, `speak` with the point that keys have moved the brush to.
 */
export function handlePainting({ stage, cursor, frame, layer, view, brush, changed, speak, signal }) {
  const fingers = new Map(); // pointerId → its latest event
  let stroke = null; // { pointerId, startedAt, isErasing, last, corner } of what is being painted
  let pinch = null; // { distance, point } of two fingers
  let panning = null; // the latest event of a dragging pointer
  let hover = null; // the point of the picture under the pointer, or where keys have moved the brush
  let isKeyboard = false;
  let isSpaceDown = false;

  const listen = (type, handle, options) => stage.addEventListener(type, handle, { signal, ...options });

  /* ---- what is shown: the brush, and the rectangle that is drawn out ---- */

  function showCursor() {
    cursor.hidden = !hover || Boolean(pinch);
    stage.classList.toggle("is-keyboard", isKeyboard);
    stage.classList.toggle("is-panning", Boolean(panning) || (isSpaceDown && !stroke));
    if (cursor.hidden) return;
    const { x, y } = view.toStage(hover);
    const isRectangle = brush.tool === "rectangle";
    cursor.classList.toggle("is-cross", isRectangle || isKeyboard);
    cursor.style.width = cursor.style.height = `${isRectangle ? 0 : brush.size * view.scale}px`;
    cursor.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }

  function showFrame() {
    frame.hidden = !stroke?.corner;
    if (frame.hidden) return;
    const [one, other] = [view.toStage(stroke.corner), view.toStage(stroke.last)];
    frame.style.left = `${Math.min(one.x, other.x)}px`;
    frame.style.top = `${Math.min(one.y, other.y)}px`;
    frame.style.width = `${Math.abs(one.x - other.x)}px`;
    frame.style.height = `${Math.abs(one.y - other.y)}px`;
  }

  /* ---- a stroke: begun, extended, ended or taken back ---- */

  function begin(point, { pointerId = null, isErasing = brush.tool === "eraser" } = {}) {
    layer.begin();
    const corner = brush.tool === "rectangle" ? point : null;
    stroke = { pointerId, startedAt: performance.now(), isErasing, last: point, corner };
    if (!corner) paint([point]);
    showFrame();
  }

  function paint(points) {
    layer.line(points, brush.size, stroke.isErasing);
    view.line(points, brush.size, stroke.isErasing);
  }

  function extend(points) {
    if (!stroke.corner) paint([stroke.last, ...points]);
    stroke.last = points.at(-1);
    showFrame();
  }

  function end() {
    if (stroke.corner) {
      layer.rectangle(stroke.corner, stroke.last, stroke.isErasing);
      view.redraw();
    }
    layer.commit();
    stroke = null;
    showFrame();
    changed();
  }

  /** End a stroke that two fingers or a lost pointer have cut short. */
  function interrupt() {
    if (!stroke) return;
    if (performance.now() - stroke.startedAt > SECOND_FINGER) return end();
    layer.revert();
    stroke = null;
    view.redraw();
    showFrame();
  }

  /* ---- pointers ---- */

  listen("pointerdown", (event) => {
    event.preventDefault(); // no text is selected, no picture dragged, no mouse event follows a touch
    stage.focus({ preventScroll: true });
    isKeyboard = false;
    if (stroke && stroke.pointerId === null) end(); // of the keys
    stage.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      if (stroke?.isPen) return; // the palm of the hand that paints
      fingers.set(event.pointerId, event);
      if (fingers.size === 2) startPinch();
      if (fingers.size > 1) return;
    }
    if (stroke) return;
    if (event.button === 1 || (event.button === 0 && isSpaceDown)) panning = event;
    else if (event.button === 0 || event.button === 5) {
      const isErasing = brush.tool === "eraser" || event.altKey || event.button === 5; // 5: the other end of a pen
      hover = view.toPicture(event);
      begin(hover, { pointerId: event.pointerId, isErasing });
      stroke.isPen = event.pointerType === "pen";
    }
    showCursor();
  });

  listen("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event);
    if (pinch) return movePinch();
    if (event.pointerType === "touch" && stroke?.pointerId !== event.pointerId) return;
    if (panning?.pointerId === event.pointerId) {
      view.pan(event.clientX - panning.clientX, event.clientY - panning.clientY);
      panning = event;
    } else if (stroke?.pointerId === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      extend((events.length ? events : [event]).map(view.toPicture));
    }
    if (stroke && stroke.pointerId === null) return; // the keys are painting: a nudged mouse does not move them
    isKeyboard = false;
    hover = view.toPicture(event);
    showCursor();
  });

  function release(event) {
    fingers.delete(event.pointerId);
    if (panning?.pointerId === event.pointerId) panning = null;
    if (stroke?.pointerId === event.pointerId) end();
    if (pinch && !fingers.size) pinch = null; // one finger that is left does not paint
    if (event.pointerType === "touch") hover = null;
    showCursor();
  }
  listen("pointerup", release);
  listen("pointercancel", release);
  listen("pointerleave", () => {
    if (!isKeyboard && !stroke) hover = null;
    showCursor();
  });

  function startPinch() {
    interrupt();
    const both = [...fingers.values()];
    pinch = { distance: distance(both), point: middle(both) };
  }

  function movePinch() {
    const both = [...fingers.values()];
    if (both.length < 2) return;
    const point = middle(both);
    view.pan(point.clientX - pinch.point.clientX, point.clientY - pinch.point.clientY);
    view.zoom(distance(both) / (pinch.distance || 1), point);
    pinch = { distance: distance(both), point };
  }

  listen("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode ? 16 : 1; // Firefox counts the lines of a mouse's wheel
    if (event.shiftKey) view.pan(-(event.deltaX || event.deltaY) * lines, 0);
    else view.zoom(Math.exp((-event.deltaY * lines * (event.ctrlKey ? 4 : 1)) / WHEEL), event); // ctrl: a touchpad's pinch
    if (!isKeyboard) hover = view.toPicture(event);
    showCursor();
  }, { passive: false });

  /* ---- keys: arrows move the brush; Space paints while it is held, Enter from one press to the next ---- */

  function startKeyboard() {
    isKeyboard = true;
    hover ??= { x: layer.width / 2, y: layer.height / 2 };
  }

  function moveBrush(event) {
    const step = Math.max(1, Math.round((KEY_STEP * (event.shiftKey ? FAST : 1)) / view.scale));
    const [deltaX, deltaY] = ARROWS[event.key];
    const clamp = (value, size) => Math.min(size, Math.max(0, value));
    startKeyboard();
    hover = { x: clamp(Math.round(hover.x) + deltaX * step, layer.width), y: clamp(Math.round(hover.y) + deltaY * step, layer.height) };
    if (stroke) extend([hover]);
    view.reveal(hover);
    speak(hover);
  }

  listen("focus", () => {
    if (stage.matches(":focus-visible")) startKeyboard();
    showCursor();
  });
  listen("blur", () => {
    isSpaceDown = false;
    if (stroke && stroke.pointerId === null) end();
    showCursor();
  });
  listen("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) moveBrush(event);
    else if (event.key === " ") {
      if (!event.repeat && isKeyboard && !stroke) begin(hover);
      isSpaceDown = !isKeyboard; // with the mouse Space moves the picture
    } else if (event.key === "Enter" && !event.repeat) {
      startKeyboard();
      if (stroke) end();
      else begin(hover);
      if (stroke) stroke.isHeld = true;
      speak(hover);
    } else return;
    event.preventDefault();
    showCursor();
  });
  listen("keyup", (event) => {
    if (event.key !== " ") return;
    isSpaceDown = false;
    if (stroke && stroke.pointerId === null && !stroke.isHeld) {
      end();
      speak(hover);
    }
    showCursor();
  });

  return {
    /** Show the brush as it is now: another tool, size or zoom. */
    update() {
      showCursor();
      showFrame();
    },
    get isPainting() { return Boolean(stroke); },
    interrupt,
  };
}
