// The prompt box: a text area that tells the server what is typed while it is typed.
//
// The server answers with the newest turn it has heard of and the text it holds: only when it has heard everything, a
// different text is its own doing (a recalled comparison) and wins.

import { keptUnder, setAttributes, take, Turns } from "./dom.js";
import { shows } from "./draft_in_browser.js";
/** @import { Mount } from "./dom.js" */
/** @import { PromptData } from "./shapes.js" */

const PAUSE_MS = 300;

/** @type {WeakMap<ShadowRoot, Box>} */
const boxes = new WeakMap();

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
    this.area.addEventListener("input", () => {
      this.turns.soon();
      this.tellDraft();
    });
    this.area.addEventListener("blur", () => this.turns.flush());
    this.area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      take(event);
      this.turns.next();
      this.submit();
    });
  }

  show(/** @type {PromptData} */ data) {
    this.data = data;
    setAttributes(this.area, { "aria-label": data.label, placeholder: data.placeholder });
    this.area.style.height = `${data.height}px`;
    const isSettled = !this.turns.waits && data.number === this.turns.turn;
    if (isSettled && this.area.value !== data.text) this.area.value = data.text;
    this.tellDraft();
  }

  message() {
    this.tellDraft();
    return { text: this.area.value, number: this.turns.turn };
  }

  tellDraft() {
    shows(this.data.part, this.area.value, this.turns);
  }
}
