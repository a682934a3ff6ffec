// The review desk in the browser. A key acts at once: the decision goes into an outbox and the next picture is shown.

import { around, element, keptUnder, letterOf, setAttributes, setText, take } from "../dom.js";
import { action, choicesOf, fieldOf } from "./fields.js";
import { decides, Outbox } from "./outbox.js";
/** @import { Mount } from "../dom.js" */
/** @import { Decision } from "./outbox.js" */
/** @import { FocusData, FocusItem, LostRace, Undoable } from "../shapes.js" */

const AHEAD = 6; // pictures decoded before they are needed
const STRIP = 16;
const MARKS = { skip: "skipped", correct: "corrected", accept: "accepted", undo: "", seen: "" };

/** @type {Map<string, Desk>} by the component's key: what a person is in the middle of outlives a redraw */
const desks = new Map();

/** @param {Mount<FocusData>} mount */
export default function ({ data, parentElement, setStateValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".desk"));
  const desk = keptUnder(desks, data.key, () => new Desk(data, root));
  desk.outbox.tell = (message) => setStateValue("outbox", message);
  desk.moveTo(root);
  desk.hear(data);
  desk.paint();
  desk.outbox.flush();
  return () => {
    if (!root.isConnected) clearInterval(desk.outbox.resending);
  };
}

class Desk {
  queue = "";
  /** @type {Map<string, FocusItem>} */
  items = new Map();
  /** @type {string[]} */
  order = [];
  at = 0;
  /** @type {string | null} the field that is open */
  editing = null;
  /** @type {string | null} an item to go to once the server offers it */
  goal = null;
  /** @type {Map<string, Record<string, string | null>>} */
  drafts = new Map();
  /** @type {Map<string, Decision>} */
  decided = new Map();
  /** @type {Set<string>} */
  undone = new Set();
  /** @type {Map<string, HTMLImageElement>} */
  ahead = new Map();
  typing = "";

  constructor(/** @type {FocusData} */ data, /** @type {HTMLElement} */ root) {
    this.data = data;
    this.root = root;
    this.outbox = new Outbox(`${data.owner}.${data.key}`);
    this.picture = element("img", { class: "picture", decoding: "sync" });
    this.plate = element("div", "plate", this.picture, element("p", "missing", "This picture cannot be shown"));
    this.picture.addEventListener("error", () => this.plate.classList.add("broken"));
    this.picture.addEventListener("load", () => this.plate.classList.remove("broken"));
    this.strip = element("div", "strip");
    this.notes = element("div", "notes");
    this.words = element("div", "words");
    this.fields = element("div", "fields");
    this.foot = element("div", "foot");
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
  }

  get current() {
    return this.items.get(this.order[this.at]);
  }

  moveTo(/** @type {HTMLElement} */ root) {
    if (this.root === root && root.hasChildNodes()) return;
    this.root = root;
    setAttributes(root, {
      tabindex: 0,
      role: "application",
      "aria-label": "Label review. A accepts, S skips, Z undoes, digits edit a field, arrows look around.",
    });
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("click", (event) => this.onClick(event));
    root.replaceChildren(
      element("div", "left", this.plate, this.strip),
      element("div", "side", this.notes, this.words, this.fields, this.foot),
      this.live,
    );
    // keys act from the first moment, unless a person is typing somewhere else
    if (document.activeElement === document.body) this.takeFocus();
  }

  takeFocus() {
    this.root.focus({ preventScroll: true });
  }

