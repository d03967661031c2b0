// Zooming a picture about a point, and moving it while it is larger than its stage.
const MAX_FACTOR = 4; // times 100 %
const SMALL_PICTURE_SCALE = 2; // for a picture that is shown at 100 % already

/** Zoom and move a picture on its stage. */
export function zoomable(picture, stage) {
  let scale = 1;
  let x = 0;
  let y = 0;

  /** The scale at which one pixel of the picture is one CSS pixel. */
  const fullScale = () => {
    const full = picture.naturalWidth / picture.offsetWidth;
    return full > 1.05 ? full : SMALL_PICTURE_SCALE;
  };
  const maxScale = () => Math.max(fullScale(), 1) * MAX_FACTOR;
  const stageCentre = () => {
    const box = stage.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  };
  const clamp = (offset, pictureSize, stageSize) => {
    const max = Math.max(0, (pictureSize * scale - stageSize) / 2);
    return Math.min(max, Math.max(-max, offset));
  };

  function draw() {
    picture.style.transform = scale === 1 && !x && !y ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("is-zoomed", scale > 1);
  }

  function move(deltaX, deltaY) {
    x = clamp(x + deltaX, picture.offsetWidth, stage.clientWidth);
    y = clamp(y + deltaY, picture.offsetHeight, stage.clientHeight);
    draw();
  }

  /** Zoom to a scale; the point of the window stays where it is. */
  function scaleTo(requested, point) {
    const next = Math.min(maxScale(), Math.max(1, requested));
    const centre = stageCentre();
    const factor = next / scale;
    x = (point.x - centre.x) * (1 - factor) + x * factor;
    y = (point.y - centre.y) * (1 - factor) + y * factor;
    scale = next;
    move(0, 0);
  }

  /** Animate a change; the style sheet honours prefers-reduced-motion. */
  function animate(change) {
    picture.classList.add("is-animated");
    change();
    setTimeout(() => picture.classList.remove("is-animated"), 200);
  }

  return {
    move,
    get isZoomed() { return scale > 1; },
    scaleBy: (factor, point) => scaleTo(scale * factor, point),
    toggle: (point) => animate(() => scaleTo(scale > 1 ? 1 : fullScale(), point)),
    /** Follow a finger during a swipe. */
    follow(deltaX, deltaY) {
      picture.style.transform = `translate(${deltaX}px, ${deltaY}px)`;
      picture.style.opacity = String(1 - Math.min(0.6, Math.abs(deltaY) / 400));
    },
    /** Return to where the picture was before the swipe. */
    reset: () => animate(() => { picture.style.opacity = ""; draw(); }),
  };
}
