// What the vote desk looks like: the viewer, the answers with their keys, the reasons, and a line that says how it stands.

import { button, element, setAttributes, setText } from "../dom.js";
import { keycap, onLabels } from "../keyboard.js";
import { ANSWER_WORDS } from "./acts.js";
import { VoteViewer } from "./viewer.js";
/** @import { Answer, VoteDesk } from "./desk.js" */

const GAPS = 40; // between the viewer, its foot, and the page's edge
const SHORTCUTS = { left: "ArrowLeft", right: "ArrowRight", tie: "ArrowDown", "both-bad": "x" };
/** @type {[Answer, string, string][]} */
const ANSWERS = [
  ["left", "←", "left is better"],
  ["tie", "↓", "tie"],
  ["both-bad", "x", "both bad"],
  ["right", "→", "right is better"],
];
/** @type {[string[], string][]} */
const KEYS = [
  [["←", "→"], "the left or the right picture is better"],
  [["↓"], "a tie: neither is better"],
  [["x"], "both are bad"],
  [["1", "–", "5"], "why: on or off before you answer"],
  [["z"], "take the last answer back"],
  [["s"], "skip: this pair comes back after a day"],
  [["space"], "flip: one picture over the other"],
  [["+", "-", "0"], "zoom in, out, fit; both together"],
  [["shift ←", "↑", "→", "↓"], "pan, where it is zoomed in"],
  [["w"], "what was it? after an answer"],
  [["l"], "have the labels behind the last answer reviewed"],
  [["f"], "full screen"],
  [["?"], "these keys"],
];

export class VoteDeskView {
  constructor(/** @type {VoteDesk} */ desk, /** @type {ShadowRoot} */ mount, /** @type {HTMLElement} */ root) {
    this.desk = desk;
    this.mount = mount;
    this.root = root;
    this.answers = new Map(ANSWERS.map(([answer, key, label]) => {
      const node = button("answer", "", () => desk.choose(answer));
      node.append(...(answer === "right" ? [label, keycap(key)] : [keycap(key), label]));
      setAttributes(node, { "aria-keyshortcuts": SHORTCUTS[answer] });
      return [answer, node];
    }));
    this.reasons = desk.data.reasons.map(({ value, label }, at) => {
      const node = button("reason", "", () => desk.toggleReason(at));
      node.append(keycap(String(at + 1)), label);
      setAttributes(node, { "aria-keyshortcuts": String(at + 1), "data-reason": value });
      return node;
    });
    this.undo = quiet("z", "undo", () => desk.undo());
    this.skip = quiet("s", "skip", () => desk.skip());
    this.reveal = quiet("w", "what was it?", () => desk.reveal());
    this.keys = quiet("?", "keys", () => desk.toggleKeys());
    this.keys.classList.add("of-keys");
    this.flip = quiet("space", "flip", () => this.viewer.flip());
    this.doubt = button("small", "Have its labels reviewed", () => desk.doubt());
    this.standing = element("span", "standing");
    this.note = element("p", { class: "note-line", role: "status" });
    this.was = element("div", { class: "was", hidden: true });
    this.help = element("div", { class: "keys", role: "region", "aria-label": "Keys", hidden: true });
    this.row = element("div", { class: "answers", role: "group", "aria-label": "Which is better?" });
    this.row.append(...this.answers.values());
    this.why = element("div", { class: "reasons", role: "group", "aria-label": "Because of" });
    this.why.append(element("span", "because", "because of"), ...this.reasons);
    this.acts = element("div", "vote-acts", this.undo, this.skip, this.flip, this.reveal, this.keys);
    this.line = element("div", "vote-line", this.standing, this.note, this.doubt);
    this.second = element("div", "second", this.why, this.acts);
    this.foot = element("div", "vote-foot", this.row, this.second, this.line, this.was, this.help);
    root.append(this.foot);
    this.viewer = new VoteViewer(mount, root);
    this.viewer.foot = () => (this.viewer.isNarrow ? this.row.offsetHeight : this.fixedFoot) + GAPS;
    this.viewer.onLoaded = () => desk.loaded();
    this.viewer.onLooked = () => this.paint();
    this.unlabel = onLabels(() => this.paint());
    this.drawKeys();
  }

  /** The height of what is always there: what is opened below it moves nothing. */
  get fixedFoot() {
    return this.row.offsetHeight + this.second.offsetHeight + this.line.offsetHeight;
  }