  /** What the server says: new items join at the end, known ones are renewed, kept decisions leave the outbox. */
  hear(/** @type {FocusData} */ data) {
    this.data = data;
    if (this.queue !== data.queue) {
      Object.assign(this, { queue: data.queue, items: new Map(), order: [], at: 0, editing: null });
      this.drafts.clear();
      this.decided.clear();
    }
    const kept = new Set(data.kept);
    const known = new Set(this.order);
    this.outbox.keep((decision) => !kept.has(decision.id));
    for (const item of data.items) {
      this.items.set(item.id, item);
      if (!known.has(item.id)) this.order.push(item.id);
    }
    for (const decision of this.outbox.decisions) {
      if (decides(decision) && !this.decided.has(decision.item)) this.decided.set(decision.item, decision);
    }
    for (const lost of data.conflicts) this.decided.delete(lost.item);
    if (this.goal && this.items.has(this.goal)) {
      this.at = this.order.indexOf(this.goal);
      this.goal = null;
    } else if (this.decided.has(this.order[this.at])) {
      this.forward();
    }
  }

  // ---- what a person does

  decide(/** @type {"accept" | "skip"} */ kind) {
    const item = this.current;
    if (!item || this.decided.has(item.id)) return;
    const draft = this.drafts.get(item.id) ?? {};
    const isCorrection = kind === "accept" && Object.keys(draft).length > 0;
    this.post({
      kind: isCorrection ? "correct" : kind,
      item: item.id,
      seen: item.seen,
      values: kind === "skip" ? {} : draft,
    });
    this.forward();
    this.paint();
  }

  post(/** @type {Omit<Decision, "id">} */ made) {
    const decision = { ...made, id: crypto.randomUUID() };
    if (decides(decision)) this.decided.set(decision.item, decision);
    this.outbox.add(decision);
  }

  /** To the next picture that waits for a decision; at the end, to the first that was left. */
  forward() {
    const waits = (/** @type {string} */ id) => !this.decided.has(id);
    const next = this.order.findIndex((id, index) => index > this.at && waits(id));
    const first = next < 0 ? this.order.findIndex(waits) : next;
    this.goTo(first < 0 ? this.order.length : first);
  }

  goTo(/** @type {number} */ index) {
    this.at = index;
    this.editing = null;
  }

  step(/** @type {number} */ by) {
    this.goTo(Math.min(Math.max(this.at + by, 0), Math.max(this.order.length - 1, 0)));
    this.paint();
  }

  /**
   * What may be undone: what the server keeps of this person, then what is still on its way to it.
   * @returns {Undoable[]}
   */
  undoable() {
    const isThere = (/** @type {{ decision: string }} */ each) => !this.undone.has(each.decision);
    const known = new Set(this.data.undoable.map((each) => each.decision));
    const sent = this.outbox.decisions.filter(decides);
    const settled = [...this.decided.values()].filter((decision) => !sent.includes(decision));
    const own = [...settled, ...sent].map(({ id, item }) => ({ decision: id, item }));
    return [...this.data.undoable, ...own.filter((each) => !known.has(each.decision))].filter(isThere);
  }

  undo() {
    const last = this.undoable().at(-1);
    if (!last) return;
    this.undone.add(last.decision);
    const values = this.decided.get(last.item)?.values ?? {};
    const unsent = this.outbox.decisions.find((decision) => decision.id === last.decision && !decision.posted);
    this.decided.delete(last.item);
    if (Object.keys(values).length) this.drafts.set(last.item, { ...values });
    if (unsent) this.outbox.keep((decision) => decision !== unsent);
    else this.post({ kind: "undo", item: last.item, undoes: last.decision, seen: "", values: {} });
    if (this.items.has(last.item)) this.at = this.order.indexOf(last.item);
    else this.goal = last.item;
    this.editing = null;
    this.paint();
  }

  edit(/** @type {string | null} */ name) {
    this.editing = this.editing === name ? null : name;
    this.paint();
    const input = this.editing && this.input;
    if (!input) return;
    input.focus();
    input.select();
  }

  /** The one that is open for free words. */
  get input() {
    return this.fields.querySelector("input");
  }

  setValue(/** @type {string | null} */ name, /** @type {string | null} */ value) {
    const item = this.current;
    if (name === null || !item || this.decided.has(item.id)) return;
    const draft = { ...(this.drafts.get(item.id) ?? {}) };
    if (value === (item.values[name]?.value ?? null)) delete draft[name];
    else draft[name] = value;
    if (Object.keys(draft).length) this.drafts.set(item.id, draft);
    else this.drafts.delete(item.id);
    this.editing = null;
    this.paint();
    this.takeFocus();
  }

