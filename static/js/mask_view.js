// Where a picture and its mask stand on the stage of the mask editor: zoom, pan, and the tinted mask at the screen's resolution.
import { drawLine } from "./mask_layer.js";

const MAX_SCALE = 32; // CSS pixels per pixel of the picture
const MAX_DENSITY = 2; // device pixels per CSS pixel: more cost time that nobody sees in a tint
const VISIBLE = 48; // CSS pixels of the picture that always stay on the stage

/** Show a picture and the layer over it; `changed` is called after zoom and pan. */
export function createMaskView(stage, picture, overlay, layer, changed) {
  const context = overlay.getContext("2d");
  const tint = getComputedStyle(overlay).color;
  let scale = 1;
  let x = 0; // of the picture's top left corner, from that of the stage
  let y = 0;
  let isScheduled = false;
  let isFitted = true; // until somebody zooms or pans: a turned phone fits it again

  const density = () => Math.min(devicePixelRatio, MAX_DENSITY);
  const stageBox = () => stage.getBoundingClientRect();
  const margin = () => (stage.clientWidth < 600 ? 12 : 40);

  function fittingScale() {
    const [wide, high] = [stage.clientWidth - 2 * margin(), stage.clientHeight - 2 * margin()];
    const fitting = Math.min(MAX_SCALE, Math.max(1, wide) / layer.width, Math.max(1, high) / layer.height);
    return fitting > 1 && fitting < 1.5 ? 1 : fitting; // a pixel for a pixel is sharper than a little larger
  }

  function transform() {
    context.setTransform(scale * density(), 0, 0, scale * density(), x * density(), y * density());
    context.imageSmoothingEnabled = scale < 4;
  }

  /** Draw all of the mask; strokes draw only themselves. */
  function draw() {
    isScheduled = false;
    picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    picture.classList.toggle("is-pixelated", scale >= 4);
    context.resetTransform();
    context.clearRect(0, 0, overlay.width, overlay.height);
    transform();
    context.drawImage(layer.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = tint;
    context.fillRect(0, 0, layer.width, layer.height);
    context.globalCompositeOperation = "source-over";
    changed();
  }

  function schedule() {
    if (!isScheduled) requestAnimationFrame(draw);
    isScheduled = true;
  }

  const clamp = (offset, pictureSize, stageSize) =>
    Math.min(stageSize - VISIBLE, Math.max(VISIBLE - pictureSize * scale, offset));

  function place(newX, newY) {
    x = clamp(newX, layer.width, stage.clientWidth);
    y = clamp(newY, layer.height, stage.clientHeight);
    schedule();
  }

  function fit() {
    isFitted = true;
    scale = fittingScale();
    place(Math.round((stage.clientWidth - layer.width * scale) / 2), Math.round((stage.clientHeight - layer.height * scale) / 2));
  }

  const observer = new ResizeObserver(() => {
    overlay.width = Math.round(stage.clientWidth * density());
    overlay.height = Math.round(stage.clientHeight * density());
    if (isFitted) fit();
    else place(x, y);
    draw(); // a resized canvas is empty until it is drawn
  });
  observer.observe(stage);

  const view = {
    fit,
    redraw: schedule,
    get scale() { return scale; },
    /** The point of the picture under a point of the window. */
    toPicture({ clientX, clientY }) {
      const box = stageBox();
      return { x: (clientX - box.left - x) / scale, y: (clientY - box.top - y) / scale };
    },
    /** A point of the picture, from the stage's top left corner. */
    toStage: (point) => ({ x: x + point.x * scale, y: y + point.y * scale }),
    pan(deltaX, deltaY) {
      isFitted = false;
      place(x + deltaX, y + deltaY);
    },
    /** Zoom by a factor; the point of the window stays where it is, by default the middle of the stage. */
    zoom(factor, point) {
      isFitted = false;
      const box = stageBox();
      const [left, top] = point ? [point.clientX - box.left, point.clientY - box.top] : [box.width / 2, box.height / 2];
      const next = Math.min(MAX_SCALE, Math.max(Math.min(fittingScale(), 1) / 2, scale * factor));
      const newX = left - ((left - x) * next) / scale;
      const newY = top - ((top - y) * next) / scale;
      scale = next;
      place(newX, newY);
    },
    /** Pan so far that a point of the picture is on the stage. */
    reveal(point) {
      const { x: left, y: top } = view.toStage(point);
      const missing = (offset, size) => Math.max(0, VISIBLE - offset) || Math.min(0, size - VISIBLE - offset);
      const [deltaX, deltaY] = [missing(left, stage.clientWidth), missing(top, stage.clientHeight)];
      if (deltaX || deltaY) view.pan(deltaX, deltaY);
    },
    /** Draw a line as the layer has drawn it. */
    line(points, size, isErasing) {
      if (isScheduled) return; // all is drawn anew before anybody sees it
      transform();
      context.save();
      context.beginPath();
      context.rect(0, 0, layer.width, layer.height);
      context.clip();
      drawLine(context, points, size, tint, isErasing);
      context.restore();
    },
    close: () => observer.disconnect(),
  };
  return view;
}
