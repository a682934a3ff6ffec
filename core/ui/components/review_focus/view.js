// The review desk as it is drawn, and what its mouse does.

import { action, around, element, setAttributes, setText } from "../dom.js";
import { keycap, onLabels } from "../keyboard.js";
import { pageAround, scrolledBy } from "../streamlit_page.js";
import { fieldOf } from "./fields/fields.js";
import { onKey } from "./keys.js";
import { isLent, lentNote, loanOf } from "./lent.js";
import { endNote, keyList, keysInShort, lostNote, settledNote } from "./messages.js";
import { personaStrip } from "./fields/persona.js";
import { Zoom } from "./zoom.js";
/** @import { Decision } from "./outbox.js" */
/** @import { Desk } from "./desk.js" */
/** @import { FocusItem } from "../shapes.js" */

const AHEAD = 6; // pictures decoded before they are needed
const STRIP = 16;
const MARGIN_PX = 16; // below the desk
/** @type {Record<Decision["kind"], string>} */
const MARKS = { skip: "skipped", correct: "corrected", accept: "accepted", settle: "", undo: "", seen: "" };

export class View {
  /** @type {Map<string, HTMLImageElement>} */
  ahead = new Map();
  typed = "";

  constructor(/** @type {Desk} */ desk) {
    this.desk = desk;
    this.root = /** @type {HTMLElement} */ (element("div"));
    this.picture = element("img", { class: "picture", decoding: "sync" });
    this.plate = element("div", "plate", this.picture, element("p", "missing", "This picture cannot be shown"));
    this.picture.addEventListener("error", () => this.plate.classList.add("broken"));
    this.picture.addEventListener("load", () => this.plate.classList.remove("broken"));
    this.zoom = new Zoom(this.plate, this.picture);
    this.strip = element("div", "strip");
    this.notes = element("div", "notes");
    this.words = element("div", "words");
    this.fields = element("div", "fields");
    this.foot = element("div", "foot");
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
    this.overlay = element("div", "overlay");
    this.watcher = new ResizeObserver(() => requestAnimationFrame(() => this.fit()));
    onLabels(() => this.paint());
  }

  moveTo(/** @type {HTMLElement} */ root) {
    if (this.root === root && root.hasChildNodes()) return;
    this.root = root;
    setAttributes(root, { tabindex: 0, role: "application" });
    root.addEventListener("keydown", (event) => onKey(this.desk, event));
    root.addEventListener("click", (event) => this.onClick(event));
    for (const act of ["keydown", "pointerdown"]) root.addEventListener(act, () => this.desk.hand.acted());
    root.replaceChildren(
      element("div", "left", this.plate, this.strip),
      element("div", "side", this.notes, this.words, this.fields, this.foot),
      this.overlay,
      this.live,
    );
    // what stands above comes and goes: messages of the page, a row of filters that breaks
    this.watcher.disconnect();
    const { host } = /** @type {ShadowRoot} */ (root.getRootNode());
    this.watcher.observe((host && pageAround(host)) ?? root);
    // keys act from the first moment, unless a person is busy somewhere else
    if (document.activeElement?.matches("body, button:not(:focus-visible)")) this.takeFocus();
  }

  takeFocus() {
    this.root.focus({ preventScroll: true });
  }

  /** As tall as what the window leaves below the rest of the page: what decides is never below the fold. */
  fit() {
    const { host } = /** @type {ShadowRoot} */ (this.root.getRootNode());
    const above = this.root.getBoundingClientRect().top + (host ? scrolledBy(host) : 0);
    this.root.style.setProperty("--above", `${Math.round(above + MARGIN_PX)}px`);
  }

  /** The one that is open for free words. */
  get input() {
    return this.fields.querySelector("input");
  }

  onClick(/** @type {MouseEvent} */ event) {
    const { do: what = "", name = "", value = "" } = around(event, "[data-do]")?.dataset ?? {};
    const { desk } = this;
    /** @type {Record<string, () => void>} */
    const acts = {
      edit: () => desk.edit(name),
      set: () => desk.setValue(name, value || null),
      type: () => desk.type(true),
      settle: () => desk.settle(name),
      go: () => desk.step(Number(value) - desk.at),
      look: () => desk.look(value),
      undo: () => desk.undo(),
      unsettle: () => desk.undo(desk.undoable().find(({ decision }) => decision === value)),
      mine: () => desk.answer(value, true),
      theirs: () => desk.answer(value, false),
      again: () => desk.again(),
      keys: () => desk.toggleKeys(),
      accept: () => desk.decide("accept"),
      skip: () => desk.decide("skip"),
    };
    acts[what]?.();
    if (!this.root.matches(":focus-within")) this.takeFocus(); // what was pressed was drawn anew
  }

  // ---- what is drawn

