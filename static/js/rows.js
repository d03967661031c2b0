// Justifies rows of pictures: every picture whole, every row as wide as the page.
const GAP = 6;
const STRETCH = 1.2; // a last row is stretched by no more than this

const target = () => (innerWidth < 600 ? 150 : innerWidth > 1680 ? 240 : 206);

/** Height at which pictures of these ratios fill the width. */
const filling = (ratios, width) => (width - GAP * (ratios.length - 1)) / ratios.reduce((sum, ratio) => sum + ratio, 0);

function lay(row, width, isLast) {
  const ratios = row.map((entry) => entry.ratio);
  const exact = filling(ratios, width);
  const height = isLast && exact > target() * STRETCH ? target() : exact;
  let left = width - GAP * (row.length - 1);
  row.forEach(({ item, ratio }, index) => {
    const fills = height === exact && index === row.length - 1;
    const wide = fills ? left : Math.round(height * ratio);
    left -= wide;
    item.style.width = `${wide}px`;
    item.style.height = `${Math.round(height)}px`;
  });
}

function justify(rows) {
  const width = rows.clientWidth;
  let row = [];
  rows.classList.add("is-justified");
  for (const item of rows.children) {
    const entry = { item, ratio: item.dataset.width / item.dataset.height };
    const before = row.length ? filling(row.map((one) => one.ratio), width) : Infinity;
    const after = filling([...row, entry].map((one) => one.ratio), width);
    // Whether the row ends before this picture: which of the two heights is nearer to the target.
    if (row.length && after < target() && target() / after > before / target()) {
      lay(row, width, false);
      row = [];
    }
    row.push(entry);
  }
  if (row.length) lay(row, width, true);
}

const all = () => document.querySelectorAll("[data-rows]").forEach(justify);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) all();
  width = innerWidth;
});
document.addEventListener("htmx:afterSettle", all);
all();