  settle(/** @type {LostRace} */ conflict, /** @type {boolean} */ insists) {
    const isMine = insists && this.items.has(conflict.item);
    this.at = this.order.indexOf(conflict.item);
    if (isMine) this.drafts.set(conflict.item, { ...conflict.mine });
    else this.drafts.delete(conflict.item);
    this.post({ kind: "seen", item: conflict.item, seen: "", values: {}, undoes: conflict.decision });
    this.data.conflicts = this.data.conflicts.filter((each) => each !== conflict);
    if (isMine) this.decide("accept");
    this.paint();
    this.takeFocus(); // the button that had it is gone
  }

  onClick(/** @type {MouseEvent} */ event) {
    const { do: what, name = null, value = "" } = around(event, "[data-do]")?.dataset ?? {};
    if (what === "edit") this.edit(name);
    else if (what === "set") this.setValue(name, value || null);
    else if (what === "go") this.step(Number(value) - this.at);
    else if (what === "undo") this.undo();
    else if (what === "mine" || what === "theirs") this.settle(this.data.conflicts[Number(value)], what === "mine");
    else if (what === "accept" || what === "skip") this.decide(what);
  }

  onKey(/** @type {KeyboardEvent} */ event) {
    if (event.target instanceof HTMLInputElement) {
      this.onKeyInField(event, event.target.value.trim());
      return;
    }
    const isUndo = letterOf(event) === "z" && !event.altKey && !event.shiftKey;
    if (event.altKey || ((event.ctrlKey || event.metaKey) && !isUndo)) return;
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (event.key === "Enter" && around(event, "button")) return; // that button's own
    const act = isUndo ? () => this.undo() : this.actFor(letterOf(event));
    if (!act) return;
    take(event);
    act();
  }

  onKeyInField(/** @type {KeyboardEvent} */ event, /** @type {string} */ text) {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    take(event);
    if (event.key === "Escape") this.edit(this.editing);
    else this.setValue(this.editing, text || null);
    this.takeFocus();
  }

  /** @param {string} key @returns {(() => void) | undefined} */
  actFor(key) {
    if (/^[1-9]$/.test(key)) return this.digit(Number(key) - 1);
    if (key === "escape") return this.editing === null ? undefined : () => this.edit(this.editing);
    return new Map([
      ["a", () => this.decide("accept")],
      ["enter", () => this.decide("accept")],
      ["s", () => this.decide("skip")],
      ["arrowright", () => this.step(1)],
      ["arrowleft", () => this.step(-1)],
    ]).get(key);
  }

  /** A digit opens a field, and chooses in an open one. */
  digit(/** @type {number} */ index) {
    const { fields } = this.data;
    const open = fields.find((field) => field.name === this.editing);
    if (!open) return fields[index] && (() => this.edit(fields[index].name));
    const choice = choicesOf(open)[index];
    return () => choice && this.setValue(open.name, choice.value);
  }

  // ---- what is drawn

  paint() {
    const { data } = this;
    const item = this.current;
    const reason = item ? item.reason || "Label" : "Nothing waits for a decision";
    this.root.classList.toggle("empty", !item);
    this.notes.replaceChildren(...data.conflicts.map(noteOf));
    setAttributes(this.picture, { src: item?.picture_url ?? null, alt: item?.alt ?? "" });
    if (item) {
      this.words.replaceChildren(
        element("h3", "", reason),
        element("p", "detail", item.detail),
        element("p", { class: "path", title: item.title }, item.title),
      );
      this.paintFields(item);
    } else {
      this.words.replaceChildren(
        element("h3", "", data.left ? "More is on its way" : reason),
        element("p", "path", data.left ? "" : "Change the filters to look at other labels."),
      );
      this.fields.replaceChildren();
    }
    this.paintStrip();
    this.paintFoot(item);
    setText(this.live, item ? `${reason}. ${item.alt}` : reason);
    this.decodeAhead();
  }

