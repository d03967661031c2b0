// The way back: a list that one returns to (Back, Esc, reload) shows the picture last looked at where it was on the
// screen, and loads the part of the list that has it. The library and the stream on Create use it.
import { goToSignIn, parse } from "./page.js";

const LOOKED_AT = "looked-at"; // the picture whose page was open last, in this tab
const HEADER = 60; // pixels that the bar of the page covers at the top
const SAVE_DELAY = 150; // milliseconds without scrolling before the place is saved

/** Called by a picture's page: the list that one returns to will look for this picture. */
export function rememberPicture(id) {
  sessionStorage.setItem(LOOKED_AT, id);
}

/** Change the page above `element`, which stays where it is on the screen. */
export function holdStill(element, change) {
  const { top } = element.getBoundingClientRect();
  change();
  scrollBy({ top: element.getBoundingClientRect().top - top, behavior: "instant" });
}

/** Load a part of a list as a fragment; null if the server did not answer with one. */
export async function loadPart(address) {
  const response = await fetch(address, { headers: { "HX-Request": "true" }, redirect: "manual" }).catch(() => null);
  if (response?.type === "opaqueredirect" || response?.headers.get("HX-Redirect")) goToSignIn();
  return response?.ok ? parse(await response.text()) : null;
}

/** The page's address that asks for the part around a picture; with null the address that people see and share. */
function addressAt(id) {
  const kept = location.search.slice(1).split("&").filter((pair) => pair && !pair.startsWith("at="));
  if (id) kept.push(`at=${id}`);
  return `${location.pathname}${kept.length ? "?" : ""}${kept.join("&")}${location.hash}`;
}

function showPlainAddress() {
  if (/[?&]at=/.test(location.search)) history.replaceState(history.state, "", addressAt(null));
}

/**
 * Keep the place in a list of pictures, and return to it.
 *
 * `item` is the selector of a picture in the list, `idOf(element)` its id, `find(id)` the element of an id or null, and
 * `load(id)` replaces the list by a part that has this picture, with the ones before and after it. Returns a function
 * that finds the element looked at: of the place, while that is on the screen, else the first one there, or null.
 */
export function keepPlace({ item, idOf, find, load }) {
  history.scrollRestoration = "manual"; // the browser's own is lost as soon as the page is shorter

  /** The first picture on the screen, found by points: measuring all of them would lay out what is not visible. */
  function firstVisible() {
    for (let y = HEADER + 10; y < innerHeight; y += 24) {
      for (const x of [0.5, 0.35, 0.65, 0.8]) {
        const found = document.elementFromPoint(innerWidth * x, y)?.closest(item);
        if (found) return found;
      }
    }
    return null;
  }

  function save(element, isOpened = false, address = addressAt(null)) {
    const place = element && { id: idOf(element), top: Math.round(element.getBoundingClientRect().top), isOpened };
    history.replaceState({ ...history.state, place }, "", address);
  }

  /** The picture of the place, if it is on the screen; else null. */
  function visiblePlace() {
    const element = history.state?.place && find(history.state.place.id);
    const box = element?.getBoundingClientRect();
    return box && box.bottom > HEADER && box.top < innerHeight ? element : null;
  }

  /** Save the place after scrolling: of the same picture as before, while that is on the screen. */
  function saveScrolled() {
    const element = visiblePlace();
    if (element) save(element, history.state.place.isOpened);
    else save(scrollY > 0 ? firstVisible() : null);
  }

  let timer = 0;
  addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(saveScrolled, SAVE_DELAY);
  }, { passive: true });
  const asked = new URLSearchParams(location.search).get("at");
  const inPlainAnswer = new Set(asked ? [] : [...document.querySelectorAll(item)].map(idOf));

  // A page that is left for a picture further down says so in its entry of the history: the server's first answer on the
  // way back has that part. This listener is the last one, since others may have taken the click.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const [, id] = link?.pathname.match(/\/picture\/([0-9a-f-]+)/) ?? [];
    const element = id && (link.closest(item) ?? find(id)); // a menu stands beside the list
    if (!element) return;
    clearTimeout(timer);
    const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target;
    const isPlain = isElsewhere || event.defaultPrevented || inPlainAnswer.has(idOf(element));
    save(element, true, addressAt(isPlain ? null : idOf(element)));
  });

  /** Show a picture at `top` pixels from the window's, or in its middle; nothing moves if `isLeft` and it is visible. */
  function show(element, { top, isLeft = false }) {
    const box = element.getBoundingClientRect();
    if (isLeft && box.top >= HEADER && box.bottom <= innerHeight) return;
    scrollBy({ top: box.top - (top ?? Math.max(HEADER, (innerHeight - box.height) / 2)), behavior: "instant" });
  }

  async function goTo(id, manner, isFocused) {
    if (!find(id) && id !== asked) { // what the address asks for came with the page, or is gone
      document.documentElement.classList.add("is-returning"); // what is shown until then is not what was left
      await load(id);
    }
    const element = find(id);
    if (element) show(element, manner);
    document.documentElement.classList.remove("is-returning");
    if (!element) return;
    if (isFocused) element.querySelector("a[href]")?.focus({ preventScroll: true });
    requestAnimationFrame(() => show(find(id) ?? element, manner)); // what was never visible has its height only now
  }

  function comeBack({ isLeft = false } = {}) {
    const lookedAt = sessionStorage.getItem(LOOKED_AT);
    sessionStorage.removeItem(LOOKED_AT);
    const place = history.state?.place;
    if (!place) return;
    const id = (place.isOpened && lookedAt) || place.id;
    if (!isLeft || id !== place.id) goTo(id, { isLeft, top: id === place.id ? place.top : undefined }, place.isOpened);
  }

  const [navigation] = performance.getEntriesByType("navigation");
  if (["back_forward", "reload"].includes(navigation?.type) && history.state?.place) comeBack();
  else {
    sessionStorage.removeItem(LOOKED_AT);
    if (asked) goTo(asked, {}, true);
  }
  showPlainAddress(); // it was a place for once
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    showPlainAddress();
    comeBack({ isLeft: true });
  });
  return () => visiblePlace() ?? firstVisible();
}
