// The outbox of the review desk: decisions are sent until the server has said of each that it is kept.
//
// A copy in the session storage survives a reload. Decisions carry random ids, so sending one twice does no harm.

/**
 * What a person did about an item; `values` are the corrected fields alone, null for unsure.
 *
 * @typedef {{
 *   id: string,
 *   kind: "accept" | "correct" | "skip" | "undo" | "seen",
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

export class Outbox {
  turn = 0;
  /** @type {Decision[]} */
  decisions = [];
  /** @type {(message: object) => void} */
  tell = () => {};
  gathering = 0;
  resending = 0;

  constructor(/** @type {string} */ key) {
    this.stored = `studio.review.${key}`;
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.stored) ?? "null");
      if (Array.isArray(kept?.outbox)) this.decisions = kept.outbox;
    } catch {
      // a damaged copy is no copy
    }
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
    if (!this.decisions.length) return;
    if (this.decisions.some((decision) => !decision.posted)) {
      this.gathering = setTimeout(() => {
        for (const decision of this.decisions.slice(0, AT_ONCE)) decision.posted = true;
        this.post();
      }, GATHER_MS);
    }
    this.resending = setInterval(() => this.post(), RESEND_MS);
  }

  post() {
    this.turn += 1;
    this.tell({ turn: `${this.turn} ${Math.random()}`, decisions: this.decisions.slice(0, AT_ONCE) });
  }

  rest() {
    clearTimeout(this.gathering);
    clearInterval(this.resending);
  }
}

/** To take something back, or to have seen that a race was lost, leaves the picture to be decided about. */
export function decides(/** @type {Decision} */ { kind }) {
  return kind !== "undo" && kind !== "seen";
}
