// Justifies rows of pictures: every picture whole, every row as wide as its container. The library, the trash and
// shared collections use it. In the library a complete row keeps its layout when more pictures are loaded, below or
// above: those that do not fill a row at the bottom yet, and the first row if more come above it, stay hidden until then.
const GAP = 6; // pixels between pictures, as in the style sheets
const MAX_STRETCH = 1.2; // of the last row's height over the target height
const TARGET_HEIGHTS = { roomy: [150, 206, 240], dense: [92, 120, 140] }; // on a phone, a desktop, a large screen

const library = document.getElementById("pictures");
const allLists = () => [...document.querySelectorAll("[data-rows]")];
const containerWidth = (list) => (library ?? list).clientWidth; // a hidden day of the library has no width itself
export const nextPage = () => document.querySelector("#pictures > .next-page");
export const previousPage = () => document.querySelector("#pictures > .previous-page");
/** As chosen in this browser, else on the profile. */
const chosenDensity = () => localStorage.getItem("density") ?? document.documentElement.dataset.density;
export const density = () => (chosenDensity() === "dense" ? "dense" : "roomy");
const targetHeight = () => TARGET_HEIGHTS[library ? density() : "roomy"][innerWidth < 600 ? 0 : innerWidth > 1680 ? 2 : 1];

/** The row height at which `count` pictures with this sum of aspect ratios fill the width. */
const heightToFill = (ratioSum, count, width) => (width - GAP * (count - 1)) / ratioSum;

/** Size the pictures of one row; returns the row's height in pixels. */
function layOutRow(row, width, isLast) {
  const ratioSum = row.reduce((sum, { ratio }) => sum + ratio, 0);
  const fillHeight = heightToFill(ratioSum, row.length, width);
  const fills = !isLast || fillHeight <= targetHeight() * MAX_STRETCH;
  const height = fills ? fillHeight : targetHeight();
  let remaining = width - GAP * (row.length - 1);
  row.forEach(({ item, ratio }, index) => {
    const itemWidth = fills && index === row.length - 1 ? remaining : Math.round(height * ratio); // no rounding gap
    remaining -= itemWidth;
    item.style.width = `${Math.max(itemWidth, 1)}px`;
    item.style.height = `${Math.round(height)}px`;
  });
  return Math.round(height);
}

/** How far a row is from the target height; a last row that is not filled costs by its empty part. */
function rowCost(ratioSum, count, width, isLast) {
  const height = heightToFill(ratioSum, count, width);
  const target = targetHeight();
  if (isLast && height > target * MAX_STRETCH) return 0.3 * (1 - (ratioSum * target) / width) ** 2 + 0.03;
  const deviation = height > target ? height / target - 1 : target / height - 1;
  return deviation ** 2 + (deviation > 0.6 ? 1 : 0);
}

/** Split entries into rows with the least total cost (dynamic programming over row ends); `fills`: the last one too. */
function partition(entries, width, fills) {
  const best = [{ cost: 0, start: 0 }];
  for (let end = 1; end <= entries.length; end += 1) {
    let ratioSum = 0;
    best[end] = { cost: Infinity };
    for (let start = end - 1; start >= 0; start -= 1) {
      ratioSum += entries[start].ratio;
      const cost = best[start].cost + rowCost(ratioSum, end - start, width, !fills && end === entries.length);
      if (cost < best[end].cost) best[end] = { cost, start };
      if (heightToFill(ratioSum, end - start, width) < targetHeight() * 0.4) break;
    }
  }
  const rows = [];
  for (let end = entries.length; end > 0; end = best[end].start) rows.unshift(entries.slice(best[end].start, end));
  return { rows: rows.slice(0, -1), lastRow: rows.at(-1) ?? [] };
}

/**
 * Lay out one list. With `hasMore` its last row stays hidden until the next page completes it, with `hasEarlier` its
 * first one until the previous page is there; with `goesOn` the last row is filled, since the next list continues it.
 */
