// The start image of Create: picked, dropped or pasted, shown at once, taken away again.

/** Wires the form's start image; `takesImage` says whether the chosen model wants one, `update` redraws the form. */
export function startImage(form, takesImage, update) {
  const one = (selector) => form.querySelector(selector);

  function show(file) {
    one("#start-image").toggleAttribute("data-closed", !file && !form.elements.start.value);
    const preview = one("[data-preview]");
    if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
    if (!file) return;
    preview.src = URL.createObjectURL(file);
    preview.hidden = false;
    one("[data-name]").textContent = file.name;
    form.elements.start.value = "";
  }

  function bring(files) {
    const file = [...files].find((brought) => brought.type.startsWith("image/"));
    if (!file || !takesImage()) return false;
    const carried = new DataTransfer();
    carried.items.add(file);
    form.elements.image.files = carried.files;
    show(file);
    update();
    return true;
  }

  const drop = one("[data-drop]");
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    drop.classList.remove("is-over");
    if (bring(event.dataTransfer.files)) event.preventDefault();
  });
  drop.addEventListener("paste", (event) => {
    if (bring(event.clipboardData.files)) event.preventDefault();
  });
  form.elements.image.addEventListener("change", () => show(form.elements.image.files[0]));
  one("[data-pick]").addEventListener("click", () => form.elements.image.click());
  one("[data-remove-image]").addEventListener("click", () => {
    form.elements.image.value = form.elements.start.value = "";
    show(null);
    update();
  });
}
