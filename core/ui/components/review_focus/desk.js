// The state of the review desk: what is on it, what was decided, and what its person does.

import { Hand, isLent } from "./lent.js";
import { Outbox } from "../outbox.js";
import { decides, tabShelf } from "./outbox.js";
import { View } from "./view.js";
/** @import { Decision } from "./outbox.js" */
/** @import { FocusData, FocusItem, LostRace, Undoable } from "../shapes.js" */

export class Desk {
  queue = "";
  /** @type {Map<string, FocusItem>} */
  items = new Map();
  /** @type {string[]} */
  order = [];
  at = 0;
  /** @type {string | null} the field that is open */
  editing = null;
  isTyping = false; // another word than the open field's choices
  showsKeys = false;
  /** @type {string | null} an item to go to once the server offers it */
  goal = null;
  /** @type {Map<string, Record<string, string | null>>} */
  drafts = new Map();
  /** @type {Map<string, Decision>} */
  decided = new Map();
  /** @type {Set<string>} */
  undone = new Set();
  /** @type {Set<string>} messages that were put aside: what the server says of them is older */
  aside = new Set();
  /** @type {Set<string>} lost races whose wish stands beside theirs as a draft */
  told = new Set();
  askAgain = () => {};

  constructor(/** @type {FocusData} */ data) {
    this.data = data;
    this.outbox = new Outbox(tabShelf(`${data.owner}.${data.key}`));
    this.outbox.onSilence = () => this.view.paint();
    this.view = new View(this);
    this.hand = new Hand(this);
  }

  get current() {
    return this.items.get(this.order[this.at]);
  }

  /** What the server says: known items are renewed, the others stand in its order, kept decisions leave the outbox. */
  hear(/** @type {FocusData} */ data) {
    const isStill = (/** @type {{ decision: string }} */ { decision }) => !this.aside.has(decision);
    this.data = { ...data, conflicts: data.conflicts.filter(isStill), settled: data.settled.filter(isStill) };
    if (this.queue !== data.queue) {
      Object.assign(this, { queue: data.queue, items: new Map(), order: [], at: 0, editing: null });
      this.decided.clear();
    }
    this.outbox.hear(data.kept, this.data.conflicts.map(({ decision }) => decision));
    for (const item of data.items) {
      this.items.set(item.id, item);
      this.forgetDrafted(item);
    }
    for (const decision of this.outbox.open) {
      const isTaken = this.undone.has(decision.id) || this.decided.has(decision.item);
      if (decides(decision) && !isTaken) this.decided.set(decision.item, decision);
    }
    this.data.conflicts.forEach((lost) => this.lose(lost));
    // Who has been through an item meets it where it was; what is still to come stands as the server has it.
    const arrives = this.at >= this.order.length;
    const past = this.order.filter((id, index) => index <= this.at || this.decided.has(id));
    const met = new Set(past);
    this.order = [...past, ...data.items.map(({ id }) => id).filter((id) => !met.has(id))];
    if (this.goal && this.items.has(this.goal)) {
      this.at = this.order.indexOf(this.goal);
      this.goal = null;
    } else if (!this.current || this.decided.has(this.current.id)) {
      this.forward();
    } else if (arrives && !data.is_searched && isLent(this.current)) {
      this.forward();
    }
  }

  /** The item is to be decided about again, with what was wanted as a draft upon what is said now. */
  lose(/** @type {LostRace} */ lost) {
    if (this.decided.get(lost.item)?.id === lost.decision) this.decided.delete(lost.item);
    if (this.told.has(lost.decision)) return;
    this.told.add(lost.decision);
    if (Object.keys(lost.mine).length) this.drafts.set(lost.item, { ...lost.mine });
  }

  /** What is said by now is no draft any more. */
  forgetDrafted(/** @type {FocusItem} */ item) {
    const draft = Object.entries(this.drafts.get(item.id) ?? {});
    const left = draft.filter(([name, value]) => value !== (item.values[name]?.value ?? null));
    if (left.length) this.drafts.set(item.id, Object.fromEntries(left));
    else if (!this.decided.has(item.id)) this.drafts.delete(item.id);
  }

  // ---- what a person does

