// The form of Create: fields that follow the model, the price on the button, sending once.
import { forgetDraft, newName, restoreDraft, saveDraft } from "./draft.js";
import { credits, say } from "./page.js";
import { startImage } from "./start_image.js";

let form, models, picked, sent;

const one = (selector) => form.querySelector(selector);
const value = (name) => new FormData(form).get(name) ?? "";
const hasImage = () => Boolean(form.elements.start.value || form.elements.image.files.length);

/* ---- what the chosen model takes ---- */

function follow() {
  const model = models[value("model")];
  if (!model) return;
  if (picked && picked !== model) adapt(model);
  picked = model;
  for (const field of form.querySelectorAll("[data-field]")) {
    const name = field.dataset.field;
    const off = !model.takes.includes(name) || (name === "aspect_ratio" && model.shapeless_with_image && hasImage());
    field.toggleAttribute("data-off", off);
  }
  for (const hint of form.querySelectorAll("[data-range]")) {
    const range = model.ranges[hint.dataset.range];
    if (range) hint.textContent = say(hint.dataset.words, { a: range.minimum, b: range.maximum, n: range.suggested });
  }
  const shape = value("aspect_ratio");
  one("[data-size]").textContent = [shape, model.sizes[shape]].filter(Boolean).join(", ");
  one('[data-chip="model"]').textContent = model.title;
  one('[data-chip="shape"]').textContent = shape;
  one("[data-chip-glyph]").className = `glyph glyph-chosen glyph-${shape.replace(":", "x")}`;
  const style = form.querySelector('[name="style_preset"]:checked').closest("label");
  const chip = one('[data-chip="style"]');
  chip.textContent = value("style_preset") ? style.querySelector(".name").textContent : chip.dataset.none;
  const sample = one("[data-chip-sample]");
  sample.hidden = !value("style_preset");
  if (!sample.hidden) sample.src = style.querySelector("img").src;
  one("[data-strength]").textContent = Number(value("strength")).toFixed(2).replace(/0$/, "");
}

/** A number that the new model does not take is not carried over; a strength nobody moved follows its advice. */
function adapt(model) {
  for (const name of ["cfg_scale", "steps", "seed"]) {
    const range = model.ranges[name];
    const field = form.elements[name];
    if (field.value !== "" && range && !(field.value >= range.minimum && field.value <= range.maximum)) field.value = "";
  }
  const before = picked.ranges.strength?.suggested;
  if (model.ranges.strength && (before === undefined || Number(value("strength")) === before)) {
    form.elements.strength.value = model.ranges.strength.suggested;
  }
}

/* ---- words, price, summary ---- */

function mostlyForeign(text) {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return latin * 2 < letters;
}

