// The start image of Create: selected, dropped or pasted, previewed, removed.

/** Set up the form's start image; `takesImage` says whether the model accepts one, `update` redraws the form. */
export function setUpStartImage(form, takesImage, update) {
  const find = (selector) => form.querySelector(selector);

  function show(file) {
    find("#start-image").toggleAttribute("data-closed", !file && !form.elements.start.value);
    const preview = find("[data-preview]");
    if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
    if (!file) return;
    preview.src = URL.createObjectURL(file);
    preview.hidden = false;
    find("[data-name]").textContent = file.name;
    form.elements.start.value = "";
  }

  /** Use the first image of these files; false if there is none. */
  function useFirstImage(files) {
    const image = [...files].find((file) => file.type.startsWith("image/"));
    if (!image || !takesImage()) return false;
    const transfer = new DataTransfer(); // the only way to set the files of a field
    transfer.items.add(image);
    form.elements.image.files = transfer.files;
    show(image);
    update();
    return true;
  }

  const dropArea = find("[data-drop]");
  dropArea.addEventListener("dragover", (event) => {
    event.preventDefault();
    dropArea.classList.add("is-over");
  });
  dropArea.addEventListener("dragleave", () => dropArea.classList.remove("is-over"));
  dropArea.addEventListener("drop", (event) => {
    dropArea.classList.remove("is-over");
    if (useFirstImage(event.dataTransfer.files)) event.preventDefault();
  });
  dropArea.addEventListener("paste", (event) => {
    if (useFirstImage(event.clipboardData.files)) event.preventDefault();
  });
  form.elements.image.addEventListener("change", () => show(form.elements.image.files[0]));
  find("[data-pick]").addEventListener("click", () => form.elements.image.click());
  find("[data-remove-image]").addEventListener("click", () => {
    form.elements.image.value = form.elements.start.value = "";
    show(null);
    update();
  });
}
