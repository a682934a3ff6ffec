// The outbox of the review desk: decisions are sent until the server has said of each that it is kept.
//
// A copy in the session storage survives a reload. Decisions carry random ids, so sending one twice does no harm.

/** @import { LostRace } from "../shapes.js" */

/**
 * What a person did about an item; `values` are the corrected fields alone, null for unsure.
 *
 * @typedef {{
 *   id: string,
 *   kind: "accept" | "correct" | "skip" | "settle" | "undo" | "seen",
 *   item: string,
 *   seen: string,
 *   values: Record<string, string | null>,
 *   undoes?: string,
 *   posted?: boolean,
 * }} Decision
 */

const GATHER_MS = 150; // fast keys travel together
const RESEND_MS = 4000;
const AT_ONCE = 100; // the others follow when these are kept
const SILENT_AFTER = 2; // so many times sent again without an answer

export class Outbox {
  turn = 0;
  /** @type {Decision[]} */
  decisions = [];
  /** @type {Set<string>} decisions the server would not keep: they wait for their person, who is told why */
  lost = new Set();
  /** @type {Set<string>} what this page has sent, be it answered or not */
  sent = new Set();
  unanswered = 0;
  /** @type {(message: object) => void} */
  tell = () => {};
  onSilence = () => {};
  gathering = 0;
  resending = 0;

  constructor(/** @type {string} */ key) {
    this.stored = `studio.review.${key}`;
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.stored) ?? "null");
      // one of them may have reached the server before the reload: to take it back, the server has to be asked
      if (Array.isArray(kept?.outbox)) {
        this.decisions = kept.outbox.map((/** @type {Decision} */ decision) => ({ ...decision, posted: true }));
      }
    } catch {
      // a damaged copy is no copy
    }
  }

  /** What the server has not answered for. */
  get open() {
    return this.decisions.filter((decision) => !this.lost.has(decision.id));
  }

  get isSilent() {
    return this.unanswered > SILENT_AFTER;
  }

  /** The server's answer: what it keeps, and what it could not keep and why. */
  hear(/** @type {string[]} */ kept, /** @type {LostRace[]} */ lost) {
    const done = new Set(kept);
    this.lost = new Set(lost.map((race) => race.decision));
    this.unanswered = 0;
    this.keep((decision) => !done.has(decision.id));
  }

  add(/** @type {Decision} */ decision) {
    this.decisions.push(decision);
    this.remember();
    this.flush();
  }

  keep(/** @type {(decision: Decision) => boolean} */ isStill) {
    this.decisions = this.decisions.filter(isStill);
    this.remember();
  }

  remember() {
    try {
      if (this.decisions.length) sessionStorage.setItem(this.stored, JSON.stringify({ outbox: this.decisions }));
      else sessionStorage.removeItem(this.stored);
    } catch {
      // without storage only the reload is unprotected
    }
  }

  flush() {
    this.rest();
    const { open } = this;
    if (!open.length) return;
    if (open.some((decision) => !this.sent.has(decision.id))) {
      this.gathering = setTimeout(() => this.post(), GATHER_MS);
    }
    this.resending = setInterval(() => this.postAgain(), RESEND_MS);
  }

  post() {
    const decisions = this.open.slice(0, AT_ONCE);
    for (const decision of decisions) {
      decision.posted = true;
      this.sent.add(decision.id);
    }
    this.turn += 1;
    this.tell({ turn: `${this.turn} ${Math.random()}`, decisions });
  }

  postAgain() {
    this.unanswered += 1;
    this.post();
    if (this.isSilent) this.onSilence();
  }

  rest() {
    clearTimeout(this.gathering);
    clearInterval(this.resending);
  }
}

/** To settle one field, to take something back or to put a message aside leaves the picture to be decided about. */
export function decides(/** @type {Decision} */ { kind }) {
  return kind === "accept" || kind === "correct" || kind === "skip";
}
