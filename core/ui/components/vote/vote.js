// The vote desk in the browser. A key acts at once: the answer goes into an outbox and the next pair is in front.

import { around, keptUnder, take } from "../dom.js";
import { isChord, isComposing, keyOf } from "../keyboard.js";
import { refocusing } from "../refocus.js";
import { VoteDesk } from "./desk.js";
/** @import { Mount } from "../dom.js" */
/** @import { Act } from "./acts.js" */
/** @import { VoteData } from "../shapes.js" */

const HELD_MAX = 20; // more of them the server would not read, and with them none of the answers

/** @type {WeakMap<ShadowRoot, VoteDesk>} */
const desks = new WeakMap();
/** @type {WeakMap<ShadowRoot, () => void>} */
const refocused = new WeakMap();

/** @param {Mount<VoteData>} mount */
export default function ({ data, parentElement, setStateValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".vote"));
  const isNew = !desks.has(parentElement);
  const desk = keptUnder(desks, parentElement, () => new VoteDesk(data, parentElement, root));
  desk.outbox.tell = ({ turn, decisions }) => {
    setStateValue("outbox", { turn, acts: decisions.map(actPlain), held: desk.held.slice(0, HELD_MAX) });
  };
  if (isNew) {
    root.addEventListener("keydown", (event) => onVoteKey(desk, event), true);
    refocused.set(parentElement, refocusing(() => root, () => desk.view.takeFocus()));
  }
  desk.hear(data);
  desk.outbox.flush();
  if (isNew) desk.view.takeFocus();
  return () => {
    if (parentElement.isConnected) return;
    refocused.get(parentElement)?.();
    desk.outbox.rest();
    desk.stopwatch.close();
    desk.refusedFor.close();
    desk.view.close();
    desks.delete(parentElement);
  };
}

/** What the server needs of an act. */
function actPlain(/** @type {Act} */ { id, does, token, answer, reasons, seconds }) {
  return { id, does, token, answer: answer ?? null, reasons: reasons ?? [], seconds: seconds ?? 0 };
}

/** Before the viewer hears of it: arrows answer here, and pan with Shift alone. */
function onVoteKey(/** @type {VoteDesk} */ desk, /** @type {KeyboardEvent} */ event) {
  if (isChord(event) || isComposing(event)) return;
  const key = keyOf(event);
  if ((key === "enter" || key === " ") && around(event, "button, a")) return; // that one's own
  const act = voteActFor(desk, key, event);
  if (!act) return;
  take(event);
  if (!event.repeat || event.shiftKey) act();
}

/** @param {VoteDesk} desk @param {string} key @param {KeyboardEvent} event @returns {(() => void) | undefined} */
function voteActFor(desk, key, event) {
  const { viewer } = desk.view;
  if (event.shiftKey && key.startsWith("arrow")) return viewer.panFor(key)?.run ?? (() => {});
  if (/^[1-5]$/.test(key)) return () => desk.toggleReason(Number(key) - 1);
  if (key === "escape" && !desk.showsKeys && !desk.isOpen) return undefined;
  return new Map([
    ["arrowleft", () => desk.choose("left")],
    ["arrowright", () => desk.choose("right")],
    ["arrowdown", () => desk.choose("tie")],
    ["x", () => desk.choose("both-bad")],
    ["z", () => desk.undo()],
    ["s", () => desk.skip()],
    ["w", () => desk.reveal()],
    ["l", () => desk.doubt()],
    ["f", () => viewer.toggleFull()],
    [" ", () => viewer.flip()],
    ["+", () => viewer.step(1)],
    ["-", () => viewer.step(-1)],
    ["0", () => viewer.zoomTo(null)],
    ["?", () => desk.toggleKeys()],
    ["escape", () => void desk.close()],
  ]).get(key);
}
