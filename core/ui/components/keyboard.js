// Keys by their place: the key where a US keyboard has A is "a", whatever the person's layout has it type.
//
// https://w3c.github.io/uievents-code/ names the places. docs/decisions/046-keys-by-place.md says where a place is not
// what is asked for.

import { element } from "./dom.js";

/** What browsers give for a key whose text they keep from the page, or do not know yet. */
const UNTOLD = new Set(["", "Process", "Unidentified", "Dead"]);
/** @type {Record<string, string>} */
const PLACES = {
  Equal: "+",
  NumpadAdd: "+",
  Minus: "-",
  NumpadSubtract: "-",
  Space: " ",
  Enter: "enter",
  NumpadEnter: "enter",
  Escape: "escape",
};
/** How a sign arrives from a keyboard that tells no places. @type {Record<string, string>} */
const TYPED = { "=": "+", _: "-", "−": "-", "\u3000": " ", "？": "?" };
const LABELLED = /^[^\s\p{C}]$/u;

/** @type {Map<string, string>} what the person's keys are labelled with, by place; empty where nobody says */
const labels = new Map();
/** @type {Set<() => void>} */
const waiting = new Set();

/**
 * What a key means to a shortcut: a letter or a digit by its place, "+", "-", "?", " ", or a named key in lower case
 * ("arrowleft", "enter"); "" for a place that no shortcut has. Shift changes no letter and no digit.
 *
 * A sign that can be read on the keyboard is meant as it is read, unless it shares its key with a letter or a digit
 * that was pressed without Shift: "6" of a French keyboard types "-".
 */
export function keyOf(/** @type {KeyboardEvent} */ event) {
  const { key = "", code = "", shiftKey } = event; // what a browser fills in by itself comes without either
  if (key.length > 1 && !UNTOLD.has(key)) return key.toLowerCase();
  const isShared = /^(?:Key|Digit)/.test(code);
  if (/^[+?-]$/.test(key) && (shiftKey || !isShared)) return key;
  const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code);
  if (place) return place[1].toLowerCase();
  if (code === "Slash") return shiftKey ? "?" : "";
  if (code && code !== "Unidentified") return PLACES[code] ?? "";
  return UNTOLD.has(key) ? "" : (TYPED[key] ?? key.toLowerCase());
}

/**
 * The letter of a press with Ctrl or ⌘: the one that is typed, as the system's own commands have it, else its place's.
 */
export function commandOf(/** @type {KeyboardEvent} */ event) {
  return /^[a-z]$/i.test(event.key ?? "") ? event.key.toLowerCase() : keyOf(event);
}

/** Whether a key goes with one that makes it the system's own, or another character. */
export function isChord(/** @type {KeyboardEvent} */ event) {
  return event.ctrlKey || event.metaKey || event.altKey || Boolean(event.getModifierState?.("AltGraph"));
}

/**
 * Whether a press belongs to an input method that puts a text together. In a text field 229 says so, too: in Safari the
 * Enter that ends a composition comes behind its end, https://bugs.webkit.org/show_bug.cgi?id=165004
 */
export function isComposing(/** @type {KeyboardEvent} */ event) {
  const isInText = event.target instanceof Element && event.target.matches("input, textarea, [contenteditable]");
  return event.isComposing || (isInText && event.keyCode === 229);
}

/** The label of a letter's key on the person's keyboard, in capitals; the letter itself where nobody says. */
export function labelOf(/** @type {string} */ letter) {
  return labels.get(`Key${letter.toUpperCase()}`) ?? letter.toUpperCase();
}

/** A key as it is drawn in a hint: no translator makes a word of it. */
export function keycap(/** @type {string} */ key) {
  return element("kbd", { translate: "no" }, /^[a-z]$/i.test(key) ? labelOf(key) : key);
}

/** Calls once the labels are known and differ from a US keyboard's, if they ever are; what is returned ends that. */
export function onLabels(/** @type {() => void} */ act) {
  waiting.add(act);
  if (waiting.size === 1) readLabels();
  return () => waiting.delete(act);
}

/** Chromium alone tells them, to secure pages: https://wicg.github.io/keyboard-map/ */
async function readLabels() {
  const { keyboard } = /** @type {{ keyboard?: { getLayoutMap(): Promise<Map<string, string>> } }} */ (navigator);
  try {
    for (const [place, label] of (await keyboard?.getLayoutMap()) ?? []) {
      // a keyboard of another script has these beside its own
      if (/^Key[A-Z]$/.test(place) && LABELLED.test(label) && isLatin(label)) labels.set(place, label.toUpperCase());
    }
  } catch {
    return; // a page within another page may not ask
  }
  if ([...labels].some(([place, label]) => place !== `Key${label}`)) for (const act of waiting) act();
}

function isLatin(/** @type {string} */ label) {
  return !/\p{L}/u.test(label) || /\p{Script=Latin}/u.test(label);
}
