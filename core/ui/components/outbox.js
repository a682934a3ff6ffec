// The outbox: what a person did is sent until the server has said of each act that it is kept.
//
// A copy on a shelf of the browser survives a reload. Acts carry ids, and the server keeps each once, so sending one
// twice does no harm.

/** @typedef {{ id: string, posted?: boolean }} Posted */
/**
 * Where the copy lies. What it throws is passed over: without a shelf only the reload is unprotected.
 * @template {Posted} Act
 * @typedef {{ read(): Act[], write(acts: Act[]): void }} Shelf
 */

const GATHER_MS = 150; // fast keys travel together
const RESEND_MS = 4000;
const AT_ONCE = 100; // the others follow when these are kept
const SILENT_AFTER = 2; // so many times sent again without an answer

/** @template {Posted} Act */
export class Outbox {
  turn = 0;
  /** @type {Act[]} */
  decisions = [];
  /** @type {Set<string>} acts the server would not keep: they wait for their person, who is told why */
  lost = new Set();
  /** @type {Set<string>} what this page has sent, be it answered or not */
  sent = new Set();
  unanswered = 0;
  /** @type {(message: { turn: string, decisions: Act[] }) => void} */
  tell = () => {};
  onSilence = () => {};
  /** @type {(act: Act) => boolean} whether the server can be told of it already */
  isReady = () => true;
  gathering = 0;
  resending = 0;

  constructor(/** @type {Shelf<Act>} */ shelf) {
    this.shelf = shelf;
    try {
      // one of them may have reached the server before the reload: to take it back, the server has to be asked
      this.decisions = shelf.read().map((act) => ({ ...act, posted: true }));
    } catch {
      // a damaged copy is no copy
    }
  }

  /** What the server has not answered for. */
  get open() {
    return this.decisions.filter((act) => !this.lost.has(act.id) && this.isReady(act));
  }

  get isSilent() {
    return this.unanswered > SILENT_AFTER;
  }

  /** The server's answer: what it keeps, and what it could not keep. */
  hear(/** @type {string[]} */ kept, /** @type {string[]} */ lost) {
    const done = new Set(kept);
    this.lost = new Set(lost);
    this.unanswered = 0;
    this.keep((act) => !done.has(act.id));
  }

  add(/** @type {Act} */ act) {
    this.decisions.push(act);
    this.remember();
    this.flush();
  }

  keep(/** @type {(act: Act) => boolean} */ isStill) {
    this.decisions = this.decisions.filter(isStill);
    this.remember();
  }

  remember() {
    try {
      this.shelf.write(this.decisions);
    } catch {
      // without storage only the reload is unprotected
    }
  }

  flush() {
    this.rest();
    const { open } = this;
    if (!open.length) return;
    if (open.some((act) => !this.sent.has(act.id))) {
      this.gathering = setTimeout(() => this.post(), GATHER_MS);
    }
    this.resending = setInterval(() => this.postAgain(), RESEND_MS);
  }

  post() {
    const decisions = this.open.slice(0, AT_ONCE);
    for (const act of decisions) {
      act.posted = true;
      this.sent.add(act.id);
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
