// Masks that are not sent yet, kept in this browser's IndexedDB per user and picture, for a reload.
import { portal } from "./page.js";

const MOST = 20; // masks, the oldest go first

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function open() {
  const opening = indexedDB.open("masks", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("masks", { keyPath: "key" }).createIndex("at", "at");
  return done(opening);
}

/** Do something with the stored masks; undefined where the browser stores nothing, as in some private windows. */
async function withMasks(mode, use) {
  let database;
  try {
    database = await open();
    const transaction = database.transaction("masks", mode);
    const finished = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [result] = await Promise.all([use(transaction.objectStore("masks")), finished]);
    return result;
  } catch (problem) {
    if (!(problem instanceof DOMException)) throw problem;
    console.warn(problem); // as without a stored mask: painting goes on
    return undefined;
  } finally {
    database?.close();
  }
}

const keyFor = (picture) => `${portal.user} ${picture}`;

/** What is stored for a picture: `mask` was kept, `draft` is what was painted since; undefined if there is nothing. */
export const loadMask = (picture) => withMasks("readonly", (masks) => done(masks.get(keyFor(picture))));

/** Store a Blob as the `mask` or the `draft` of a picture, or take one away with null. */
export function saveMask(picture, changes) {
  const key = keyFor(picture);
  return withMasks("readwrite", async (masks) => {
    const row = { ...(await done(masks.get(key))), ...changes, key, at: Date.now() };
    if (!row.mask && !row.draft) return done(masks.delete(key));
    await done(masks.put(row));
    const keys = await done(masks.index("at").getAllKeys());
    return Promise.all(keys.slice(0, -MOST).map((oldest) => done(masks.delete(oldest))));
  });
}

/** Delete what is stored for a picture. */
export const deleteMask = (picture) => withMasks("readwrite", (masks) => done(masks.delete(keyFor(picture))));

/** Name a file by its bytes; crypto.subtle exists only on https, and nobody gains by a collision of their own files. */
export async function nameOfFile(file) {
  let [one, other] = [0xdeadbeef, 0x41c6ce57];
  for (const byte of new Uint8Array(await file.arrayBuffer())) { // cyrb53, https://github.com/bryc/code
    one = Math.imul(one ^ byte, 2654435761);
    other = Math.imul(other ^ byte, 1597334677);
  }
  return `${file.size}-${(one >>> 0).toString(36)}-${(other >>> 0).toString(36)}`;
}