  decide(/** @type {"accept" | "skip"} */ kind) {
    const item = this.current;
    if (!item || this.decided.has(item.id)) return;
    for (const lost of this.data.conflicts) if (lost.item === item.id) this.putAside(lost.decision, item.id);
    const draft = this.drafts.get(item.id) ?? {};
    const isCorrection = kind === "accept" && Object.keys(draft).length > 0;
    this.post({
      kind: isCorrection ? "correct" : kind,
      item: item.id,
      seen: item.seen,
      values: kind === "skip" ? {} : draft,
    });
    this.forward();
    this.view.paint();
  }

  post(/** @type {Omit<Decision, "id">} */ made) {
    const decision = { ...made, id: crypto.randomUUID() };
    if (decides(decision)) this.decided.set(decision.item, decision);
    this.outbox.add(decision);
  }

  /** To the next picture that waits for a decision; at the end, to the first that was left. */
  forward() {
    const waits = (/** @type {string} */ id) => !this.decided.has(id) && !isLent(this.items.get(id));
    const next = this.order.findIndex((id, index) => index > this.at && waits(id));
    const first = next < 0 ? this.order.findIndex(waits) : next;
    this.goTo(first < 0 ? this.order.length : first);
  }

  goTo(/** @type {number} */ index) {
    this.at = index;
    this.editing = null;
    this.isTyping = false;
  }

  step(/** @type {number} */ by) {
    this.goTo(Math.min(Math.max(this.at + by, 0), Math.max(this.order.length - 1, 0)));
    this.view.paint();
  }

  /** To an item, once the server offers it if it is not here. */
  goToItem(/** @type {string} */ id) {
    const at = this.order.indexOf(id);
    if (at < 0) this.goal = id;
    else this.goTo(at);
  }

  look(/** @type {string} */ id) {
    this.goToItem(id);
    this.view.paint();
  }

  /**
   * What may be undone: what the server keeps of this person, then what is still on its way to it.
   * @returns {Undoable[]}
   */
  undoable() {
    const isThere = (/** @type {{ decision: string }} */ each) => !this.undone.has(each.decision);
    const known = new Set(this.data.undoable.map((each) => each.decision));
    const sent = this.outbox.open.filter((decision) => decides(decision) || decision.kind === "settle");
    const settled = [...this.decided.values()].filter((decision) => !sent.includes(decision));
    const own = [...settled, ...sent].map(({ id, item }) => ({ decision: id, item }));
    return [...this.data.undoable, ...own.filter((each) => !known.has(each.decision))].filter(isThere);
  }

  undo(last = this.undoable().at(-1)) {
    if (!last) return;
    this.undone.add(last.decision);
    const decision = this.decided.get(last.item);
    const unsent = this.outbox.open.find((each) => each.id === last.decision && !each.posted);
    if (decision?.id === last.decision) {
      this.decided.delete(last.item);
      if (Object.keys(decision.values).length) this.drafts.set(last.item, { ...decision.values });
    }
    if (unsent) this.outbox.keep((each) => each !== unsent);
    else this.post({ kind: "undo", item: last.item, undoes: last.decision, seen: "", values: {} });
    this.goToItem(last.item);
    this.editing = null;
    this.view.paint();
  }

  edit(/** @type {string | null} */ name) {
    this.editing = this.editing === name ? null : name;
    this.isTyping = false;
    this.view.paint();
  }

  /** Write another word than the choices of the open field, or choose again. */
  type(/** @type {boolean} */ isTyping) {
    const field = this.data.fields.find(({ name }) => name === this.editing);
    if (!field?.is_free) return;
    this.isTyping = isTyping;
    this.view.paint();
    this.view.input?.focus();
    this.view.input?.select();
  }

  setValue(/** @type {string | null} */ name, /** @type {string | null} */ value) {
    const item = this.current;
    if (name === null || !item || this.decided.has(item.id)) return;
    this.drafts.set(item.id, { ...(this.drafts.get(item.id) ?? {}), [name]: value });
    this.forgetDrafted(item);
    this.editing = null;
    this.isTyping = false;
    this.view.paint();
    this.view.takeFocus();
  }

