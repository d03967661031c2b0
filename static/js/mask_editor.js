// The mask editor: a full-screen dialog to paint over what should change, and the fields that open it.
import { notice, fill } from "./page.js";
import { createMaskLayer } from "./mask_layer.js";
import { handlePainting } from "./mask_painting.js";
import { deleteMask, loadMask, nameOfFile, saveMask } from "./mask_store.js";
import { createMaskView } from "./mask_view.js";
import { whenOpened } from "./when_opened.js";

const ZOOM_STEP = 1.4;
const SIZE_STEP = 1.2;
const SAVE_AFTER = 1200; // milliseconds without a change
const SPEAK_AFTER = 250; // milliseconds after the last move of the brush
const PREVIEW_WIDTH = 480; // pixels
const TOOLS = { b: "brush", e: "eraser", r: "rectangle" };
const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

/** Load a picture from an address or a Blob, turned as its EXIF data says; EncodingError if it is none. */
async function showPicture(picture, source) {
  const address = typeof source === "string" ? source : URL.createObjectURL(source);
  picture.src = address;
  try {
    await picture.decode();
  } finally {
    if (address !== source) URL.revokeObjectURL(address); // what is decoded stays
  }
  return picture;
}

/**
 * Open the editor over a picture, an address or a Blob; resolves to the mask, or to null if none was kept.
 *
 * The mask is a PNG as wide and high as the picture is after its EXIF orientation: white is what should change, black
 * stays, edges are grey. `mask` is what to begin with. With a `key`, a name of the picture, what was painted is stored
 * until it is sent, see mask_store.js. Rejects with an EncodingError if the picture cannot be read and with a
 * RangeError if it is too large for the browser.
 */
export async function openMaskEditor({ image, mask = null, key = "" }) {
  const dialog = await whenOpened("mask-editor");
  if (!dialog || dialog.open) return null;
  const picture = dialog.querySelector(".mask-picture");
  picture.removeAttribute("src"); // not the one of last time, while this one loads
  dialog.setAttribute("aria-busy", "true");
  dialog.showModal();
  document.documentElement.classList.add("is-masking");
  try {
    const [, stored] = await Promise.all([showPicture(picture, image), key ? loadMask(key) : null]);
    const layer = createMaskLayer(picture.naturalWidth, picture.naturalHeight);
    const beginning = stored?.draft ?? mask;
    if (beginning) layer.load(await createImageBitmap(beginning));
    if (!dialog.open) return null; // closed meanwhile
    dialog.removeAttribute("aria-busy");
    return await edit(dialog, layer, { key, isDraft: Boolean(stored?.draft) });
  } finally {
    document.documentElement.classList.remove("is-masking");
    dialog.close();
  }
}

