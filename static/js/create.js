// The form of Create: the chosen operation and model, the price on the button, one submission per press.
// It knows no field of a model: what depends on the model is #choices, which the server renders.
import "./colors.js";
import { choices, isRenewing, renew, setOpen, setUpChoices } from "./choices.js";
import { randomUuid, saveDraft, withDraft } from "./draft.js";
import { clearAllErrors, clearErrors } from "./form_errors.js";
import { deleteStoredMasks, isUploading, setUpInputs } from "./inputs.js";
import { keepModelSearch, setUpModelList } from "./model_list.js";
import { fill } from "./page.js";
import { payable, showPrice } from "./price_button.js";
import { setUpPromptHelp } from "./prompt_help.js";
import { forgetHistory, setUpHistory } from "./prompt_history.js";
import { setUpSavedPrompts } from "./saved_prompts.js";
import { whenOpened } from "./when_opened.js";
import { complete, completeWanted, setUpWholeLists } from "./whole_lists.js";

let form, isSubmitted;
let isNegativeOpen = false; // without a text
let cleared = null; // what Clear has removed, until something else is filled in
let isSubmitDelayed = false; // until files are uploaded and the choices are those of the chosen model
const KEPT_BY_CLEAR = ["operation", "model", "count", "visibility", "submission", "prices_at", "model_order"];

const find = (selector) => form.querySelector(selector);
const valueOf = (name) => new FormData(form).get(name) ?? "";
const operationInput = (name) => document.getElementById(`id_operation_${name}`);
const card = () => find('[name="model"]:checked')?.closest(".card");

/* ---- other choices ---- */

function submitIfDelayed() {
  if (!isSubmitDelayed || isRenewing() || isUploading()) return;
  isSubmitDelayed = false;
  form.requestSubmit(find("#generate"));
}

/** Put the operations under More there, unless they are. */
async function completeOperations() {
  const template = await whenOpened("more-operations");
  const menu = find("[data-more-operations] .menu-body");
  if (template && menu && !menu.querySelector("input")) menu.replaceChildren(template.content.cloneNode(true));
}

/** Complete other choices before they are shown. */
async function prepare(part) {
  await completeWanted(part);
  if (!operationInput(part.dataset.operation)) await completeOperations();
}

