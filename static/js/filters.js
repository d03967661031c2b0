// Chips that need no button, lists that are narrowed while one types, tags that are completed.
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("details.menu")) return;
  const field = menu.querySelector("input[data-narrow], input[name=tag], input[name=name], input[name=seed]");
  if (menu.open) {
    if (matchMedia("(hover: hover)").matches) field?.focus();
    within(menu.querySelector(".menu-body"));
    return;
  }
  const form = menu.matches("[data-chip]") && menu.querySelector("form");
  if (form && [...form.elements].some((one) => one.type === "checkbox" && one.checked !== one.defaultChecked)) form.requestSubmit();
}, true);

/** A menu that would stand out of the window opens to its other side. */
function within(body) {
  if (!body || innerWidth < 600 || body.closest(".menu-up, .library-side")) return;
  body.style.left = body.style.right = "";
  const { left, right } = body.getBoundingClientRect();
  if (right > innerWidth - 8) Object.assign(body.style, { left: "auto", right: "0" });
  if (left < 8) Object.assign(body.style, { left: "0", right: "auto" });
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.matches("[data-narrow]")) {
    const words = field.value.toLocaleLowerCase().split(/\s+/);
    for (const choice of field.parentElement.querySelectorAll(".menu-choices > *")) {
      const text = choice.textContent.toLocaleLowerCase();
      choice.hidden = !words.every((word) => text.includes(word));
    }
  }
  if (field.matches("[data-tags]")) complete(field);
});
document.addEventListener("focusin", ({ target }) => {
  if (target.matches("[data-tags]")) complete(target);
});

/* ---- completion ---- */

let asked = 0;
async function complete(field) {
  const now = ++asked;
  await new Promise((later) => { setTimeout(later, field.value ? 120 : 0); });
  if (now !== asked) return;
  const answer = await fetch(`${field.dataset.tags}?q=${encodeURIComponent(field.value)}`).catch(() => null);
  if (!answer?.ok || now !== asked) return;
  const { tags } = await answer.json();
  let list = field.parentElement.querySelector(".completions");
  if (!list) {
    list = document.createElement("div");
    list.className = "completions";
    field.after(list);
  }
  list.replaceChildren(...tags.map(({ name, uses }) => suggestion(field, name, uses)));
}

function suggestion(field, name, uses) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "menu-item";
  const [word, number] = [document.createElement("bdi"), document.createElement("span")];
  word.textContent = name;
  number.textContent = uses.toLocaleString(document.documentElement.lang);
  number.className = "number";
  button.append(word, number);
  button.addEventListener("click", () => {
    field.value = name;
    const press = field.form.id === "selection" ? field.parentElement.querySelector("[value=tag]") : null;
    field.form.requestSubmit(press);
  });
  return button;
}

document.addEventListener("keydown", (event) => {
  const list = event.target.closest?.("[data-tags], .completions")?.parentElement.querySelector(".completions") ?? event.target.closest?.(".completions");
  if (!list || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  const every = [...list.children];
  const next = every[every.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  (next ?? list.parentElement.querySelector("[data-tags]"))?.focus();
});
