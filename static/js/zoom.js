// A picture that can be zoomed about a point and dragged while it is larger than its stage.
const FURTHEST = 4; // times 100 %
const LEAST = 2; // a picture that is whole at its own size may be looked at closer too

/** How a picture on its stage is zoomed and moved. */
export function zoomable(picture, stage) {
  let scale = 1;
  let x = 0;
  let y = 0;

  /** The scale at which a pixel of the picture is a pixel of the page. */
  const whole = () => {
    const full = picture.naturalWidth / picture.offsetWidth;
    return full > 1.05 ? full : LEAST;
  };
  const furthest = () => Math.max(whole(), 1) * FURTHEST;
  const middle = () => {
    const box = stage.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  };
  const within = (value, size, room) => {
    const most = Math.max(0, (size * scale - room) / 2);
    return Math.min(most, Math.max(-most, value));
  };

  function draw() {
    picture.style.transform = scale === 1 && !x && !y ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("is-zoomed", scale > 1);
  }

  function move(across, down) {
    x = within(x + across, picture.offsetWidth, stage.clientWidth);
    y = within(y + down, picture.offsetHeight, stage.clientHeight);
    draw();
  }

  /** To a scale, about a point of the window that stays where it is. */
  function to(wanted, point) {
    const next = Math.min(furthest(), Math.max(1, wanted));
    const from = middle();
    const grows = next / scale;
    x = (point.x - from.x) * (1 - grows) + x * grows;
    y = (point.y - from.y) * (1 - grows) + y * grows;
    scale = next;
    move(0, 0);
  }

  /** With a short glide, unless somebody wants none. */
  function glide(change) {
    picture.classList.add("glides");
    change();
    setTimeout(() => picture.classList.remove("glides"), 200);
  }

  return {
    move,
    get isZoomed() { return scale > 1; },
    by: (factor, point) => to(scale * factor, point),
    toggle: (point) => glide(() => to(scale > 1 ? 1 : whole(), point)),
    /** Follow a finger without being zoomed. */
    lean(across, down) {
      picture.style.transform = `translate(${across}px, ${down}px)`;
      picture.style.opacity = String(1 - Math.min(0.6, Math.abs(down) / 400));
    },
    settle: () => glide(() => { picture.style.opacity = ""; draw(); }),
  };
}
