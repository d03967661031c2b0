// The profile: offers the time zone of this device, and lets the chosen size of pictures win over this browser's.
import { fill } from "./page.js";

const form = document.querySelector("[data-profile]");
const zones = form.elements.time_zone;
const offer = form.querySelector("[data-own-zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

function showOffer() {
  const isKnown = [...zones.options].some((option) => option.value === own);
  offer.hidden = !isKnown || zones.value === own;
}

offer.textContent = fill(offer.dataset.text, { zone: own });
offer.addEventListener("click", () => {
  zones.value = own;
  showOffer();
  zones.focus();
});
zones.addEventListener("change", showOffer);
showOffer();
form.addEventListener("submit", () => {
  const chosen = new FormData(form).get("density");
  if (chosen !== (document.documentElement.dataset.density ?? "roomy")) localStorage.removeItem("density");
});