  paint() {
    const { desk, viewer } = this;
    const { current, data } = desk;
    const isThere = current !== null;
    setAttributes(this.root, { "data-empty": isThere ? null : data.is_over ? "over" : "waiting" });
    for (const node of this.answers.values()) setAttributes(node, { "aria-disabled": !viewer.isJudgeable });
    for (const node of this.reasons) {
      setAttributes(node, { "aria-pressed": desk.reasons.has(node.dataset.reason ?? "") });
      node.disabled = !isThere;
    }
    this.undo.disabled = desk.past.length === 0;
    this.skip.hidden = this.flip.hidden = !isThere;
    this.undo.hidden = this.reveal.hidden = this.keys.hidden = !isThere && desk.past.length === 0;
    this.reveal.disabled = !desk.last;
    setAttributes(this.reveal, { "aria-expanded": desk.isOpen });
    setAttributes(this.keys, { "aria-expanded": desk.showsKeys });
    setText(this.standing, this.standingWords());
    setText(this.note, this.noteWords());
    this.paintDoubt();
    this.paintWas();
    const isOpening = this.help.hidden && desk.showsKeys;
    this.help.hidden = !desk.showsKeys;
    if (isOpening) this.help.scrollIntoView({ block: "nearest" });
    this.keepFocus();
  }

  standingWords() {
    const { data, outbox } = this.desk;
    const minutes = data.seconds / 60;
    const time = minutes < 1 ? `${Math.round(data.seconds)} s` : `${Math.round(minutes)} min`;
    const open = outbox.decisions.filter(({ does }) => does === "vote").length;
    const answers = (/** @type {number} */ number) => (number === 1 ? "1 answer" : `${number} answers`);
    return [
      data.judged ? `${data.judged} judged · ${time}` : "",
      data.left !== null && data.left > 0 ? `${data.left} left` : "",
      open && (outbox.isSilent || data.trouble) ? `${answers(open)} kept in this browser` : "",
      data.waiting ? `${answers(data.waiting)} on the way to storage` : "",
    ].filter(Boolean).join(" · ");
  }

  noteWords() {
    const { data, outbox, note, refusal, current } = this.desk;
    if (data.trouble) return `${data.trouble} Your answers are kept here and sent again.`;
    if (outbox.isSilent) return "The server does not answer. Your answers are kept here and sent again.";
    if (note || refusal) return note || refusal;
    if (current || data.is_over) return "";
    return "The next pair is on its way.";
  }

  paintDoubt() {
    const { desk } = this;
    const token = desk.last?.ballot.token ?? "";
    const done = desk.data.doubted.find((each) => each.token === token);
    const isAsked = desk.asked.has(`doubt ${token}`);
    this.doubt.hidden = !desk.isDoubtful;
    this.doubt.disabled = isAsked;
    setText(this.doubt, isAsked ? (done?.says ?? "Queuing …") : "Have the labels behind your last answer reviewed");
  }

  /** What the last one was, with both its pictures small. */
  paintWas() {
    const { desk } = this;
    const { last } = desk;
    this.was.hidden = !desk.isOpen || !last;
    if (this.was.hidden || !last) return;
    const { token, left, right } = last.ballot;
    const said = desk.data.revealed.find((each) => each.token === token);
    const facts = JSON.stringify([token, said ?? null]);
    if (this.was.dataset.facts === facts) return;
    this.was.dataset.facts = facts;
    if (!said) {
      this.was.replaceChildren(element("p", "", "Asking what it was …"));
      return;
    }
    const figure = (/** @type {string} */ url, /** @type {string} */ place, /** @type {string} */ title) => {
      return element("figure", "", element("img", { src: url, alt: `${place}: ${title}` }), element("figcaption", "", `${place}: ${title}`));
    };
    const link = element("a", { href: said.url, target: "_blank", rel: "noopener" }, "Open in History");
    const words = element("div", "was-words", element("p", "", `You said: ${ANSWER_WORDS[last.answer ?? "tie"].toLowerCase()}.`), link);
    const shown = () => this.was.scrollIntoView({ block: "nearest" });
    this.was.replaceChildren(figure(left, "Left", said.left), figure(right, "Right", said.right), words);
    Promise.allSettled([...this.was.querySelectorAll("img")].map((img) => img.decode())).then(shown);
    this.viewer.say(`Left: ${said.left}. Right: ${said.right}.`);
  }

  drawKeys() {
    const rows = element("dl", "rows");
    for (const [keys, means] of KEYS) {
      const caps = keys.map((key) => (key === "–" ? key : keycap(key)));
      rows.append(element("dt", "", ...caps), element("dd", "", means));
    }
    this.help.append(rows);
  }

  takeFocus() {
    this.root.focus({ preventScroll: true });
  }

  /** What had the focus may be gone or off by now, and nobody would hear the keys. */
  keepFocus() {
    const active = this.mount.activeElement;
    if (active && (active.matches(":disabled") || !active.getClientRects().length)) this.takeFocus();
  }

  close() {
    this.unlabel();
    this.viewer.close();
    this.root.replaceChildren();
  }
}

function quiet(/** @type {string} */ key, /** @type {string} */ label, /** @type {() => void} */ act) {
  const node = button("quiet", "", act);
  node.append(keycap(key), label);
  setAttributes(node, { "aria-keyshortcuts": key });
  return node;
}
