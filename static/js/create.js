// The form of Create: fields that the model supports, the price on the button, one submission per press.
import { deleteDraft, randomUuid, restoreDraft, saveDraft } from "./draft.js";
import { credits, fill } from "./page.js";
import { setUpStartImage } from "./start_image.js";

let form, models, chosenModel, isSubmitted;

const find = (selector) => form.querySelector(selector);
const valueOf = (name) => new FormData(form).get(name) ?? "";
const hasImage = () => Boolean(form.elements.start.value || form.elements.image.files.length);

/* ---- the chosen model ---- */

/** Show the fields, ranges and chips of the chosen model. */
function showModel() {
  const model = models[valueOf("model")];
  if (!model) return;
  if (chosenModel && chosenModel !== model) adjustTo(model);
  chosenModel = model;
  for (const field of form.querySelectorAll("[data-field]")) {
    const name = field.dataset.field;
    const isUnsupported = !model.takes.includes(name) || (name === "aspect_ratio" && model.shapeless_with_image && hasImage());
    field.toggleAttribute("data-unsupported", isUnsupported);
  }
  for (const chip of form.querySelectorAll(".chip[popovertarget]")) {
    chip.hidden = document.getElementById(chip.getAttribute("popovertarget")).hasAttribute("data-unsupported");
  }
  for (const hint of form.querySelectorAll("[data-range]")) {
    const range = model.ranges[hint.dataset.range];
    if (range) hint.textContent = fill(hint.dataset.text, { a: range.minimum, b: range.maximum, n: range.suggested });
  }
  const aspectRatio = valueOf("aspect_ratio");
  find("[data-size]").textContent = [aspectRatio, model.sizes[aspectRatio]].filter(Boolean).join(", ");
  find('[data-chip="model"]').textContent = model.title;
  find('[data-chip="shape"]').textContent = aspectRatio;
  find("[data-chip-glyph]").className = `glyph glyph-chosen glyph-${aspectRatio.replace(":", "x")}`;
  const style = form.querySelector('[name="style_preset"]:checked').closest("label");
  const chip = find('[data-chip="style"]');
  chip.textContent = valueOf("style_preset") ? style.querySelector(".name").textContent : chip.dataset.none;
  const sample = find("[data-chip-sample]");
  sample.hidden = !valueOf("style_preset");
  if (!sample.hidden) sample.src = style.querySelector("img").src;
  find("[data-strength]").textContent = Number(valueOf("strength")).toFixed(2).replace(/0$/, "");
}

/** Clear numbers outside the new model's ranges; a strength that was not changed becomes its suggestion. */
function adjustTo(model) {
  for (const name of ["cfg_scale", "steps", "seed"]) {
    const range = model.ranges[name];
    const field = form.elements[name];
    if (field.value !== "" && range && !(field.value >= range.minimum && field.value <= range.maximum)) field.value = "";
  }
  const previous = chosenModel.ranges.strength?.suggested;
  if (model.ranges.strength && (previous === undefined || Number(valueOf("strength")) === previous)) {
    form.elements.strength.value = model.ranges.strength.suggested;
  }
}

/* ---- texts and price ---- */

/** Whether most letters of a text are not Latin. */
function isMostlyNonLatin(text) {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return latin * 2 < letters;
}

