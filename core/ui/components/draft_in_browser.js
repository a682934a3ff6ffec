// The draft in the browser: what the parts of the composer show, and the names it is kept under.
//
// Every script that imports this has a copy of it: what they share lies in the window.

/** @import { Turns } from "./dom.js" */

export const DRAFTS = "studio.draft."; // in localStorage, with the person's pseudonym and the draft's id behind it
export const TAB = "studio.tab-draft"; // in sessionStorage: the id of this tab's draft
export const ASIDE = "studio.tab-aside"; // in sessionStorage: the id of the one that gave way to a comparison in this tab
export const LEFT = "studio.left"; // in localStorage: changes when somebody signs out, which every tab hears

/** @typedef {{ value: unknown, number: number, waits: boolean }} Part */
/** @typedef {EventTarget & { parts: Record<string, Part> }} Screen */
const shared = /** @type {{ studioScreen?: Screen }} */ (globalThis);
/** @type {Screen} */
export const screen = (shared.studioScreen ??= Object.assign(new EventTarget(), { parts: {} }));

/**
 * What a part shows. `number` counts what it has told the server; `waits` while it has yet to tell.
 * @param {string} part
 * @param {unknown} value
 * @param {Turns} turns
 */
export function shows(part, value, { turn, waits }) {
  screen.parts[part] = { value, number: turn, waits };
}

/**
 * The same, where the person has changed it: what the server draws is no change of theirs, and the keeper hears of it
 * from the server.
 * @param {string} part
 * @param {unknown} value
 * @param {Turns} turns
 */
export function changes(part, value, turns) {
  shows(part, value, turns);
  screen.dispatchEvent(new Event("change"));
}

/** How many characters a text has, as Python counts them: a pair of surrogates is one. */
export function charsOf(/** @type {string} */ text) {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

export function draftKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(DRAFTS));
}

/** After a sign-out nothing of this person stays, and no tab of theirs writes any more. */
export function forgetDrafts() {
  screen.dispatchEvent(new Event("left"));
  try {
    draftKeys().forEach((key) => localStorage.removeItem(key));
    sessionStorage.removeItem(TAB);
    sessionStorage.removeItem(ASIDE);
    localStorage.setItem(LEFT, String(Date.now() + Math.random()));
  } catch {
    // a browser that keeps nothing has nothing to forget
  }
}