  /** What a person is typing outlives a redraw: the server may answer in the middle of a word. */
  paintFields(/** @type {FocusItem} */ item) {
    const place = `${item.id} ${this.editing}`;
    const before = this.typing === place ? this.input : null;
    const hadFocus = before?.matches(":focus");
    const draft = this.drafts.get(item.id) ?? {};
    this.typing = place;
    this.fields.replaceChildren(
      ...this.data.fields.map((field, index) => {
        const { name } = field;
        return fieldOf(field, item.values[name], draft[name], String(index + 1), this.editing === name);
      }),
    );
    const { input } = this;
    if (!before || !input) return;
    input.value = before.value;
    if (!hadFocus) return;
    input.focus({ preventScroll: true });
    input.setSelectionRange(before.selectionStart, before.selectionEnd);
  }

  paintStrip() {
    const from = Math.max(0, Math.min(this.at - 3, this.order.length - STRIP));
    const tiles = this.order.slice(from, from + STRIP).map((id, offset) => this.tile(id, from + offset));
    this.strip.replaceChildren(...tiles);
  }

  tile(/** @type {string} */ id, /** @type {number} */ index) {
    const { alt = "", thumbnail_url = "" } = this.items.get(id) ?? {};
    const decision = this.decided.get(id);
    const mark = decision && MARKS[decision.kind];
    const picture = element("img", { src: thumbnail_url, alt, decoding: "async" });
    const tile = action("go", {
      class: decision ? "tile done" : "tile",
      "data-value": index,
      "aria-label": mark ? `${alt}, ${mark}` : alt,
      "aria-current": index === this.at || null,
    }, picture);
    picture.addEventListener("error", () => tile.classList.add("broken"));
    if (decision) tile.append(element("span", "tick", decision.kind === "skip" ? "–" : "✓"));
    return tile;
  }

  paintFoot(/** @type {FocusItem | undefined} */ item) {
    const { trouble, left, fields } = this.data;
    const hint = (/** @type {string} */ letter) => element("kbd", "", letter);
    const accept = action("accept", { class: "primary" }, this.isDrafted ? "Save correction" : "Accept", hint("A"));
    const skip = action("skip", {}, "Skip", hint("S"));
    const back = action("undo", {}, "Undo", hint("Z"));
    accept.disabled = skip.disabled = !item || this.decided.has(item.id);
    back.disabled = this.undoable().length === 0;
    const waiting = this.outbox.decisions.length;
    const saving = waiting ? `saving ${waiting}…` : "all saved";
    const kept = trouble ? `${waiting} kept in this browser · ${trouble}` : saving;
    const ahead = this.outbox.decisions.filter(({ kind }) => kind === "accept" || kind === "correct").length;
    const rest = `${Math.max(0, left - ahead).toLocaleString("en")} left`;
    this.foot.replaceChildren(
      element("div", "buttons", accept, skip, back),
      element(
        "div",
        "status",
        element("span", "", `1–${fields.length} edit a field · ← → look around`),
        element("span", trouble ? "trouble" : "", `${kept} · ${rest}`),
      ),
    );
  }

  get isDrafted() {
    return this.current !== undefined && this.drafts.has(this.current.id);
  }

  /** The next pictures are decoded while this one is looked at; those behind are let go. */
  decodeAhead() {
    const wanted = this.order.slice(this.at, this.at + 1 + AHEAD).map((id) => this.items.get(id)?.picture_url ?? "");
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

/** A lost race: what became of it, and what can be done about it. */
function noteOf(/** @type {LostRace} */ lost, /** @type {number} */ index) {
  const at = { "data-value": index };
  const buttons = element("div", "choices", action("theirs", at, lost.can_insist ? "Keep theirs" : "OK"));
  if (lost.can_insist) buttons.append(action("mine", at, "Use mine"));
  return element("div", "conflict", element("p", "", lost.says), buttons);
}
