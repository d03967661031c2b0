// A mask at the full size of its picture: white where it was painted, transparent elsewhere; undo and redo by tiles.
const TILE = 256; // pixels
const HISTORY_BYTES = 48 * 2 ** 20; // what undo holds at most; redo, its reverse, holds about as much
const HISTORY_STEPS = 200;
const TILE_OVERHEAD = 64; // bytes of an entry whose tile is of one colour

/** An empty mask of that many pixels; throws RangeError if the browser has no canvas that large. */
export function createMaskLayer(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  // Undo reads pixels at every stroke: with the pixels in main memory that does not wait for the GPU.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new RangeError(`${width} × ${height}`);
  const columns = Math.ceil(width / TILE);
  const rows = Math.ceil(height / TILE);
  let undoable = [];
  let redoable = [];
  let position = 0;
  let step = null; // tile number → its pixels before the change under way

  /* ---- tiles: 0 or 255 if all pixels are so, else their alpha ---- */

  function box(number) {
    const x = (number % columns) * TILE;
    const y = Math.floor(number / columns) * TILE;
    return [x, y, Math.min(TILE, width - x), Math.min(TILE, height - y)];
  }

  function readTile(number) {
    const { data } = context.getImageData(...box(number));
    const alpha = new Uint8Array(data.length / 4);
    for (let i = 0; i < alpha.length; i++) alpha[i] = data[4 * i + 3];
    const [first] = alpha;
    return (first === 0 || first === 255) && alpha.every((value) => value === first) ? first : alpha;
  }

  function writeTile(number, tile) {
    const [x, y, tileWidth, tileHeight] = box(number);
    if (typeof tile === "number") return paintBox(x, y, tileWidth, tileHeight, !tile);
    const pixels = new ImageData(tileWidth, tileHeight);
    pixels.data.fill(255);
    for (let i = 0; i < tile.length; i++) pixels.data[4 * i + 3] = tile[i];
    context.putImageData(pixels, x, y);
  }

  function paintBox(x, y, boxWidth, boxHeight, isErasing) {
    context.globalCompositeOperation = "source-over";
    context.fillStyle = "#fff";
    if (isErasing) context.clearRect(x, y, boxWidth, boxHeight);
    else context.fillRect(x, y, boxWidth, boxHeight);
  }

  const allTiles = () => Array.from({ length: columns * rows }, (_, number) => number);

  /** Remember the tiles of a box before they change. */
  function remember(left, top, right, bottom) {
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, Math.floor(value / TILE)));
    if (right < 0 || bottom < 0 || left > width || top > height) return;
    for (let row = clamp(top, rows); row <= clamp(bottom, rows); row++) {
      for (let column = clamp(left, columns); column <= clamp(right, columns); column++) {
        const number = row * columns + column;
        if (!step.has(number)) step.set(number, readTile(number));
      }
    }
  }

  /* ---- history ---- */

  const bytes = (tiles) => [...tiles.values()].reduce((sum, tile) => sum + TILE_OVERHEAD + (tile.length ?? 0), 0);

  /** Put remembered tiles back; returns what they replaced. */
  function exchange(tiles) {
    const replaced = new Map();
    for (const [number, tile] of tiles) {
      replaced.set(number, readTile(number));
      writeTile(number, tile);
    }
    return replaced;
  }

  const historyBytes = () => undoable.reduce((sum, tiles) => sum + bytes(tiles), 0);

  function dropOldest() {
    while (undoable.length > 1 && (undoable.length > HISTORY_STEPS || historyBytes() > HISTORY_BYTES)) undoable.shift();
  }

  function change(paint) {
    layer.begin();
    remember(0, 0, width, height);
    paint();
    layer.commit();
  }

  const layer = {
    canvas,
    width,
    height,
    get canUndo() { return undoable.length > 0; },
    get canRedo() { return redoable.length > 0; },
    /** How many changes there are since it was made or loaded, less those that were undone. */
    get position() { return position; },
    historyBytes,

    /** Begin a change that is undone as one. */
    begin() { step = new Map(); },
    /** Keep the change under way. */
    commit() {
      if (step?.size) {
        undoable.push(step);
        redoable = [];
        position += 1;
        dropOldest();
      }
      step = null;
    },
    /** Take the change under way back. */
    revert() {
      if (step) exchange(step);
      step = null;
    },
    undo() {
      redoable.push(exchange(undoable.pop()));
      position -= 1;
    },
    redo() {
      undoable.push(exchange(redoable.pop()));
      position += 1;
    },

    /** Draw a line through points of the picture, `size` pixels wide; within begin and commit. */
    line(points, size, isErasing) {
      const reach = size / 2 + 1;
      points.forEach(({ x, y }, i) => {
        const from = points[i - 1] ?? { x, y };
        remember(Math.min(x, from.x) - reach, Math.min(y, from.y) - reach, Math.max(x, from.x) + reach, Math.max(y, from.y) + reach);
      });
      drawLine(context, points, size, "#fff", isErasing);
    },
    /** Paint or erase the pixels of a box between two corners; within begin and commit. */
    rectangle(one, other, isErasing) {
      const [left, right] = [one.x, other.x].sort((a, b) => a - b).map((x) => Math.round(Math.min(width, Math.max(0, x))));
      const [top, bottom] = [one.y, other.y].sort((a, b) => a - b).map((y) => Math.round(Math.min(height, Math.max(0, y))));
      if (right === left || bottom === top) return;
      remember(left, top, right - 1, bottom - 1);
      paintBox(left, top, right - left, bottom - top, isErasing);
    },
    fill: () => change(() => paintBox(0, 0, width, height, false)),
    clear: () => change(() => paintBox(0, 0, width, height, true)),
    invert: () => change(() => {
      context.globalCompositeOperation = "xor"; // white where nothing is, nothing where white is
      context.fillStyle = "#fff";
      context.fillRect(0, 0, width, height);
      context.globalCompositeOperation = "source-over";
    }),

    isEmpty: () => allTiles().every((number) => readTile(number) === 0),
    /** Whether most of a pixel is painted. */
    isPainted: ({ x, y }) => context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data[3] > 127,

    /** Take over a mask, as wide and high as this one afterwards: white is painted, black and transparent are not. */
    load(image) {
      context.globalCompositeOperation = "source-over";
      context.fillStyle = "#000";
      context.fillRect(0, 0, width, height);
      context.drawImage(image, 0, 0, width, height);
      for (const number of allTiles()) {
        const [x, y, ...size] = box(number);
        const pixels = context.getImageData(x, y, ...size);
        for (let i = 0; i < pixels.data.length; i += 4) {
          pixels.data[i + 3] = pixels.data[i]; // grey: red is as good as any
          pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = 255;
        }
        context.putImageData(pixels, x, y);
      }
      undoable = [];
      redoable = [];
      position = 0;
    },

    /** The mask as a PNG without alpha: white on black; throws RangeError if the browser cannot. */
    async toBlob() {
      const flat = Object.assign(document.createElement("canvas"), { width, height });
      const flatContext = flat.getContext("2d", { alpha: false });
      flatContext.fillStyle = "#000";
      flatContext.fillRect(0, 0, width, height);
      flatContext.drawImage(canvas, 0, 0);
      const blob = await new Promise((resolve) => { flat.toBlob(resolve, "image/png"); });
      flat.width = flat.height = 0; // some browsers hold the memory of a canvas for long otherwise
      if (!blob) throw new RangeError(`${width} × ${height}`);
      return blob;
    },
  };
  return layer;
}

/** Draw a line with round ends through points, or a dot at a single one. */
export function drawLine(context, points, size, colour, isErasing) {
  context.globalCompositeOperation = isErasing ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = colour;
  context.beginPath();
  if (points.length === 1) {
    context.arc(points[0].x, points[0].y, size / 2, 0, 2 * Math.PI);
    context.fill();
  } else {
    context.lineWidth = size;
    context.lineCap = context.lineJoin = "round";
    points.forEach(({ x, y }, i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
}