/** Let somebody paint until the dialog is closed; resolves to the mask or null. */
function edit(dialog, layer, { key, isDraft }) {
  const find = (selector) => dialog.querySelector(selector);
  const button = (value) => find(`button[value="${value}"]`);
  const [stage, overlay, question] = [".mask-stage", ".mask-overlay", ".mask-question"].map(find);
  const [sizeSlider, opacitySlider] = ["[data-brush-size]", "[data-opacity]"].map(find);
  const texts = dialog.dataset;
  const ending = new AbortController();
  const { signal } = ending;
  const maxSize = Math.max(32, Math.round(Math.min(layer.width, layer.height) / 2));
  const brush = { tool: "brush", size: Math.max(2, Math.round(Math.min(layer.width, layer.height) / 14)) };
  const isChanged = () => isDraft || layer.position !== 0;
  let finish;
  const finished = new Promise((resolve) => { finish = resolve; });

  const picture = find(".mask-picture");
  picture.style.width = `${layer.width}px`;
  picture.style.height = `${layer.height}px`;
  find("[data-picture-size]").textContent = fill(texts.dimensions, { w: layer.width, h: layer.height });
  const view = createMaskView(stage, picture, overlay, layer, () => {
    find("[data-zoom]").textContent = percent.format(view.scale);
    painting.update();
  });
  const painting = handlePainting({
    stage, layer, view, brush, signal, changed, speak: speakPosition, cursor: find(".mask-cursor"), frame: find(".mask-frame"),
  });

  /* ---- what is said to screen readers ---- */

  let speaking;
  function speak(text, delay = 0) {
    clearTimeout(speaking);
    speaking = setTimeout(() => { find("[data-announcer]").textContent = text; }, delay);
  }

  function speakPosition(point) {
    const isInside = point.x < layer.width && point.y < layer.height;
    const text = isInside && layer.isPainted(point) ? texts.paintedPosition : texts.position;
    speak(fill(text, { x: Math.floor(point.x), y: Math.floor(point.y) }), SPEAK_AFTER);
  }

  /* ---- tools ---- */

  function showBrush() {
    for (const tool of Object.values(TOOLS)) button(tool).setAttribute("aria-pressed", String(brush.tool === tool));
    const text = fill(texts.size, { n: brush.size });
    find("[data-size-text]").textContent = text;
    sizeSlider.setAttribute("aria-valuetext", text);
    sizeSlider.value = (100 * Math.log(brush.size)) / Math.log(maxSize);
    painting.update();
  }

  function resize(direction) {
    const next = direction > 0 ? Math.max(brush.size + 1, Math.round(brush.size * SIZE_STEP)) : Math.min(brush.size - 1, Math.round(brush.size / SIZE_STEP));
    brush.size = Math.min(maxSize, Math.max(1, next));
    showBrush();
    speak(fill(texts.size, { n: brush.size }));
  }

  function showOpacity() {
    overlay.style.opacity = opacitySlider.value / 100;
    find("[data-opacity-text]").textContent = percent.format(opacitySlider.value / 100);
    opacitySlider.setAttribute("aria-valuetext", percent.format(opacitySlider.value / 100));
  }

  function changed() {
    button("undo").setAttribute("aria-disabled", String(!layer.canUndo));
    button("redo").setAttribute("aria-disabled", String(!layer.canRedo));
    saveSoon();
  }

  function paintAll(act, text) {
    painting.interrupt();
    layer[act]();
    view.redraw();
    changed();
    speak(text);
  }

  function zoom(factor) {
    view.zoom(factor);
    speak(percent.format(view.scale));
  }

  const commands = {
    close: askToClose,
    keep,
    discard: () => leave(null),
    stay: () => question.close(),
    fill: () => paintAll("fill", texts.filled),
    invert: () => paintAll("invert", texts.inverted),
    clear: () => paintAll("clear", texts.cleared),
    undo: () => layer.canUndo && paintAll("undo", texts.undone),
    redo: () => layer.canRedo && paintAll("redo", texts.redone),
    "zoom-in": () => zoom(ZOOM_STEP),
    "zoom-out": () => zoom(1 / ZOOM_STEP),
    fit: () => view.fit(),
  };
  for (const tool of Object.values(TOOLS)) {
    commands[tool] = () => {
      painting.interrupt();
      brush.tool = tool;
      showBrush();
    };
  }

  /* ---- storing, keeping, closing ---- */

  let saving = Promise.resolve(); // one after the other, so that an older mask never replaces a newer one
  let saveTimer;
  const store = (changes) => {
    clearTimeout(saveTimer);
    if (key) saving = saving.then(() => saveMask(key, changes));
    return saving;
  };

  function saveSoon() {
    clearTimeout(saveTimer);
    if (key) saveTimer = setTimeout(saveDraft, SAVE_AFTER);
  }

  async function saveDraft() {
    if (painting.isPainting) return saveSoon();
    const { position } = layer;
    const draft = isChanged() ? await layer.toBlob() : null;
    return position === layer.position && !signal.aborted ? store({ draft }) : undefined;
  }

  async function keep() {
    painting.interrupt();
    question.close();
    if (layer.isEmpty()) return notice(texts.empty);
    button("keep").disabled = true;
    try {
      return await leave(await layer.toBlob());
    } catch (problem) {
      if (!(problem instanceof RangeError)) throw problem;
      return notice(texts.tooLarge);
    } finally {
      button("keep").disabled = false;
    }
  }

  function askToClose() {
    painting.interrupt();
    if (isChanged()) question.showModal();
    else leave(null);
  }

  async function leave(blob) {
    ending.abort();
    view.close();
    question.close();
    await store(blob ? { mask: blob, draft: null } : { draft: null });
    finish(blob);
  }

  /* ---- events ---- */

  const listen = (element, type, handle) => element.addEventListener(type, handle, { signal });

  listen(dialog, "click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed || pressed.getAttribute("aria-disabled") === "true") return;
    commands[pressed.value]?.();
    // After the mouse, Space belongs to the picture and not to the button that was pressed last.
    if (event.detail && dialog.open && !question.open) stage.focus({ preventScroll: true });
  });
  listen(sizeSlider, "input", () => {
    brush.size = Math.max(1, Math.round(maxSize ** (sizeSlider.value / 100)));
    showBrush();
  });
  listen(opacitySlider, "input", showOpacity);
  listen(dialog, "keydown", (event) => {
    if (question.open) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const name = event.key.toLowerCase();
    let act;
    if (event.key === "Escape") act = commands.close;
    else if (event.key === "[" || event.key === "]") act = () => resize(event.key === "]" ? 1 : -1); // with AltGr on some keyboards
    else if (isCommand && name === "z") act = event.shiftKey ? commands.redo : commands.undo;
    else if (isCommand && name === "y") act = commands.redo;
    else if (isCommand || event.altKey) return;
    else act = commands[TOOLS[name] ?? { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 0: "fit" }[name]];
    if (!act) return;
    event.preventDefault();
    act();
  });
  listen(dialog, "cancel", (event) => { // "back" on a phone; the browser lets it be prevented once
    if (event.target !== dialog) return;
    event.preventDefault();
    askToClose();
  });
  listen(dialog, "close", async (event) => {
    if (event.target !== dialog) return;
    await saveDraft(); // what nobody decided about is there again next time
    ending.abort();
    view.close();
    finish(null);
  });
  listen(document, "visibilitychange", () => document.hidden && saveDraft());
  moveFocusWithin(find("[role=toolbar]"), signal);

  if (isDraft) notice(texts.restored);
  showBrush();
  showOpacity();
  changed();
  stage.focus({ preventScroll: true });
  return finished;
}