function justify(list, width, { hasMore, hasEarlier, goesOn }) {
  const items = [...list.children].filter((item) => !item.classList.contains("is-removed"));
  const entries = items.map((item) => ({ item, ratio: item.dataset.width / item.dataset.height }));
  const { rows, lastRow } = partition(entries, width, goesOn);
  const firstRow = hasEarlier && rows.length ? rows.shift() : [];
  let height = rows.reduce((sum, row) => sum + layOutRow(row, width, false) + GAP, 0);
  for (const { item } of rows.flat()) item.classList.remove("is-pending");
  for (const { item } of firstRow) item.classList.add("is-pending");
  for (const { item } of lastRow) item.classList.toggle("is-pending", hasMore);
  if (lastRow.length && !hasMore) height += layOutRow(lastRow, width, !goesOn) + GAP;
  list.classList.add("is-justified");
  const day = list.closest(".library-day");
  if (!day) return;
  day.hidden = !items.length;
  const headHeight = day.querySelector(".day") ? 28 : 0; // the day's padding is not part of its intrinsic size
  day.style.containIntrinsicBlockSize = `auto ${Math.max(0, height - GAP) + headHeight}px`;
}

/** Lay out these lists, or all lists of the page. */
export function layOut(lists = allLists()) {
  const all = allLists();
  for (const list of lists) {
    justify(list, containerWidth(list), {
      hasMore: list === all.at(-1) && Boolean(nextPage()),
      hasEarlier: list === all[0] && Boolean(previousPage()),
      goesOn: isSameDay(list, all[all.indexOf(list) + 1]),
    });
  }
  showDayCounts();
}

/* ---- the days of the library ---- */

const dayOf = (list) => list?.closest("[data-day]")?.dataset.day;
const isSameDay = (list, other) => Boolean(dayOf(list)) && dayOf(list) === dayOf(other);
const isPending = (item) => item.classList.contains("is-pending");

/** Lay out a page that was just loaded; hidden pictures of the page before move to it if it continues the same day. */
export function layOutNextPage() {
  const all = allLists();
  const added = all.filter((list) => !list.classList.contains("is-justified"));
  const before = all[all.indexOf(added[0]) - 1];
  if (before && isSameDay(before, added[0])) {
    const items = [...before.children];
    added[0].prepend(...items.slice(items.findLastIndex((item) => !isPending(item)) + 1));
  }
  layOut(before ? [before, ...added] : added);
}

/** Lay out a page that was just loaded above the others; the hidden first row moves to it if it ends within that day. */
export function layOutPreviousPage() {
  const all = allLists();
  const added = all.slice(0, all.findIndex((list) => list.classList.contains("is-justified")));
  const first = all[added.length];
  if (isSameDay(added.at(-1), first)) {
    const items = [...first.children];
    added.at(-1).append(...items.slice(0, Math.max(0, items.findIndex((item) => !isPending(item)))));
    first.closest("[data-day]").querySelector(".day")?.remove(); // the day begins further up
  }
  layOut([...added, first]);
}

/** Show the number of pictures of each day that is loaded completely. */
function showDayCounts() {
  const headings = document.querySelectorAll("[data-day-count]");
  if (!headings.length) return;
  const lists = allLists();
  const counts = new Map();
  for (const list of lists) {
    const shown = list.querySelectorAll(":scope > li:not(.is-removed)").length;
    counts.set(dayOf(list), (counts.get(dayOf(list)) ?? 0) + shown);
  }
  const incompleteDays = [previousPage() && dayOf(lists[0]), nextPage() && dayOf(lists.at(-1))];
  for (const heading of headings) {
    const day = heading.closest("[data-day]").dataset.day;
    const count = counts.get(day);
    const { singular, plural } = heading.dataset;
    const text = count === 1 ? singular : plural.replace("{n}", count.toLocaleString(document.documentElement.lang));
    heading.textContent = incompleteDays.includes(day) ? "" : text;
  }
}

/* ---- when to lay out ---- */

let windowWidth = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== windowWidth) layOut(); // the height alone changes when a phone hides its address bar
  windowWidth = innerWidth;
});
document.addEventListener("htmx:afterSettle", () => {
  const added = allLists().filter((list) => !list.classList.contains("is-justified"));
  if (added.length) layOut(added);
});
layOut();
