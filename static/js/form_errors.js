// Errors on the form of Create go when their cause goes: when what they are about is changed.

const errorsOf = (form, name) => form.querySelectorAll(`[data-error-for="${name}"]`);

/** Remove the errors of a field; "" is what the whole request was refused for. */
function clear(form, name) {
  for (const error of errorsOf(form, name)) {
    const part = error.closest(".has-error");
    error.remove();
    if (part && !part.querySelector(".error:not([hidden])")) part.classList.remove("has-error");
  }
  for (const field of name ? form.querySelectorAll(`[name="${name}"][aria-invalid]`) : []) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  for (const group of name ? form.querySelectorAll(`[data-field="${name}"] [aria-invalid]`) : []) group.removeAttribute("aria-invalid");
  if (!form.querySelector("[data-error-for]:not([data-error-for=''])")) form.querySelector("[data-look-at]")?.remove();
}

/** Whether what a field's error may be about is still true: a number that is none, a text that is too long or missing. */
function isStillWrong(form, name) {
  const { value } = form.elements[name];
  if (name === "count") return !/^([1-9]|10)$/.test(value.trim());
  if (name !== "prompt") return false;
  const isNeeded = form.hasAttribute("data-needs-prompt");
  return form.querySelector("[data-count]").classList.contains("is-over") || (isNeeded && !value.trim());
}

/** Remove what is no longer true once a field was edited: its own errors, and those of the whole request. */
export function clearErrors(form, name = "") {
  clear(form, "");
  if (name && errorsOf(form, name).length && !isStillWrong(form, name)) clear(form, name);
}

/** Remove every error, after the request was accepted. */
export function clearAllErrors(form) {
  for (const error of form.querySelectorAll("[data-error-for]")) clear(form, error.dataset.errorFor);
}