/** Show the prompt's length and the summary of further settings. */
function showSummary() {
  const maxLength = chosenModel?.longest_prompt ?? 10000;
  const length = [...form.elements.prompt.value.trim()].length;
  const counter = find("[data-count]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  counter.textContent = `${number.format(length)} / ${number.format(maxLength)}`;
  counter.classList.toggle("is-over", length > maxLength);
  find("#language-hint").hidden = !(chosenModel?.english_only && isMostlyNonLatin(form.elements.prompt.value));
  const summary = find("[data-summary]");
  const seed = valueOf("seed");
  const parts = [seed ? fill(summary.dataset.seed, { n: seed }) : summary.dataset.random];
  if (chosenModel?.takes.includes("output_format")) parts.push(valueOf("output_format").toUpperCase());
  if (chosenModel?.takes.includes("cfg_scale") && valueOf("cfg_scale")) parts.push(fill(summary.dataset.guidance, { n: valueOf("cfg_scale") }));
  if (valueOf("visibility") === "private") parts.push(summary.dataset.private);
  summary.textContent = parts.join(", ");
}

/** The price of one picture in hundredths of a credit; steps beyond the included ones cost more. */
function price() {
  const steps = Number(valueOf("steps")) || 0;
  const isAbove = chosenModel.included_steps && steps > chosenModel.included_steps;
  return isAbove ? Math.ceil((chosenModel.price * steps) / chosenModel.included_steps) : chosenModel.price;
}

/** Show the total on the button, and what remains of the balance. */
function showPrice() {
  const count = Math.min(10, Math.max(1, Math.floor(Number(valueOf("count"))) || 1));
  const label = find("[data-label]");
  if (!chosenModel) return;
  const available = Number(document.getElementById("balance").dataset.available);
  const total = count * price();
  const missing = total - available;
  const isShort = missing > 0;
  label.textContent = isShort ? fill(label.dataset.missing, { n: credits(missing) }) : fill(label.dataset.text, { n: count });
  const costLabel = find("[data-cost-label]");
  costLabel.textContent = isShort ? "" : fill(costLabel.dataset.text, { n: credits(total) });
  find("#generate").classList.toggle("is-missing", isShort);
  const balanceAfter = find("[data-balance-after]");
  balanceAfter.hidden = isShort;
  find("[data-ask-administrator]").hidden = !isShort;
  balanceAfter.replaceChildren(...withBoldNumber(balanceAfter.dataset.text, { n: credits(available - total), m: credits(available) }));
  const share = (amount) => `${available > 0 ? Math.max(0, (100 * amount) / available) : 0}%`;
  find(".meter .price-part").style.width = share(available);
  find(".meter .rest-part").style.width = isShort ? "0%" : share(available - total);
  find(".meter").classList.toggle("is-short", isShort);
}

function withBoldNumber(text, { n, m }) {
  const [before, after] = text.split("{n}");
  const strong = document.createElement("strong");
  strong.textContent = n;
  return [before, strong, fill(after, { m })];
}

function update() {
  showModel();
  showSummary();
  showPrice();
}

/* ---- submitting ---- */

function onEdit() {
  // A resubmission keeps its id, and so is not charged twice, only while the form is unchanged.
  if (isSubmitted) {
    form.elements.submission.value = randomUuid();
    isSubmitted = false;
  }
  saveDraft(form);
  update();
}

/** Set up the form, after the page has loaded and after htmx has replaced it. */
function setUp() {
  form = document.getElementById("create-form");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "yes";
  if (form.hasAttribute("data-bound")) form.dataset.returned = "yes";
  else if (matchMedia("(min-width: 900px)").matches) form.elements.prompt.focus();
  models = JSON.parse(form.dataset.models);
  chosenModel = models[valueOf("model")];
  restoreDraft(form);
  if (form.dataset.prefilled) {
    history.replaceState(null, "", location.pathname);
    form.dataset.prefilled = "";
    saveDraft(form);
  }
  find("#negative").toggleAttribute("data-closed", !form.elements.negative_prompt.value);
  find('[data-open="negative"]').hidden = Boolean(form.elements.negative_prompt.value);
  if (/Mac|iPhone|iPad/.test(navigator.platform)) find("[data-key]").textContent = "⌘ ↵";
  update();
  form.addEventListener("input", onEdit);
  form.addEventListener("change", onEdit);
  setUpStartImage(form, () => chosenModel?.takes.includes("image"), update);
  form.addEventListener("click", onClick);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!find("#generate").disabled) form.requestSubmit(find("#generate"));
    }
  });
}

function onClick(event) {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.step) {
    const field = form.elements.count;
    field.value = Math.min(10, Math.max(1, (Number(field.value) || 1) + Number(button.dataset.step)));
    onEdit();
  }
  if (button.dataset.open) {
    find("#negative").removeAttribute("data-closed");
    button.hidden = true;
    form.elements.negative_prompt.focus();
  }
  if (button.dataset.expand) {
    const isOpen = document.getElementById(button.dataset.expand).classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(isOpen));
  }
  if ("more" in button.dataset) {
    const isClosed = find("#more-fields").toggleAttribute("data-closed");
    button.setAttribute("aria-expanded", String(!isClosed));
    if (!isClosed) find("#more-fields").scrollIntoView({ block: "nearest" });
  }
  if ("randomSeed" in button.dataset) {
    form.elements.seed.value = "";
    onEdit();
  }
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt === form) isSubmitted = true;
});
/** Whether the response is the new batch, not a redirect to sign in or the form with errors. */
const isAccepted = (xhr) => xhr.status === 200 && !xhr.getResponseHeader("HX-Redirect");

document.addEventListener("htmx:beforeSwap", (event) => {
  // The event stream may have added this batch before the response arrived: then that newer one stays.
  if (event.detail.requestConfig?.elt !== form || !isAccepted(event.detail.xhr)) return;
  const batchId = /id="(batch-[-0-9a-f]+)"/.exec(event.detail.serverResponse)?.[1];
  if (batchId && document.getElementById(batchId)) event.detail.swapOverride = "none";
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt !== form || !isAccepted(event.detail.xhr)) return;
  isSubmitted = false;
  deleteDraft();
  form.elements.image.value = "";
  // The file is stored now: the next request refers to it instead of uploading it again.
  if (chosenModel?.takes.includes("image")) form.elements.start.value = document.getElementById("submission-fields").dataset.start;
  find("#form-errors").replaceChildren();
  for (const error of form.querySelectorAll(".error")) error.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const part of form.querySelectorAll(".has-error")) part.classList.remove("has-error");
  document.getElementById("first-run")?.remove();
  document.querySelector(".stream-head")?.removeAttribute("hidden");
  if (matchMedia("(max-width: 899px)").matches) document.querySelector(".stream").scrollIntoView({ behavior: "smooth" });
  showPrice();
});
document.addEventListener("htmx:afterSettle", () => {
  setUp();
  if (form) showPrice();
  // A form that was returned with errors gets the focus at the first one.
  if (form?.dataset.returned) (find("[aria-invalid]") ?? form.elements.prompt).focus();
  if (form) delete form.dataset.returned;
});
document.addEventListener("portal:balance", () => form && showPrice());

setUp();
