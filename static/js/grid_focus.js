// The focus in the library's grid of justified rows: which picture an arrow key leads to.
const shownPictures = () => [...document.querySelectorAll(".rows > li:not(.is-removed, .is-pending) > .picture")];

/** The picture above (-1) or below (1): in the adjacent row, the one whose centre is nearest. */
function verticalNeighbour(picture, pictures, direction) {
  const box = picture.getBoundingClientRect();
  const centre = (box.left + box.right) / 2;
  let nearest = null;
  let rowTop = null;
  for (let index = pictures.indexOf(picture) + direction; pictures[index]; index += direction) {
    const { top, left, right } = pictures[index].getBoundingClientRect();
    if (Math.abs(top - box.top) < 2) continue;
    rowTop ??= top;
    if (Math.abs(top - rowTop) > 2) break;
    const distance = Math.abs((left + right) / 2 - centre);
    if (!nearest || distance < nearest.distance) nearest = { distance, picture: pictures[index] };
  }
  return nearest?.picture;
}

/** The picture that an arrow key leads to from the one with the focus; without one, the first on the screen. */
export function neighbour(key) {
  const pictures = shownPictures();
  const index = pictures.indexOf(document.activeElement);
  if (index < 0) return pictures.find((picture) => picture.getBoundingClientRect().bottom > 120);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  return step ? pictures[index + step] : verticalNeighbour(pictures[index], pictures, key === "ArrowUp" ? -1 : 1);
}

/** Give a picture the focus, and scroll no further than it takes to see it. */
export function focusPicture(picture) {
  picture.focus({ preventScroll: true });
  picture.scrollIntoView({ block: "nearest" });
}