/** A toolbar is one stop of the Tab key; arrow keys go along its buttons. */
function moveFocusWithin(toolbar, signal) {
  const buttons = [...toolbar.querySelectorAll("button")];
  const stop = (chosen) => buttons.forEach((each) => { each.tabIndex = each === chosen ? 0 : -1; });
  stop(buttons[0]);
  toolbar.addEventListener("focusin", ({ target }) => stop(target), { signal });
  toolbar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    buttons.at(next % buttons.length).focus();
  }, { signal });
}

/* ---- fields ---- */

/**
 * Set up a field as in mask_field.html. `data-image-input` (a file field) and `data-image-preview` (an <img>) are
 * selectors; `data-image-address` is the address of the whole picture, if the preview shows a smaller one. The mask goes
 * into the file field of the selector `data-mask-input`, or into the one that the field contains.
 */
function setUpField(field) {
  const named = (selector) => (selector ? document.querySelector(selector) : null);
  const imageInput = named(field.dataset.imageInput);
  const imagePreview = named(field.dataset.imagePreview);
  const maskInput = named(field.dataset.maskInput) ?? field.querySelector('input[type="file"]');
  const texts = document.getElementById("mask-editor").dataset;
  let key = ""; // of the picture that the mask belongs to

  /** The picture as it is chosen now: a File, an address, or null. */
  function image() {
    const [file] = imageInput?.files ?? [];
    const address = field.dataset.imageAddress || imagePreview?.getAttribute("src");
    return file ?? (address && !address.startsWith("blob:") ? address : null); // a blob: is the preview of a file that was taken out
  }

  const nameOf = async (source) => {
    if (!source) return "";
    return typeof source === "string" ? new URL(source, location.href).pathname : nameOfFile(source);
  };

  function setMask(blob) {
    const transfer = new DataTransfer(); // the only way to set the files of a field
    if (blob) transfer.items.add(new File([blob], "mask.png", { type: "image/png" }));
    maskInput.files = transfer.files;
    maskInput.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Show the mask that the field holds over its picture. */
  async function showPreview() {
    const [mask] = maskInput.files;
    const source = image();
    field.classList.toggle("has-image", Boolean(source));
    field.classList.toggle("has-mask", Boolean(mask));
    if (!mask || !source) return field.classList.remove("has-preview");
    const [picture, pixels] = await Promise.all([showPicture(new Image(), source), createImageBitmap(mask)]);
    if (mask !== maskInput.files[0] || source !== image()) return; // chosen anew meanwhile: that call shows it
    drawPreview(field.querySelector("[data-mask-preview]"), picture, pixels);
    field.classList.add("has-preview");
  }

  /** Begin anew if another picture was chosen, with the mask that is stored for it. */
  async function imageChanged() {
    const source = image();
    const name = await nameOf(source);
    if (source === image() && name !== key) {
      const hadMask = key && maskInput.files.length;
      key = name;
      const mask = name ? (await loadMask(name))?.mask : null;
      if (name === key && (mask || hadMask)) return setMask(mask);
    }
    return showPreview();
  }

  const failed = (problem) => {
    if (problem.name !== "EncodingError" && !(problem instanceof RangeError)) throw problem;
    notice(problem instanceof RangeError ? texts.tooLarge : texts.unreadable);
  };

  async function open() {
    await imageChanged();
    const mask = await openMaskEditor({ image: image(), mask: maskInput.files[0] ?? null, key });
    if (mask) setMask(mask);
  }

  field.addEventListener("click", ({ target }) => {
    if (target.closest("[data-edit-mask]") && image()) open().catch(failed);
    if (target.closest("[data-remove-mask]")) {
      setMask(null);
      if (key) deleteMask(key);
      field.querySelector("[data-edit-mask]").focus();
    }
  });
  maskInput.addEventListener("change", () => showPreview().catch(failed));
  imageInput?.addEventListener("change", () => imageChanged().catch(failed));
  const observer = new MutationObserver(() => imageChanged().catch(failed));
  observer.observe(field, { attributeFilter: ["data-image-address"] });
  if (imagePreview) observer.observe(imagePreview, { attributeFilter: ["src"] });
  document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr } }) => {
    const isSent = elt.contains(maskInput) && xhr.status === 200 && !xhr.getResponseHeader("HX-Redirect");
    if (isSent && key && elt.matches("form")) deleteMask(key);
  });
  imageChanged().catch(failed);
}

/** Draw a picture with a mask over it, small. */
function drawPreview(canvas, picture, mask) {
  canvas.width = Math.min(PREVIEW_WIDTH, picture.naturalWidth);
  canvas.height = Math.max(1, Math.round((canvas.width * picture.naturalHeight) / picture.naturalWidth));
  const layer = createMaskLayer(canvas.width, canvas.height);
  layer.load(mask);
  const tinted = layer.canvas.getContext("2d");
  tinted.globalCompositeOperation = "source-in";
  tinted.fillStyle = getComputedStyle(canvas).color;
  tinted.fillRect(0, 0, canvas.width, canvas.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.6;
  context.drawImage(layer.canvas, 0, 0);
}

function setUpFields(root) {
  for (const field of root.querySelectorAll("[data-mask-editor]:not([data-ready])")) {
    field.dataset.ready = "yes";
    setUpField(field);
  }
}

document.addEventListener("htmx:load", () => setUpFields(document));
setUpFields(document);