function onShown() {
  keepModelSearch();
  onEdit();
  for (const name of ["prompt", "negative_prompt"]) clearErrors(form, name); // they may be right for this model
  window.htmx.trigger("#form-notes", "portal:model");
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
  const operation = operationInput(dataset.operation);
  if (operation) operation.checked = true;
  showMoreOperations();
  const text = (name, value) => { const chip = find(`[data-chip="${name}"]`); if (chip) chip.textContent = value ?? ""; };
  text("model", card()?.querySelector(".name").textContent);
  const shape = find(".shapes :checked");
  if (shape) {
    find("[data-size]").textContent = [shape.dataset.word, shape.dataset.pixels].filter(Boolean).join(", ");
    text("shape", shape.parentElement.querySelector(".shape-name").textContent);
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

/** Show Clear while there is something to clear, and right after it what brings that back. */
function showClear() {
  const button = find("[data-clear]");
  const hasText = ["prompt", "negative_prompt", "seed", "style_preset"].some((name) => valueOf(name));
  const isFilledIn = hasText || Boolean(find('[type="hidden"][name^="input_"]'));
  button.hidden = !isFilledIn && !cleared;
  button.title = cleared ? button.dataset.undo : button.dataset.clear;
  button.querySelector("span").textContent = button.title;
  button.classList.toggle("is-undo", Boolean(cleared)); // which shows its words
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

function update() {
  showChosen();
  showClear();
  showSummary();
  showPrice(form);
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
  cleared = null;
  if (target.matches("[data-slider]")) form.elements[target.dataset.slider].value = target.value;
  const slider = target.name && find(`[data-slider="${target.name}"]`);
  if (slider) slider.value = target.value || slider.dataset.usual;
  onEdit();
  clearErrors(form, target.dataset.slider ?? target.name);
}

function onChange({ target }) {
  if (target.name !== "model" && target.name !== "operation") return;
  find("[data-more-operations]")?.removeAttribute("open");
  if (target.name === "operation") choices().dataset.operation = target.value;
  onEdit();
  renew();
}

/** Set up the form, after the page has loaded and after htmx has replaced it. */
function setUp() {
  form = document.getElementById("create-form");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "yes";
  if (form.hasAttribute("data-bound")) form.dataset.returned = "yes";
  else if (matchMedia("(min-width: 900px)").matches) form.elements.prompt.focus();
  setUpChoices(form, { prepare, shown: onShown, ended: submitIfDelayed });
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
  setUpModelList(form);
  setUpWholeLists(form);
  setUpHistory(form, (field) => onInput({ target: field }));
  setUpSavedPrompts(form);
  setUpPromptHelp(form, (field) => onInput({ target: field }));
  setUpInputs(form, { changed: (focus) => { cleared = null; renew(undefined, focus); }, failed: () => { isSubmitDelayed = false; } });
  form.addEventListener("click", onClick);
  // Before htmx sends it: a press asks for what can be paid, as the button says.
  form.addEventListener("submit", () => {
    const pays = payable(form);
    if (pays && find("#generate").hasAttribute("data-offer")) form.elements.count.value = pays;
  }, { capture: true });
}

// Also after a click elsewhere, when nothing of the form has the focus.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || !form?.isConnected) return;
  // With a link it opens that in a new tab; in a text field elsewhere it is not about this form.
  const isElsewhere = event.target.matches?.("a, input, textarea, select, [contenteditable]") && !form.contains(event.target);
  if (isElsewhere || document.querySelector("dialog[open]") || find("#generate").disabled) return;
  event.preventDefault();
  form.requestSubmit(find("#generate"));
});

/** Show a draft: the prompts and the number at once, the rest as the server renders it. */
function restore(values) {
  for (const name of ["prompt", "negative_prompt", "count"]) form.elements[name].value = values.get(name) ?? "";
  const operation = operationInput(values.get("operation"));
  if (operation) operation.checked = true; // one under More may be there later
  renew(values);
}

/** Empty the form but for what is chosen above it and remembered; or bring back what was there. */
function clearOrBringBack() {
  if (cleared) {
    restore(cleared);
    cleared = null;
  } else {
    const before = new FormData(form);
    const values = new FormData();
    for (const name of KEPT_BY_CLEAR) if (before.has(name)) values.set(name, before.get(name));
    isNegativeOpen = false;
    restore(values);
    cleared = before;
  }
  update();
  form.elements.prompt.focus();
}

/** Unfold a list, once it is whole, or fold it. */
async function expand(button) {
  const id = button.dataset.expand;
  await complete(document.getElementById(id));
  setOpen(id, button.getAttribute("aria-expanded") !== "true");
}

/** Open More when its operations are there. */
async function openMore(details) {
  await completeOperations();
  details.open = true;
}

function onClick(event) {
  const more = event.target.closest("summary")?.closest("[data-more-operations]:not([open])");
  if (more && !more.querySelector("input")) {
    event.preventDefault();
    openMore(more);
  }
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.step) {
    const field = form.elements.count;
    field.value = Math.min(10, Math.max(1, (Number(field.value) || 1) + Number(button.dataset.step)));
    onInput({ target: field });
  }
  if (button.dataset.clear) clearOrBringBack();
  if (button.dataset.open) {
    isNegativeOpen = true;
    update();
    form.elements.negative_prompt.focus();
  }
  if (button.dataset.expand) expand(button);
  if ("more" in button.dataset) {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    setOpen("more-fields", isOpen);
    if (isOpen) find("#more-fields").scrollIntoView({ block: "nearest" });
  }
  if ("switchTo" in button.dataset) {
    event.preventDefault(); // without scripts it sends the form
    const values = new FormData(form);
    values.set(button.name, button.value);
    renew(values, "id_prompt");
  }
  if (button.dataset.clearField) {
    const field = form.elements[button.dataset.clearField];
    field.value = "";
    onInput({ target: field });
  }
}

/* ---- submitting ---- */

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt !== form) return;
  isSubmitDelayed = isUploading() || isRenewing();
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
  saveDraft(form); // it stays for the next picture, until it is cleared
  forgetHistory();
  deleteStoredMasks();
  clearAllErrors(form);
  document.getElementById("first-run")?.remove();
  document.querySelector(".stream-head")?.removeAttribute("hidden");
  if (matchMedia("(max-width: 899px)").matches) document.querySelector(".stream").scrollIntoView({ behavior: "smooth" });
  update();
});
document.addEventListener("htmx:afterSettle", () => {
  setUp();
  if (form) showPrice(form);
  // A form that was returned with errors gets the focus at the first one.
  if (form?.dataset.returned) (find("[aria-invalid]") ?? form.elements.prompt).focus();
  if (form) delete form.dataset.returned;
});
document.addEventListener("portal:balance", () => {
  if (!form) return;
  const isShort = () => find("#generate").hasAttribute("data-offer");
  const wasShort = isShort();
  showPrice(form);
  if (wasShort && !isShort()) clearErrors(form); // what was missing is there
  // What a cap leaves depends on what is held and spent.
  if (!document.getElementById("cap-remaining").hidden) window.htmx.trigger("#form-notes", "portal:model");
});

setUp();
