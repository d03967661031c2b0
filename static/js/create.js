// The form of Create: the chosen operation and model, the price on the button, one submission per press.
// It knows no field of a model: what depends on the model is #choices, which the server renders.
import { deleteDraft, randomUuid, saveDraft, withDraft } from "./draft.js";
import { deleteStoredMasks, isUploading, setUpInputs } from "./inputs.js";
import { credits, csrfToken, fill, goToSignIn, notice, parse, portal } from "./page.js";

let form, isSubmitted;
let isNegativeOpen = false; // without a text
let renewal = null; // an AbortController while other choices are asked for
let isSubmitDelayed = false; // until files are uploaded and the choices are those of the chosen model
const opened = new Set(); // ids of what was unfolded

const find = (selector) => form.querySelector(selector);
const choices = () => document.getElementById("choices");
const valueOf = (name) => new FormData(form).get(name) ?? "";
const card = () => find('[name="model"]:checked')?.closest(".card");

/* ---- other choices ---- */

/** Ask for the choices of another model, operation or picture, with what is filled in, and show them. */
async function renew(values = new FormData(form), focus = document.activeElement?.id) {
  renewal?.abort();
  const mine = renewal = new AbortController();
  values.set("change", "1");
  for (const [name, value] of [...values]) if (typeof value !== "string") values.delete(name);
  const before = new FormData(form);
  try {
    const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
    const response = await fetch(form.getAttribute("action"), { method: "POST", headers, body: values, signal: mine.signal });
    if (response.headers.get("HX-Redirect") || response.redirected) return goToSignIn();
    if (!response.ok) return notice(response.status === 413 ? portal.tooLarge : portal.failed);
    const part = parse(await response.text()).querySelector("#choices");
    if (renewal === mine) show(part, before, focus);
  } catch (problem) {
    if (problem.name === "AbortError") return undefined;
    if (!(problem instanceof TypeError)) throw problem;
    notice(portal.offline);
  } finally {
    if (renewal === mine) {
      renewal = null;
      submitIfDelayed();
    }
  }
  return undefined;
}

function submitIfDelayed() {
  if (!isSubmitDelayed || renewal || isUploading()) return;
  isSubmitDelayed = false;
  form.requestSubmit(find("#generate"));
}

/** Whether a field differs from what was sent; of radio buttons the one that is chosen now. */
function isChanged({ name, type, value, checked }, before) {
  const wasChosen = before.getAll(name).includes(value);
  if (type === "radio") return checked && !wasChosen;
  return type === "checkbox" ? checked !== wasChosen : value !== before.get(name);
}

/** Put the new choices in place; what was filled in since they were asked for stays. */
function show(part, before, focus) {
  const later = [...choices().querySelectorAll("input:not([type=hidden], [type=file]), textarea, select")]
    .filter((field) => field.name && isChanged(field, before));
  const { scrollTop } = find(".create-fields");
  choices().replaceWith(part);
  for (const { name, type, value, checked } of later) {
    const isChosen = type === "radio" || type === "checkbox";
    const field = part.querySelector(`[name="${name}"]${isChosen ? `[value="${value}"]` : ":not([type=hidden], [type=file])"}`);
    if (field && isChosen) field.checked = checked;
    else if (field) field.value = value;
  }
  for (const id of opened) setOpen(id, true);
  window.htmx.process(part);
  document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: part } })); // the editors set themselves up
  find(".create-fields").scrollTop = scrollTop;
  const target = focus && document.getElementById(focus);
  if (target && part.contains(target)) target.focus({ preventScroll: true });
  onEdit();
}

/** Unfold or fold cards, styles or further fields. */
function setOpen(id, isOpen) {
  const part = document.getElementById(id);
  if (!part) return;
  opened[isOpen ? "add" : "delete"](id);
  part.classList.toggle("is-open", isOpen);
  if (id === "more-fields") part.toggleAttribute("data-closed", !isOpen);
  find(`[data-expand="${id}"], [aria-controls="${id}"]`)?.setAttribute("aria-expanded", String(isOpen));
}

