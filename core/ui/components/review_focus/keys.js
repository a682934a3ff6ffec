// The keys of the review desk, by their place. A digit opens a field, and chooses in an open one; letters are typed on demand alone.

import { around, take } from "../dom.js";
import { commandOf, isChord, isComposing, keyOf } from "../keyboard.js";
import { chosenBy } from "./fields/fields.js";
/** @import { Desk } from "./desk.js" */

export function onKey(/** @type {Desk} */ desk, /** @type {KeyboardEvent} */ event) {
  if (event.target instanceof HTMLInputElement) {
    onKeyInField(desk, event, event.target.value.trim());
    return;
  }
  if (isComposing(event)) return;
  const key = keyOf(event);
  if (event.repeat && !key.startsWith("arrow")) return;
  if ((key === "enter" || key === " ") && around(event, "button")) return; // that button's own
  const act = isChord(event) ? actOfChord(desk, event) : actFor(desk, key);
  if (!act) return;
  take(event);
  act();
}

function onKeyInField(/** @type {Desk} */ desk, /** @type {KeyboardEvent} */ event, /** @type {string} */ text) {
  const key = keyOf(event);
  if (isComposing(event) || (key !== "escape" && key !== "enter")) return;
  take(event);
  if (key === "escape") desk.type(false);
  else desk.setValue(desk.editing, text || null);
  desk.view.takeFocus();
}

/** @param {Desk} desk @param {KeyboardEvent} event @returns {(() => void) | undefined} */
function actOfChord(desk, event) {
  const isPlain = !event.altKey && !event.shiftKey && (event.ctrlKey || event.metaKey);
  return isPlain && commandOf(event) === "z" ? () => desk.undo() : undefined;
}

/** @param {Desk} desk @param {string} key @returns {(() => void) | undefined} */
function actFor(desk, key) {
  if (/^\d$/.test(key)) return actOfDigit(desk, Number(key));
  return new Map([
    ["a", () => desk.decide("accept")],
    ["enter", () => desk.decide("accept")],
    ["s", () => desk.decide("skip")],
    ["z", () => desk.undo()],
    ["t", () => desk.type(true)],
    ["p", () => desk.editing && desk.settle(desk.editing)],
    ["k", () => desk.answer("", false)],
    ["m", () => desk.answer("", true)],
    ["arrowright", () => desk.step(1)],
    ["arrowleft", () => desk.step(-1)],
    [" ", () => desk.view.zoom.toggle()],
    ["+", () => desk.view.zoom.step(1)],
    ["-", () => desk.view.zoom.step(-1)],
    ["?", () => desk.toggleKeys()],
    ["escape", () => desk.close()],
  ]).get(key);
}

/** @param {Desk} desk @param {number} digit @returns {(() => void) | undefined} */
function actOfDigit(desk, digit) {
  const { fields } = desk.data;
  const open = fields.find((field) => field.name === desk.editing);
  if (!open) return fields[digit - 1] && (() => desk.edit(fields[digit - 1].name));
  const value = chosenBy(open, digit);
  return () => value !== undefined && desk.setValue(open.name, value);
}