  /** Give all pictures of the person the value that the field has here. */
  settle(/** @type {string} */ name) {
    const item = this.current;
    const field = this.data.fields.find((each) => each.name === name);
    if (!item?.persona || !field?.is_personal) return;
    const drafted = this.drafts.get(item.id)?.[name];
    const value = drafted === undefined ? item.values[name]?.value : drafted;
    if (!value) return;
    this.post({ kind: "settle", item: item.id, seen: item.seen, values: { [name]: value } });
    this.editing = null;
    this.view.paint();
  }

  // ---- messages

  putAside(/** @type {string} */ decision, /** @type {string} */ item) {
    const isOther = (/** @type {{ decision: string }} */ each) => each.decision !== decision;
    const undo = this.outbox.decisions.find(({ id, kind }) => id === decision && kind === "undo");
    if (undo) this.undone.delete(undo.undoes ?? ""); // it was not taken back
    this.aside.add(decision);
    this.outbox.lost.delete(decision);
    this.outbox.keep(({ id }) => id !== decision);
    this.data.conflicts = this.data.conflicts.filter(isOther);
    this.data.settled = this.data.settled.filter(isOther);
    this.post({ kind: "seen", item, seen: "", values: {}, undoes: decision });
  }

  /** The message that is named, or the first: use mine, or keep theirs, which is all that some leave to do. */
  answer(/** @type {string} */ which, /** @type {boolean} */ insists) {
    const isMeant = (/** @type {{ decision: string }} */ { decision }) => !which || decision === which;
    const lost = this.data.conflicts.find(isMeant);
    const settled = this.data.settled.find(isMeant);
    if (lost && !insists) this.yieldTo(lost);
    else if (lost?.seen) this.insist(lost);
    else if (settled && !insists) this.putAside(settled.decision, settled.item);
    this.view.paint();
  }

  /** Theirs stand; what I wanted of other fields stays a draft. */
  yieldTo(/** @type {LostRace} */ lost) {
    this.putAside(lost.decision, lost.item);
    const others = Object.entries(lost.mine).filter(([name]) => !lost.fields.includes(name));
    if (others.length) this.drafts.set(lost.item, Object.fromEntries(others));
    else if (lost.seen) this.drafts.delete(lost.item);
    this.goToItem(lost.item);
  }

  /** Mine after all, by one who has seen theirs. */
  insist(/** @type {LostRace} */ lost) {
    this.putAside(lost.decision, lost.item);
    this.post({ kind: "correct", item: lost.item, seen: lost.seen, values: { ...lost.mine } });
    if (this.current?.id === lost.item) this.forward();
  }

  toggleKeys() {
    this.showsKeys = !this.showsKeys;
    this.view.paint();
  }

  close() {
    if (this.showsKeys) this.toggleKeys();
    else if (this.editing !== null) this.edit(this.editing);
    else this.view.zoom.whole();
  }

  /** What was skipped waits again. */
  again() {
    for (const [item, { kind }] of this.decided) if (kind === "skip") this.decided.delete(item);
    this.at = this.order.length;
    this.forward();
    this.askAgain();
    this.view.paint();
    this.view.takeFocus();
  }

  /** How things stand once no picture is left. */
  get ending() {
    const skipped = [...this.decided.values()].filter(({ kind }) => kind === "skip").length;
    const lent = this.order.map((id) => this.items.get(id)).filter((item) => item && isLent(item));
    return { open: this.outbox.open.length, isAway: Boolean(this.data.trouble) || this.outbox.isSilent, skipped, lent };
  }

  /** Whether all is saved: what the server has not answered for is not, and what it would not keep is not. */
  get kept() {
    const open = this.outbox.open.length;
    const lost = this.data.conflicts.length;
    const trouble = this.data.trouble || (this.outbox.isSilent ? "the server does not answer" : "");
    if (open && trouble) return { says: `${open} kept in this browser · ${trouble}`, isTrouble: true };
    if (open) return { says: `saving ${open}…`, isTrouble: false };
    return lost ? { says: `${lost} not saved`, isTrouble: true } : { says: "all saved", isTrouble: false };
  }

  get isDrafted() {
    return this.current !== undefined && this.drafts.has(this.current.id);
  }
}