  paint() {
    const { data, current: item } = this.desk;
    this.root.classList.toggle("empty", !item);
    setAttributes(this.root, { "aria-label": keysInShort() });
    this.notes.replaceChildren(
      ...data.conflicts.map((lost) => lostNote(lost, data)),
      ...data.settled.map(settledNote),
    );
    const { alt = "", picture_url = "", original_url = "" } = item ?? {};
    if (picture_url !== this.zoom.shown) setAttributes(this.picture, { src: picture_url || null });
    setAttributes(this.picture, { alt });
    this.zoom.show(picture_url, original_url);
    if (item) this.paintWords(item);
    else this.words.replaceChildren(...endNote(data, this.desk.ending));
    if (item) this.paintFields(item);
    else this.fields.replaceChildren();
    this.paintStrip();
    this.paintFoot(item);
    this.overlay.replaceChildren(...(this.desk.showsKeys ? [keyList()] : []));
    const heard = item ? `${item.reason}. ${item.alt}` : this.words.firstChild?.textContent;
    setText(this.live, heard ?? "");
    this.decodeAhead();
    this.fit();
    this.desk.hand.drawn();
  }

  paintWords(/** @type {FocusItem} */ item) {
    const persona = this.desk.data.personas[item.persona];
    this.words.replaceChildren(
      ...(isLent(item) ? [lentNote(item)] : []),
      element("h3", { title: item.reason }, item.reason || "Label"),
      element("p", { class: "detail", title: item.more.join("\n") }, item.detail),
      element("p", { class: "path", title: item.title, translate: "no" }, element("bdi", "", item.title)),
      ...(persona ? [personaStrip(persona, item, this.desk.data.fields)] : []),
    );
  }

  /** What a person is typing outlives a redraw: the server may answer in the middle of a word. */
  paintFields(/** @type {FocusItem} */ item) {
    const place = `${item.id} ${this.desk.editing}`;
    const before = this.typed === place ? this.input : null;
    const hadFocus = before?.matches(":focus");
    const draft = this.desk.drafts.get(item.id) ?? {};
    const persona = this.desk.data.personas[item.persona];
    this.typed = place;
    this.fields.replaceChildren(
      ...this.desk.data.fields.map((field, index) =>
        fieldOf(field, {
          item,
          persona,
          drafted: draft[field.name],
          digit: String(index + 1),
          isOpen: this.desk.editing === field.name,
          isTyping: this.desk.isTyping,
        }),
      ),
    );
    const { input } = this;
    if (!before || !input) return;
    input.value = before.value;
    if (!hadFocus) return;
    input.focus({ preventScroll: true });
    input.setSelectionRange(before.selectionStart, before.selectionEnd);
  }

  paintStrip() {
    const { at, order } = this.desk;
    const from = Math.max(0, Math.min(at - 3, order.length - STRIP));
    const tiles = order.slice(from, from + STRIP).map((id, offset) => this.tile(id, from + offset));
    this.strip.replaceChildren(...tiles);
  }

  tile(/** @type {string} */ id, /** @type {number} */ index) {
    const { alt = "", thumbnail_url = "", lent_to = "" } = this.desk.items.get(id) ?? {};
    const decision = this.desk.decided.get(id);
    const loan = decision ? "" : this.loan(id);
    const mark = decision ? MARKS[decision.kind] : loan;
    const picture = element("img", { src: thumbnail_url, alt, decoding: "async" });
    const tile = action("go", {
      class: decision ? "tile done" : loan ? "tile lent" : "tile",
      "data-value": index,
      "aria-label": mark ? `${alt}, ${mark}` : alt,
      "aria-current": index === this.desk.at || null,
      title: loan || null,
    }, picture);
    picture.addEventListener("error", () => tile.classList.add("broken"));
    if (loan) tile.append(element("span", "holder", lent_to.slice(0, 1).toUpperCase()));
    if (decision) tile.append(element("span", "tick", decision.kind === "skip" ? "–" : "✓"));
    return tile;
  }

  /** Who else has it, in words. */
  loan(/** @type {string} */ id) {
    const item = this.desk.items.get(id);
    return item && isLent(item) ? loanOf(item) : "";
  }

  paintFoot(/** @type {FocusItem | undefined} */ item) {
    const accept = action("accept", { class: "primary" }, this.desk.isDrafted ? "Save correction" : "Accept", keycap("A"));
    const skip = action("skip", {}, "Skip", keycap("S"));
    const back = action("undo", {}, "Undo", keycap("Z"));
    accept.disabled = skip.disabled = !item || this.desk.decided.has(item.id);
    back.disabled = this.desk.undoable().length === 0;
    const { says, isTrouble } = this.desk.kept;
    const ahead = this.desk.outbox.open.filter(({ kind }) => kind === "accept" || kind === "correct").length;
    const rest = `${Math.max(0, this.desk.data.waiting - ahead).toLocaleString("en")} waiting`;
    this.foot.replaceChildren(
      element("div", "buttons", accept, skip, back),
      element(
        "div",
        "status",
        element("span", isTrouble ? "trouble" : "", `${says} · ${rest}`),
        action("keys", { class: "quiet", "aria-expanded": this.desk.showsKeys }, "Keys", keycap("?")),
      ),
    );
  }

  /** The next pictures are decoded while this one is looked at; those behind are let go. */
  decodeAhead() {
    const { at, items, order } = this.desk;
    const wanted = order.slice(at, at + 1 + AHEAD).map((id) => items.get(id)?.picture_url ?? "");
    for (const url of [...this.ahead.keys()]) if (!wanted.includes(url)) this.ahead.delete(url);
    for (const url of wanted) {
      if (this.ahead.has(url)) continue;
      const picture = new Image();
      picture.src = url;
      picture.decode().catch(() => {}); // said when it is shown
      this.ahead.set(url, picture);
    }
  }
}
