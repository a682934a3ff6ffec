// The prompt box: a text area that tells the server what is typed while it is typed.
//
// The server answers with the newest turn it has heard of and the text it holds: only when it has heard everything, a
// different text is its own doing (a recalled comparison) and wins.
//
// Of a text that is too long the server is told the length: it takes none, and the browser keeps it to be shortened,
// also while another page is open.

import { keptUnder, setAttributes, setText, take, Turns } from "../dom.js";
import { changes, charsOf, shows } from "../draft_in_browser.js";
import { isComposing, keyOf } from "../keyboard.js";
/** @import { Mount } from "../dom.js" */
/** @import { PromptData } from "../shapes.js" */

const PAUSE_MS = 300;
const NEAR = 0.9; // of the most there may be: from here on the characters are counted

/** @type {WeakMap<ShadowRoot, Box>} */
const boxes = new WeakMap();
/** @type {Map<string, string>} */
const tooLong = new Map(); // by the box's part of a draft

/** @param {Mount<PromptData>} mount */
export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const box = keptUnder(boxes, parentElement, () => new Box(parentElement, data));
  box.turns.tell = () => setStateValue("typed", box.message());
  box.submit = () => setTriggerValue("submitted", box.message());
  box.show(data);
}

class Box {
  turns = new Turns(PAUSE_MS);
  submit = () => {};

  constructor(/** @type {ShadowRoot} */ mount, /** @type {PromptData} */ data) {
    this.data = data;
    this.turns.turn = data.number;
    this.area = /** @type {HTMLTextAreaElement} */ (mount.querySelector("textarea"));
    this.count = /** @type {HTMLElement} */ (mount.querySelector(".count"));
    if (data.refused_chars) {
      this.area.value = tooLong.get(data.part) ?? "";
      this.turns.soon(); // the server hears what there is to be shortened, or that there is none
    }
    this.area.addEventListener("input", () => {
      this.turns.soon();
      changes(this.data.part, this.area.value, this.turns);
      this.showCount();
    });
    this.area.addEventListener("blur", () => this.turns.flush());
    this.area.addEventListener("keydown", (event) => {
      if (keyOf(event) !== "enter" || !(event.ctrlKey || event.metaKey)) return;
      take(event);
      if (isComposing(event)) return; // the last syllable is not in the text yet; the press comes again behind it
      this.turns.next();
      this.submit();
    });
    if (!data.text && isFree()) this.area.focus({ preventScroll: true });
  }

  show(/** @type {PromptData} */ data) {
    this.data = data;
    setAttributes(this.area, { "aria-label": data.label, placeholder: data.placeholder });
    this.area.style.height = `${data.height}px`;
    const isSettled = !this.turns.waits && data.number === this.turns.turn;
    if (isSettled && !data.refused_chars && this.area.value !== data.text) this.area.value = data.text;
    this.tellDraft();
    this.showCount();
  }

  message() {
    this.tellDraft();
    const text = this.area.value;
    const chars = charsOf(text);
    const isTooLong = chars > this.data.chars_max;
    if (isTooLong) tooLong.set(this.data.part, text);
    else tooLong.delete(this.data.part);
    return { text: isTooLong ? "" : text, chars, number: this.turns.turn };
  }

  showCount() {
    const { chars_max } = this.data;
    const chars = charsOf(this.area.value);
    const over = chars - chars_max;
    const count = `${chars.toLocaleString("en")} of ${chars_max.toLocaleString("en")} characters`;
    const says = over > 0 ? `${count}: shorten it by ${over.toLocaleString("en")}` : count;
    const isNear = chars >= chars_max * NEAR;
    setText(this.count, isNear ? says : "");
    this.area.classList.toggle("counted", isNear);
    this.count.classList.toggle("over", over > 0);
    setAttributes(this.area, { "aria-invalid": over > 0 });
  }

  tellDraft() {
    shows(this.data.part, this.area.value, this.turns);
  }
}

/** Whether who has just come can type at once: nothing else has the focus, and no keyboard of a screen comes up. */
function isFree() {
  const isTouched = matchMedia("(hover: none) and (pointer: coarse)").matches;
  return document.activeElement === document.body && !isTouched;
}