function describe() {
  const longest = picked?.longest_prompt ?? 10000;
  const length = [...form.elements.prompt.value.trim()].length;
  const counter = one("[data-count]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  counter.textContent = `${number.format(length)} / ${number.format(longest)}`;
  counter.classList.toggle("is-over", length > longest);
  one("#language-hint").hidden = !(picked?.english_only && mostlyForeign(form.elements.prompt.value));
  const summary = one("[data-summary]");
  const seed = value("seed");
  const parts = [seed ? say(summary.dataset.seed, { n: seed }) : summary.dataset.random];
  if (picked?.takes.includes("output_format")) parts.push(value("output_format").toUpperCase());
  if (picked?.takes.includes("cfg_scale") && value("cfg_scale")) parts.push(say(summary.dataset.guidance, { n: value("cfg_scale") }));
  if (value("visibility") === "private") parts.push(summary.dataset.private);
  summary.textContent = parts.join(", ");
}

function price() {
  const steps = Number(value("steps")) || 0;
  const over = picked.included_steps && steps > picked.included_steps;
  return over ? Math.ceil((picked.price * steps) / picked.included_steps) : picked.price;
}

function reckon() {
  const count = Math.min(10, Math.max(1, Math.floor(Number(value("count"))) || 1));
  const label = one("[data-label]");
  if (!picked) return;
  const available = Number(document.getElementById("balance").dataset.available);
  const whole = count * price();
  const missing = whole - available;
  const short = missing > 0;
  label.textContent = short ? say(label.dataset.missing, { n: credits(missing) }) : say(label.dataset.words, { n: count });
  const costs = one("[data-cost-label]");
  costs.textContent = short ? "" : say(costs.dataset.words, { n: credits(whole) });
  one("#generate").classList.toggle("is-missing", short);
  const leaves = one("[data-leaves]");
  leaves.hidden = short;
  one("[data-ask]").hidden = !short;
  leaves.replaceChildren(...bold(leaves.dataset.words, { n: credits(available - whole), m: credits(available) }));
  const part = (amount) => `${available > 0 ? Math.max(0, (100 * amount) / available) : 0}%`;
  one(".meter .asked").style.width = part(available);
  one(".meter .stays").style.width = short ? "0%" : part(available - whole);
  one(".meter").classList.toggle("is-short", short);
}

function bold(words, { n, m }) {
  const [before, after] = words.split("{n}");
  const strong = document.createElement("strong");
  strong.textContent = n;
  return [before, strong, say(after, { m })];
}

function update() {
  follow();
  describe();
  reckon();
}

/* ---- sending ---- */

function edited() {
  // A request that may have arrived keeps its name only while it says the same.
  if (sent) {
    form.elements.submission.value = newName();
    sent = false;
  }
  saveDraft(form);
  update();
}

function ready() {
  form = document.getElementById("create-form");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "yes";
  if (form.hasAttribute("data-bound")) form.dataset.returned = "yes";
  else if (matchMedia("(min-width: 900px)").matches) form.elements.prompt.focus();
  models = JSON.parse(form.dataset.models);
  picked = models[value("model")];
  restoreDraft(form);
  if (form.dataset.prefilled) {
    history.replaceState(null, "", location.pathname);
    form.dataset.prefilled = "";
    saveDraft(form);
  }
  one("#negative").toggleAttribute("data-closed", !form.elements.negative_prompt.value);
  one('[data-open="negative"]').hidden = Boolean(form.elements.negative_prompt.value);
  if (/Mac|iPhone|iPad/.test(navigator.platform)) one("[data-key]").textContent = "⌘ ↵";
  update();
  form.addEventListener("input", edited);
  form.addEventListener("change", edited);
  startImage(form, () => picked?.takes.includes("image"), update);
  form.addEventListener("click", pressed);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!one("#generate").disabled) form.requestSubmit(one("#generate"));
    }
  });
}

function pressed(event) {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.step) {
    const field = form.elements.count;
    field.value = Math.min(10, Math.max(1, (Number(field.value) || 1) + Number(button.dataset.step)));
    edited();
  }
  if (button.dataset.open) {
    one("#negative").removeAttribute("data-closed");
    button.hidden = true;
    form.elements.negative_prompt.focus();
  }
  if (button.dataset.expand) {
    const open = document.getElementById(button.dataset.expand).classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(open));
  }
  if ("more" in button.dataset) {
    const closed = one("#more-fields").toggleAttribute("data-closed");
    button.setAttribute("aria-expanded", String(!closed));
    if (!closed) one("#more-fields").scrollIntoView({ block: "nearest" });
  }
  if ("randomSeed" in button.dataset) {
    form.elements.seed.value = "";
    edited();
  }
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt === form) sent = true;
});
/** Whether the answer is the new batch, and not the way to the sign-in or the form with its errors. */
const wasMade = (xhr) => xhr.status === 200 && !xhr.getResponseHeader("HX-Redirect");

document.addEventListener("htmx:beforeSwap", (event) => {
  // The live stream may have brought this batch before the answer did, and news of it since: then that one stays.
  if (event.detail.requestConfig?.elt !== form || !wasMade(event.detail.xhr)) return;
  const made = /id="(batch-[-0-9a-f]+)"/.exec(event.detail.serverResponse)?.[1];
  if (made && document.getElementById(made)) event.detail.swapOverride = "none";
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt !== form || !wasMade(event.detail.xhr)) return;
  sent = false;
  forgetDraft();
  form.elements.image.value = "";
  // The file is kept by now: the next request names it instead of sending it again.
  if (picked?.takes.includes("image")) form.elements.start.value = document.getElementById("moment").dataset.start;
  one("#form-errors").replaceChildren();
  for (const error of form.querySelectorAll(".error")) error.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const part of form.querySelectorAll(".has-error")) part.classList.remove("has-error");
  document.getElementById("first-run")?.remove();
  document.querySelector(".stream-head")?.removeAttribute("hidden");
  if (matchMedia("(max-width: 899px)").matches) document.querySelector(".stream").scrollIntoView({ behavior: "smooth" });
  reckon();
});
document.addEventListener("htmx:afterSettle", () => {
  ready();
  if (form) reckon();
  // A form that came back goes on where something is wrong.
  if (form?.dataset.returned) (one("[aria-invalid]") ?? form.elements.prompt).focus();
  if (form) delete form.dataset.returned;
});
document.addEventListener("portal:balance", () => form && reckon());

ready();
