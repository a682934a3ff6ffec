// What the desk says beside its pictures: races that were lost, what was settled, its end, and its keys.

import { action, element } from "../dom.js";
import { keycap, labelOf } from "../keyboard.js";
import { wordsOf } from "./fields/fields.js";
import { loanOf } from "./lent.js";
/** @import { FocusData, FocusItem, LostRace, Settled } from "../shapes.js" */

const KEYS = [
  ["A", "accept, or save the correction"],
  ["S", "skip"],
  ["Z", "undo"],
  ["1 … 8", "open a field"],
  ["1 … 9", "in an open field: choose"],
  ["0", "in an open field: unsure"],
  ["T", "in an open field: write another word"],
  ["P", "in an open field: the same for all of this person's pictures"],
  ["← →", "look around, decide nothing"],
  ["Space", "nearer, and back to the whole picture"],
  ["+ −", "zoom; drag to look around"],
  ["K", "of a message: keep theirs, or OK"],
  ["M", "of a message: use mine"],
  ["Esc", "close what is open"],
  ["?", "these keys"],
];

/** The decision that was not kept: theirs beside mine, and what can be done about it. */
export function lostNote(/** @type {LostRace} */ lost, /** @type {FocusData} */ data) {
  const at = { "data-value": lost.decision };
  const box = element("div", { class: "message", role: "alert" }, element("p", "", ...unbroken(lost.says)));
  if (!lost.seen) {
    box.append(element("div", "choices", action("theirs", at, "OK", keycap("K"))));
    return box;
  }
  const mine = data.fields.filter(({ name }) => lost.fields.includes(name));
  const words = mine.map((field) => `${field.label.toLowerCase()} ${wordsOf(field, lost.mine[field.name] ?? null)}`);
  box.append(
    element("p", "", `You: ${words.join(", ")}. Not saved yet.`),
    element(
      "div",
      "choices",
      action("theirs", at, "Keep theirs", keycap("K")),
      action("mine", at, "Use mine", keycap("M")),
      action("look", { "data-value": lost.item }, "Look"),
    ),
  );
  return box;
}

export function settledNote(/** @type {Settled} */ settled) {
  const at = { "data-value": settled.decision };
  return element(
    "div",
    { class: "message", role: "status" },
    element("p", "", ...unbroken(settled.says)),
    ...settled.left.map((exception) => element("p", "exception", ...unbroken(exception))),
    element("div", "choices", action("theirs", at, "OK"), action("unsettle", at, "Undo")),
  );
}

/**
 * The end of the queue, as it is: what is still on its way, what was skipped, or nothing.
 * @param {FocusData} data
 * @param {{ open: number, isAway: boolean, skipped: number, lent: (FocusItem | undefined)[] }} here
 */
export function endNote(data, { open, isAway, skipped, lent }) {
  if (open && isAway) {
    return end("Your decisions wait in this browser", "More portraits come when the server has taken them.");
  }
  if (open) return end("Saving your decisions", "The next portraits come with the server's answer.");
  if (skipped) {
    const them = skipped === 1 ? "1 portrait that you skipped is" : `${skipped.toLocaleString("en")} that you skipped are`;
    return end("You have been through all of them", `${them} left.`, action("again", { class: "wide" }, "Look at the skipped"));
  }
  if (lent[0]) {
    const them = lent.length === 1 ? "1 portrait is" : `${lent.length.toLocaleString("en")} portraits are`;
    return end("Others have what is left", `${them} ${loanOf(lent[0])}. Choose one below the picture to open it all the same.`);
  }
  if (data.passed) return end("You have been through all of them", "Change the filters to look at other labels.");
  return end("Nothing waits for a decision", "Change the filters to look at other labels.");
}

/** What the desk is called to somebody who does not see it. */
export function keysInShort() {
  const [accept, skip, undo] = ["A", "S", "Z"].map(labelOf);
  return `Label review. ${accept} accepts, ${skip} skips, ${undo} undoes, digits edit a field, arrows look around, ? shows all keys.`;
}

export function keyList() {
  const rows = KEYS.flatMap(([key, does]) => [keycap(key), element("span", "", does)]);
  const close = action("keys", {}, "Close", keycap("?"));
  return element(
    "div",
    { class: "keys", role: "dialog", "aria-label": "Keys" },
    element("h3", "", "Keys"),
    element("div", "rows", ...rows),
    element("div", "choices", close),
  );
}

/** A text whose addresses are not broken in the middle. */
function unbroken(/** @type {string} */ text) {
  return text.split(/(\S+@\S+)/).map((part) => (part.includes("@") ? element("span", "address", part) : part));
}

function end(/** @type {string} */ title, /** @type {string} */ text, /** @type {Node[]} */ ...more) {
  return [element("h3", "", title), element("p", "detail", text), ...more];
}