/* ---- what is shown ---- */

/** Show what the chosen model takes of the prompts, and the words of what is chosen. */
function showChosen() {
  const { dataset } = choices();
  const [hasPrompt, hasNegative] = ["prompt" in dataset, "negative" in dataset];
  find("#prompt-part").toggleAttribute("data-unsupported", !hasPrompt && !hasNegative);
  for (const part of ["#id_prompt", "#prompt-tools"]) find(part).toggleAttribute("data-unsupported", !hasPrompt);
  find("#negative").toggleAttribute("data-unsupported", !hasNegative);
  find("#negative").toggleAttribute("data-closed", hasPrompt && !form.elements.negative_prompt.value && !isNegativeOpen);
  const opener = find('[data-open="negative"]');
  opener.toggleAttribute("data-unsupported", !hasNegative);
  opener.hidden = !find("#negative").hasAttribute("data-closed");
  form.elements.prompt.placeholder = dataset.placeholder;
  if (find("[data-expand-editor]")) import("./expand_editor.js");
  form.toggleAttribute("data-needs-prompt", "needsPrompt" in dataset);
  const operation = document.getElementById(`id_operation_${dataset.operation}`);
  if (operation) operation.checked = true;
  showMoreOperations();
  const text = (name, value) => { const chip = find(`[data-chip="${name}"]`); if (chip) chip.textContent = value ?? ""; };
  text("model", card()?.querySelector(".name").textContent);
  const shape = find(".shapes :checked");
  if (shape) {
    find("[data-size]").textContent = [shape.value, shape.dataset.pixels].filter(Boolean).join(", ");
    text("shape", shape.value);
    const glyph = find("[data-chip-glyph]");
    if (glyph) glyph.className = `${shape.nextElementSibling.className} glyph-chosen`;
  }
  const style = find(".styles :checked")?.closest("label");
  const sample = find("[data-chip-sample]");
  if (style && sample) {
    const image = style.querySelector("img");
    text("style", image ? style.querySelector(".name").textContent : find('[data-chip="style"]').dataset.none);
    sample.hidden = !image;
    if (image) sample.src = image.src;
  }
}

function showMoreOperations() {
  const more = find("[data-more-operations]");
  if (!more) return;
  const chosen = more.querySelector(":checked")?.closest("label");
  const title = more.querySelector("[data-more-title]");
  title.textContent = chosen ? chosen.textContent.trim() : title.dataset.text;
  more.querySelector("summary").classList.toggle("is-chosen", Boolean(chosen));
}

/** Whether most letters of a text are not Latin. */
function isMostlyNonLatin(text) {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return latin * 2 < letters;
}

