// The button of Create: what a press costs, what remains of the balance or of a cap, and what can be paid.
import { credits, fill, inCredits, integer } from "./page.js";

const MOST = 10;

const chosenCard = (form) => form.querySelector('[name="model"]:checked')?.closest(".card");
const countOf = (form) => Math.min(MOST, Math.max(1, Math.floor(Number(form.elements.count.value)) || 1));

/** The price of one picture in hundredths of a credit; choices, images, and steps beyond the included ones change it. */
function priceOf(form) {
  const { price: base, includedSteps: included, choiceCosts, imageCost, cost } = chosenCard(form).dataset;
  if (cost) {
    const images = form.querySelectorAll("[data-input] [data-item]").length * Number(imageCost);
    return Math.ceil((Number(base) * (costOf(form, Number(cost), JSON.parse(choiceCosts)) + images)) / Number(cost));
  }
  const steps = Number(new FormData(form).get("steps")) || 0;
  return included && steps > Number(included) ? Math.ceil((Number(base) * steps) / Number(included)) : Number(base);
}

/** What a call costs with what is chosen; the differences of several fields add up. */
function costOf(form, cost, choiceCosts) {
  const values = new FormData(form);
  const chosen = Object.entries(choiceCosts).map(([name, costs]) => costs[values.get(name)] ?? cost);
  return chosen.reduce((sum, each) => sum + each - cost, cost);
}

/** What may be spent: the balance, or what the tightest cap leaves if that is less. */
function limitOf() {
  const available = Number(document.getElementById("balance").dataset.available);
  const { left, cap, period } = document.getElementById("cap-remaining").dataset;
  const isCapped = left !== undefined && Number(left) < available;
  return isCapped ? { left: Number(left), of: Number(cap), period } : { left: available, of: available, period: "" };
}

/** How many pictures a press asks for: as many as are wanted, or as can be paid; 0 if none can. */
export function payable(form) {
  if (!chosenCard(form)) return 0;
  const price = priceOf(form);
  return price ? Math.min(countOf(form), Math.floor(limitOf().left / price)) : countOf(form);
}

/** Show the total on the button, what remains below it, and whom to ask if that is not enough. */
export function showPrice(form) {
  if (!chosenCard(form)) return;
  const find = (selector) => form.querySelector(selector);
  const [count, price, limit] = [countOf(form), priceOf(form), limitOf()];
  const pays = payable(form);
  const missing = count * price - limit.left;
  const label = find("[data-label]");
  const texts = find("[data-balance-after]");
  if (pays) label.textContent = fill(label.dataset.text, { n: integer(pays) });
  else if (limit.period) label.textContent = fill(textFor(label, "capped", limit), { n: credits(limit.left), m: credits(limit.of) });
  else label.textContent = fill(label.dataset.missing, { credits: inCredits(missing) });
  const cost = find("[data-cost-label]");
  cost.textContent = pays ? fill(cost.dataset.text, { credits: inCredits(pays * price) }) : "";
  find("#generate").classList.toggle("is-missing", !pays);
  find("#generate").toggleAttribute("data-offer", pays < count);
  const rest = { n: credits(limit.left - pays * price), m: credits(limit.of) };
  if (missing > 0) texts.textContent = pays ? fill(textFor(texts, "short", limit), { credits: inCredits(missing), k: integer(count) }) : "";
  else texts.replaceChildren(...withBoldNumber(textFor(texts, "leaves", limit), rest));
  find("[data-ask]").hidden = missing <= 0 || Boolean(limit.period); // more credits raise no cap
  const asks = find("[data-asks]"); // its form has the amount that is missing, in whole credits
  if (asks) asks.search = missing > 0 ? `?amount=${Math.ceil(missing / 100)}` : "";
  const share = (amount) => `${limit.of > 0 ? Math.min(100, Math.max(0, (100 * amount) / limit.of)) : 0}%`;
  find(".meter .price-part").style.width = share(limit.left);
  find(".meter .rest-part").style.width = pays ? share(limit.left - pays * price) : "0%";
}

/** The wording of an element for the balance, the cap of a day, or that of a month. */
const textFor = (element, name, { period }) => element.getAttribute(`data-${name}${period && `-${period}`}`);

function withBoldNumber(text, { n, m }) {
  const [before, after] = text.split("{n}");
  const strong = document.createElement("strong");
  strong.textContent = n;
  return [before, strong, fill(after, { m })];
}
