// The state of the vote desk: the ballots before its person, what they answered, and what can still be taken back.

import { Outbox } from "../outbox.js";
import { actId, sharedShelf, ANSWER_WORDS } from "./acts.js";
import { VoteDeskView } from "./desk_view.js";
import { BallotPair } from "./pair.js";
import { Stopwatch } from "./stopwatch.js";
/** @import { Act } from "./acts.js" */
/** @import { Ballot, VoteData } from "../shapes.js" */

const AHEAD = 2; // pairs that are loaded and painted before they are asked for
const PAST = 50; // answers that can be taken back
const PAST_PAIRS = 2; // of which so many still have their pictures
const READ_S = 8; // for so long a refusal stays at least: who answers fast would miss it
const SPOKEN_MAX = 200; // letters of a prompt that are read out; all of it can be read above the pictures
const DOUBTS = ["person", "angle"]; // reasons that may come from a wrong label

/** @typedef {NonNullable<Act["answer"]>} Answer */
/**
 * What was answered, or skipped: then there is no `answer`. `of` as below.
 * @typedef {{ ballot: Ballot, pair: BallotPair, answer: Answer | null, reasons: string[], of: string }} Past
 */

export class VoteDesk {
  /** @type {Map<string, Ballot>} what waits, by token */
  waiting = new Map();
  /** @type {Map<string, BallotPair>} by token */
  pairs = new Map();
  /** @type {BallotPair | null} */
  current = null;
  /** The answered ballot that the current one takes the place of, while the server has yet to say its token. */
  of = "";
  /** @type {Past[]} */
  past = [];
  /** @type {Set<string>} */
  reasons = new Set();
  /** @type {Set<string>} tokens that were answered or skipped here */
  spent = new Set();
  /** @type {Set<string>} refusals that were told */
  told = new Set();
  /** @type {Set<string>} tokens of answers whose sides were asked for, or whose labels are to be reviewed */
  asked = new Set();
  note = "";
  refusal = ""; // goes with the next answer that is given after it could be read
  showsKeys = false;
  isOpen = false; // what the last one was stands open
  isOver = false; // so the server said last

  constructor(/** @type {VoteData} */ data, /** @type {ShadowRoot} */ mount, /** @type {HTMLElement} */ root) {
    this.data = data;
    this.queue = data.queue;
    this.stopwatch = new Stopwatch();
    this.refusedFor = new Stopwatch();
    /** @type {Outbox<Act>} */
    this.outbox = new Outbox(sharedShelf(data.owner));
    this.outbox.isReady = (act) => act.token !== "";
    this.outbox.onSilence = () => this.view.paint();
    for (const act of this.outbox.decisions) this.spent.add(act.token);
    this.view = new VoteDeskView(this, mount, root);
  }

  /** The tokens of what is before its person: their pairs are not to be drawn once more. */
  get held() {
    const now = this.current && !this.of ? [this.current.ballot.token] : [];
    return [...new Set([...now, ...this.waiting.keys()])];
  }

  get reasonsNow() {
    return this.data.reasons.map(({ value }) => value).filter((value) => this.reasons.has(value));
  }

  /** What the server says: acts that are done leave the outbox, new ballots come behind those that are there. */
  hear(/** @type {VoteData} */ data) {
    this.data = data;
    for (const { of, token } of data.anew) this.renew(of, token);
    for (const { act, says } of data.refused) this.refuse(act, says);
    this.outbox.hear([...data.kept, ...data.refused.map(({ act }) => act)], []);
    if (this.queue !== data.queue) {
      this.queue = data.queue;
      this.waiting.clear();
      if (!this.of) this.drop();
    }
    this.waiting = new Map(data.ballots.filter(({ token }) => !this.spent.has(token)).map((one) => [one.token, one]));
    const before = this.current;
    this.turn();
    if (this.current !== before) this.say(this.nextWords, false);
    else if (!this.current && data.is_over && !this.isOver) this.say("There is no pair to judge just now.", false);
    this.isOver = data.is_over;
    if (!data.is_met) setTimeout(() => this.outbox.post());
  }

