// The prompt helper: its answer is put into the prompt when it is taken. Asking and waiting is htmx's.
import { notice } from "./page.js";

/** Set up the prompt helper of a form; `onChange` is called when an answer was put into the prompt. */
export function setUpPromptHelp(form, onChange) {
  const put = (text) => {
    const field = form.elements.prompt;
    field.value = text;
    onChange(field);
    field.focus();
  };
  form.addEventListener("click", ({ target }) => {
    if (target.closest("[data-help]")) {
      form.querySelector(".prompt-help-menu").open = false;
      form.elements.prompt.focus();
    }
    const answer = target.closest("[data-take-help]")?.closest(".prompt-help-answer");
    if (answer) {
      const before = form.elements.prompt.value;
      put(answer.querySelector("[data-help-text]").textContent.trim());
      notice(form.querySelector("#prompt-help").dataset.taken, { undo: () => put(before) });
    }
    if (target.closest("[data-leave-help]")) form.elements.prompt.focus();
  });
}