/** Show the prompt's length and the summary of further settings. */
function showSummary() {
  const { longest, english } = choices().dataset;
  const length = [...form.elements.prompt.value.trim()].length;
  const counter = find("[data-count]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  counter.textContent = `${number.format(length)} / ${number.format(longest)}`;
  counter.classList.toggle("is-over", length > Number(longest));
  find("#language-hint").hidden = english === undefined || !isMostlyNonLatin(form.elements.prompt.value);
  const summary = find("[data-summary]");
  const parts = [...form.querySelectorAll(".more-fields [data-field]")].map((field) => textOf(field, summary.dataset.value));
  if (valueOf("visibility") === "private") parts.push(summary.dataset.private);
  summary.textContent = parts.filter(Boolean).join(", ");
}

/** A field in a few words: the chosen title, or its name with the number; empty if nothing is filled in. */
function textOf(field, template) {
  const { title } = field.dataset;
  const chosen = field.querySelector(":checked");
  if (chosen) return chosen.type === "checkbox" ? title : chosen.textContent.trim() || chosen.closest("label").textContent.trim();
  const input = field.querySelector("input[name]:not([type=checkbox], [type=radio])");
  const value = input?.value || (input?.closest(".with-button") ? input.placeholder : "");
  return value ? fill(template, { name: title, value }) : "";
}

/** The price of one picture in hundredths of a credit; steps beyond the included ones cost more. */
function price() {
  const { price: base, includedSteps: included } = card().dataset;
  const steps = Number(valueOf("steps")) || 0;
  return included && steps > Number(included) ? Math.ceil((Number(base) * steps) / Number(included)) : Number(base);
}

/** Show the total on the button, and what remains of the balance. */
function showPrice() {
  const count = Math.min(10, Math.max(1, Math.floor(Number(valueOf("count"))) || 1));
  const label = find("[data-label]");
  if (!card()) return;
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
  showChosen();
  showSummary();
  showPrice();
}

/* ---- filling in ---- */

function onEdit() {
  // A resubmission keeps its id, and so is not charged twice, only while the form is unchanged.
  if (isSubmitted) {
    form.elements.submission.value = randomUuid();
    isSubmitted = false;
  }
  saveDraft(form);
  update();
}

function onInput({ target }) {
  if (target.matches("[data-slider]")) form.elements[target.dataset.slider].value = target.value;
  const slider = target.name && find(`[data-slider="${target.name}"]`);
  if (slider) slider.value = target.value || slider.dataset.usual;
  if (target.matches("[data-search-models]")) searchModels(target.value);
  onEdit();
}

function onChange({ target }) {
  if (target.name !== "model" && target.name !== "operation") return;
  find("[data-more-operations]")?.removeAttribute("open");
  if (target.name === "operation") choices().dataset.operation = target.value;
  onEdit();
  renew();
}

function searchModels(text) {
  const words = text.toLowerCase().split(/\s+/);
  const cards = find("#cards");
  cards.classList.toggle("is-searched", Boolean(text.trim()));
  for (const each of cards.querySelectorAll(".card")) {
    each.hidden = !words.every((word) => each.dataset.words.toLowerCase().includes(word));
  }
}

/** Set up the form, after the page has loaded and after htmx has replaced it. */
function setUp() {
  form = document.getElementById("create-form");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "yes";
  if (form.hasAttribute("data-bound")) form.dataset.returned = "yes";
  else if (matchMedia("(min-width: 900px)").matches) form.elements.prompt.focus();
  const draft = withDraft(form);
  if (draft) restore(draft);
  if (form.dataset.prefilled) {
    history.replaceState(null, "", location.pathname);
    form.dataset.prefilled = "";
    if (!draft) saveDraft(form);
  }
  if (/Mac|iPhone|iPad/.test(navigator.platform)) find("[data-key]").textContent = "⌘ ↵";
  update();
  form.addEventListener("input", onInput);
  form.addEventListener("change", onChange);
  setUpInputs(form, { changed: (focus) => renew(undefined, focus), failed: () => { isSubmitDelayed = false; } });
  form.addEventListener("click", onClick);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!find("#generate").disabled) form.requestSubmit(find("#generate"));
    }
  });
}

/** Show a draft: the prompts and the number at once, the rest as the server renders it. */
function restore(values) {
  for (const name of ["prompt", "negative_prompt", "count"]) form.elements[name].value = values.get(name) ?? "";
  const operation = document.getElementById(`id_operation_${values.get("operation")}`);
  if (operation) operation.checked = true;
  renew(values);
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
    isNegativeOpen = true;
    update();
    form.elements.negative_prompt.focus();
  }
  if (button.dataset.expand) setOpen(button.dataset.expand, button.getAttribute("aria-expanded") !== "true");
  if ("more" in button.dataset) {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    setOpen("more-fields", isOpen);
    if (isOpen) find("#more-fields").scrollIntoView({ block: "nearest" });
  }
  if (button.dataset.clearField) {
    form.elements[button.dataset.clearField].value = "";
    onEdit();
  }
}

/* ---- submitting ---- */

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt !== form) return;
  isSubmitDelayed = isUploading() || Boolean(renewal);
  if (isSubmitDelayed) event.preventDefault();
  else isSubmitted = true;
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
  deleteStoredMasks();
  find("#form-errors").replaceChildren();
  for (const error of form.querySelectorAll(".error:not([data-input-error])")) error.remove();
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
