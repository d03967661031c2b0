// Long lists of choices on Create: the page has those in sight, and asks for all of them when a list is opened. The
// address of a whole list names what it says, so that the browser keeps it.
import { loadPart } from "./page.js";

const known = new Map(); // by address: promises of fragments
const wanted = new Set(); // ids of lists that were opened: their successors are whole as well
let isOpening = false;

function ask(address) {
  if (!known.has(address)) {
    const headers = { "Prices-At": document.querySelector('#create-form [name="prices_at"]').value };
    known.set(address, loadPart(address, { headers }).then((part) => part ?? void known.delete(address)));
  }
  return known.get(address);
}

/** Put all choices into a list, unless it has them; what is chosen and what has the focus stay so. */
export async function complete(list) {
  const address = list?.dataset.whole;
  if (!address) return;
  wanted.add(list.id);
  const part = (await ask(address))?.cloneNode(true);
  const chosen = list.querySelector(":checked");
  const twin = chosen && part?.querySelector(`[value="${CSS.escape(chosen.value)}"]`);
  if (!part || list.dataset.whole !== address || (chosen && !twin)) return; // done meanwhile, or not to be had
  const focused = list.contains(document.activeElement) && document.activeElement.id;
  list.replaceChildren(part);
  delete list.dataset.whole;
  if (twin) twin.checked = true;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Put all choices into those lists of a new part of the page that were opened before. */
export const completeWanted = (part) =>
  Promise.all([...part.querySelectorAll("[data-whole]")].filter(({ id }) => wanted.has(id)).map(complete));

/** Open the sheet of a list, on a phone, when all choices are in it. */
export function setUpWholeLists(form) {
  form.addEventListener("beforetoggle", async (event) => {
    const sheet = event.target;
    const list = sheet.querySelector("[data-whole]");
    if (event.newState !== "open" || !list || isOpening) return;
    event.preventDefault();
    await complete(list);
    if (!sheet.isConnected) return;
    isOpening = true; // as it is, if they could not be had
    sheet.showPopover();
    isOpening = false;
  }, { capture: true });
}
