// Which entry of the browser's history an address becomes that names a drawer (core/ui/frame/drawer.py), or no longer.
//
// To open a drawer is an entry. Another one in its place, the next picture for instance, takes that over, unless it was
// pressed where one leads on to another. To close it by its own button is to go back to where it was opened: written as
// one more entry, Back would open it again.

const OPENED = "opened"; // as in core/ui/frame/state.py

/**
 * What an entry with a drawer knows of the page without it: at which address, and how many entries before.
 * @typedef {{ address: string, steps: number }} Below
 *
 * @typedef {object} Turn
 * @property {string} here the whole address that is left
 * @property {string} there the whole address that is written
 * @property {Below | undefined} below what the present entry knows
 * @property {boolean} isWritten this act has its entry already
 * @property {boolean} isDeeper it was met where one drawer leads on to another
 * @property {boolean} isShut it was met where a drawer is closed
 */

/**
 * What to do with the history, and what the entry is to know.
 * @returns {{ how: "push" | "replace" | "back", below?: Below }}
 */
export function entryFor(/** @type {Turn} */ { here, there, below, isWritten, isDeeper, isShut }) {
  const [from, to] = [here, there].map((address) => new URL(address));
  const isSamePage = from.pathname === to.pathname;
  const [was, will] = [from, to].map((address) => isSamePage && address.searchParams.get(OPENED));
  if (isWritten) return { how: "replace", below };
  if (was && will && !isDeeper) return { how: "replace", below };
  if (was && will) return { how: "push", below: below && { ...below, steps: below.steps + 1 } };
  if (will) return { how: "push", below: { address: here, steps: 1 } };
  if (!was || !isShut) return { how: "push" };
  return below && isSameView(below.address, to) ? { how: "back", below } : { how: "replace" };
}

/** Streamlit and its server write the same parameters in their own order and spelling. */
function isSameView(/** @type {string} */ address, /** @type {URL} */ other) {
  const [one, two] = [new URL(address), other].map((each) => {
    each.searchParams.sort();
    return `${each.pathname}?${each.searchParams}`;
  });
  return one === two;
}