  /** What comes next, for who hears the page: the prompt, which is all there is to say of two pictures. */
  get nextWords() {
    if (!this.current) return "";
    const letters = [...this.current.ballot.prompt];
    return `Next pair: ${letters.length > SPOKEN_MAX ? `${letters.slice(0, SPOKEN_MAX).join("")} …` : letters.join("")}`;
  }

  /** The server has taken an answer back: the ballot has a token again, also where it is answered anew already. */
  renew(/** @type {string} */ of, /** @type {string} */ token) {
    if (this.of === of && this.current) {
      this.current.ballot = { ...this.current.ballot, token };
      this.pairs.set(token, this.current);
      this.of = "";
    }
    for (const act of this.outbox.decisions) {
      if (act.of !== of || act.token) continue;
      act.token = token;
      this.spent.add(token);
    }
    for (const past of this.past) {
      if (past.of !== of || past.ballot.token) continue;
      past.ballot = { ...past.ballot, token };
      this.spent.add(token);
    }
    this.outbox.remember();
  }

  /** What the server will never do; an answer that hangs on it goes as well. */
  refuse(/** @type {string} */ id, /** @type {string} */ says) {
    const act = this.outbox.decisions.find((each) => each.id === id);
    if (!act || this.told.has(id)) return;
    this.told.add(id);
    this.refusal = act.does === "vote" ? `An answer was not counted: ${says}` : says;
    this.refusedFor.begin();
    if (act.does === "vote" || act.does === "skip") this.past = this.past.filter(({ ballot }) => ballot.token !== act.token);
    if (act.does !== "undo") return;
    this.outbox.keep((each) => each.of !== act.token || each.token !== "");
    if (this.of === act.token) this.drop();
  }

  drop() {
    this.current?.discard();
    this.current = null;
    this.of = "";
  }

  // ---- what is before its person ----

  /** Puts the next ballot in front if none is, and loads those behind it. */
  turn() {
    if (!this.current) {
      const [next] = this.waiting.values();
      if (next) this.front(this.pairOf(next));
    }
    const now = this.current?.ballot.token;
    const rest = [...this.waiting.values()].filter(({ token }) => token !== now).slice(0, AHEAD);
    const ahead = rest.map((ballot) => this.pairOf(ballot));
    const wanted = new Set([this.current, ...ahead, ...this.past.slice(-PAST_PAIRS).map(({ pair }) => pair)]);
    for (const [token, pair] of this.pairs) {
      if (wanted.has(pair)) continue;
      pair.discard();
      this.pairs.delete(token);
    }
    this.view.viewer.show(this.current, ahead);
    this.view.paint();
  }

  pairOf(/** @type {Ballot} */ ballot) {
    const pair = this.pairs.get(ballot.token) ?? new BallotPair(ballot, this.view.viewer);
    this.pairs.set(ballot.token, pair);
    return pair;
  }

  front(/** @type {BallotPair} */ pair) {
    this.current = pair;
    this.reasons.clear();
    this.stopwatch.begin();
  }

  /** Its seconds begin when both pictures are there. */
  loaded() {
    if (this.current?.isReady && !this.current.wasReady) {
      this.current.wasReady = true;
      this.stopwatch.begin();
    }
    this.view.paint();
  }

  // ---- what its person does ----

  choose(/** @type {Answer} */ answer) {
    const { current } = this;
    if (!current) return;
    if (!this.view.viewer.isJudgeable) {
      const turns = matchMedia("(pointer: coarse)").matches ? "a tap" : "space";
      this.say(current.isReady ? `Look at both first: ${turns} turns to the other.` : "The pictures are still loading.");
      return;
    }
    this.leave(current, answer);
  }

  skip() {
    if (this.current) this.leave(this.current, null);
  }

