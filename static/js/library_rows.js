// Justifies the rows of the library page: every picture whole, every row as wide as the page. A row that stands is
// never laid anew when pictures follow: what does not fill a row yet waits unseen until it does.
const GAP = 6;
const STRETCH = 1.2; // a last row is stretched by no more than this
const HEIGHTS = { roomy: [150, 206, 240], dense: [92, 120, 140] }; // on a phone, on a desk, on a large screen

const place = document.getElementById("pictures");
const lists = () => [...document.querySelectorAll("[data-rows]")];
export const density = () => (localStorage.getItem("density") === "dense" ? "dense" : "roomy");
const target = () => HEIGHTS[density()][innerWidth < 600 ? 0 : innerWidth > 1680 ? 2 : 1];

/** Height at which pictures of these ratios fill the width. */
const filling = (sum, count, width) => (width - GAP * (count - 1)) / sum;

function set(item, wide, high) {
  item.style.width = `${wide}px`;
  item.style.height = `${high}px`;
}

/** Lays one row; returns how high it is. */
function lay(row, width, isLast) {
  const sum = row.reduce((all, { ratio }) => all + ratio, 0);
  const exact = filling(sum, row.length, width);
  const fits = !isLast || exact <= target() * STRETCH;
  const height = Math.round(fits ? exact : target());
  let left = width - GAP * (row.length - 1);
  row.forEach(({ item, ratio }, index) => {
    const wide = fits && index === row.length - 1 ? left : Math.round((fits ? exact : target()) * ratio);
    left -= wide;
    set(item, Math.max(wide, 1), height);
  });
  return height;
}

/** How far a row is from what we want; a last row that is not filled costs by what stays empty. */
function cost(sum, number, width, isLast) {
  const height = filling(sum, number, width);
  if (isLast && height > target() * STRETCH) return 0.3 * (1 - (sum * target()) / width) ** 2 + 0.03;
  const away = height > target() ? height / target() - 1 : target() / height - 1;
  return away ** 2 + (away > 0.6 ? 1 : 0);
}

/** Where rows end, so that all together are as near to the target as can be. */
function parted(entries, width) {
  const best = [{ cost: 0, from: 0 }];
  for (let end = 1; end <= entries.length; end += 1) {
    let sum = 0;
    best[end] = { cost: Infinity };
    for (let from = end - 1; from >= 0; from -= 1) {
      sum += entries[from].ratio;
      const whole = best[from].cost + cost(sum, end - from, width, end === entries.length);
      if (whole < best[end].cost) best[end] = { cost: whole, from };
      if (filling(sum, end - from, width) < target() * 0.4) break;
    }
  }
  const rows = [];
  for (let end = entries.length; end > 0; end = best[end].from) rows.unshift(entries.slice(best[end].from, end));
  return { rows: rows.slice(0, -1), rest: rows.at(-1) ?? [] };
}

function justify(list, width, goesOn) {
  const shown = [...list.children].filter((item) => !item.classList.contains("is-gone"));
  const { rows, rest } = parted(shown.map((item) => ({ item, ratio: item.dataset.width / item.dataset.height })), width);
  let height = rows.reduce((sum, row) => sum + lay(row, width, false) + GAP, 0);
  for (const { item } of rows.flat()) item.classList.remove("is-held");
  for (const { item } of rest) item.classList.toggle("is-held", goesOn);
  if (rest.length && !goesOn) height += lay(rest, width, true) + GAP;
  list.classList.add("is-justified");
  const section = list.closest(".library-day");
  section.hidden = !shown.length;
  const head = section.querySelector(".day") ? 18 + 28 : 6;
  section.style.containIntrinsicBlockSize = `auto ${Math.max(0, height - GAP) + head}px`;
}

const dayOf = (list) => list.closest("[data-day]").dataset.day;
const goesOn = (list, all) => list === all.at(-1) && Boolean(document.querySelector("#pictures > .older"));

/** Lays these lists, or all. */
export function layOut(some) {
  if (!place) return;
  const all = lists();
  const width = place.clientWidth;
  for (const list of some ?? all) justify(list, width, goesOn(list, all));
  count(all);
}

/** What waited at the end of the page before comes first in the next one, if the day goes on. */
export function takeOver() {
  const all = lists();
  const fresh = all.filter((list) => !list.classList.contains("is-justified"));
  const before = all[all.indexOf(fresh[0]) - 1];
  const changed = [...fresh];
  if (before && fresh.length && dayOf(before) === dayOf(fresh[0])) {
    fresh[0].prepend(...before.querySelectorAll(".is-held"));
  }
  if (before) changed.unshift(before);
  layOut(changed);
}

/** How many pictures each day has, once all of it is here. */
function count(all) {
  const days = new Map();
  for (const list of all) {
    const shown = list.querySelectorAll(":scope > li:not(.is-gone)").length;
    days.set(dayOf(list), (days.get(dayOf(list)) ?? 0) + shown);
  }
  const more = document.querySelector("#pictures > .older") && dayOf(all.at(-1));
  for (const words of document.querySelectorAll("[data-day-count]")) {
    const day = words.closest("[data-day]").dataset.day;
    const number = days.get(day);
    words.textContent = day === more ? "" : number === 1 ? words.dataset.one : words.dataset.many.replace("{n}", number.toLocaleString(document.documentElement.lang));
  }
}

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) layOut();
  width = innerWidth;
});
