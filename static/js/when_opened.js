// What Create shows when it is opened, and is not in its page: menus of a picture and of a batch, the operations under
// More, the mask editor, the dialog of keys. The address names what they say, so that the browser keeps them.
import { loadPart } from "./page.js";

let asked = null; // a promise of a fragment

/** The part with this id, once it is in the page; null, with a notice, if it cannot be had. */
export async function whenOpened(id) {
  const address = document.getElementById("batches")?.dataset.whenOpened;
  if (!document.getElementById(id) && address) {
    asked ??= loadPart(address);
    const parts = await asked;
    if (parts) document.body.append(parts); // of several that asked the first: the fragment is empty then
    else asked = null;
  }
  return document.getElementById(id);
}