  /** Sends what was answered, or that it was skipped, and puts the next one in front. */
  leave(/** @type {BallotPair} */ pair, /** @type {Answer | null} */ answer) {
    const { of } = this;
    const token = of ? "" : pair.ballot.token;
    const reasons = answer === null ? [] : this.reasonsNow;
    const said = answer === null ? {} : { answer, reasons, seconds: this.stopwatch.seconds };
    this.outbox.add({ id: actId(), does: answer === null ? "skip" : "vote", token, ...said, ...(of ? { of } : {}) });
    const past = { ballot: { ...pair.ballot, token }, pair, answer, reasons, of };
    this.spent.add(past.ballot.token);
    this.waiting.delete(past.ballot.token);
    this.past.push(past);
    this.past.splice(0, Math.max(0, this.past.length - PAST));
    this.current = null;
    this.of = "";
    this.note = "";
    if (this.refusedFor.seconds > READ_S) this.refusal = "";
    this.isOpen = false;
    this.turn();
    const words = answer === null ? "Skipped." : `${ANSWER_WORDS[answer]}.`;
    this.say(`${words} ${this.nextWords}`.trim(), false);
  }

  /** The last one is in front again at once; the server is asked to take its answer back. */
  undo() {
    const last = this.past.at(-1);
    if (!last || last.ballot.token === "") return;
    this.past.pop();
    const { token } = last.ballot;
    // one that still has no token comes back from the server once it has one
    if (this.current && !this.of) {
      const { ballot } = this.current;
      this.waiting = new Map([[ballot.token, ballot], ...this.waiting]);
    }
    this.outbox.add({ id: actId(), does: "undo", token });
    this.of = token;
    const isStill = [...this.pairs.values()].includes(last.pair);
    this.front(isStill ? last.pair : this.pairOf(last.ballot));
    this.reasons = new Set(last.reasons);
    this.isOpen = false;
    this.note = "";
    this.turn();
    this.say(last.answer === null ? "The skipped pair is back." : "Taken back: judge it again.", false);
  }

  toggleReason(/** @type {number} */ number) {
    const reason = this.data.reasons[number];
    if (!reason || !this.current) return;
    const isOn = !this.reasons.delete(reason.value);
    if (isOn) this.reasons.add(reason.value);
    this.say(`Because of ${reason.label}: ${isOn ? "on" : "off"}.`, false);
  }

  /** The last answer, if there is one that the server can be asked about. */
  get last() {
    const last = this.past.at(-1);
    return last && last.answer !== null && last.ballot.token ? last : null;
  }

  /** What it was is told after the vote, to who asks. */
  reveal() {
    const { last } = this;
    if (!last) return;
    this.isOpen = !this.isOpen;
    if (this.isOpen) this.ask("reveal", last.ballot.token);
    this.view.paint();
  }

  /** Whether the last answer speaks of what a wrong label may have done. */
  get isDoubtful() {
    return Boolean(this.last?.reasons.some((reason) => DOUBTS.includes(reason)));
  }

  doubt() {
    if (this.last && this.isDoubtful) this.ask("doubt", this.last.ballot.token);
    this.view.paint();
  }

  ask(/** @type {"reveal" | "doubt"} */ does, /** @type {string} */ token) {
    if (this.asked.has(`${does} ${token}`)) return;
    this.asked.add(`${does} ${token}`);
    this.outbox.add({ id: actId(), does, token });
  }

  toggleKeys() {
    this.showsKeys = !this.showsKeys;
    this.view.paint();
  }

  close() {
    if (!this.showsKeys && !this.isOpen) return false;
    this.showsKeys = this.isOpen = false;
    this.view.paint();
    return true;
  }

  /** Says it aloud; in the line below the answers, too, which speaks for itself, if `isShown`. */
  say(/** @type {string} */ text, isShown = true) {
    if (isShown) this.note = text;
    else this.view.viewer.say(text);
    this.view.paint();
  }
}
