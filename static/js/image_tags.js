// Keeping a picture in order on its page: a title that is sent when it was changed, tags that are completed.
document.addEventListener("change", ({ target }) => target.closest("[data-sends]")?.requestSubmit());

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-focus]");
  if (!opener) return;
  event.preventDefault();
  opener.closest("details")?.removeAttribute("open");
  const field = document.getElementById(opener.dataset.focus);
  field.scrollIntoView({ block: "center" });
  field.focus();
});

let asked = 0;

async function complete(field) {
  const number = ++asked;
  const address = `${field.dataset.tags}?q=${encodeURIComponent(field.value.trim())}`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok || number !== asked) return;
  const { tags } = await answer.json();
  field.list?.replaceChildren(...tags.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
}

let later = 0;
document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-tags]")) return;
  clearTimeout(later);
  later = setTimeout(complete, 150, target);
});
document.addEventListener("focusin", ({ target }) => target.matches("[data-tags]") && complete(target));

// A menu that opens is ready to be typed in.
document.addEventListener("toggle", ({ target }) => {
  if (target.matches("details.collect[open]") && matchMedia("(hover: hover)").matches) target.querySelector("input[type=search]").focus();
}, { capture: true });
