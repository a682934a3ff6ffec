// The two pictures of a ballot: loaded and painted before they are asked for, and nothing known of them but their pixels.

import { Pane } from "../stage/pane.js";
/** @import { Ballot, StageSide } from "../shapes.js" */
/** @import { VoteViewer } from "./viewer.js" */

const RETRY_MS = [500, 1000, 2000, 4000, 8000]; // a server that is away, or busy; the last one again and again
const UNKNOWN = { width: 4, height: 5 }; // until a picture is there

export class BallotPair {
  wasReady = false;

  constructor(/** @type {Ballot} */ ballot, /** @type {VoteViewer} */ viewer) {
    this.ballot = ballot;
    const sides = [["Left", ballot.left], ["Right", ballot.right]];
    this.panes = sides.map(([name, url]) => new BallotPane(sideOf(name), url, viewer));
    // neither is always asked for first
    const order = Math.random() < 0.5 ? this.panes : [...this.panes].reverse();
    for (const pane of order) pane.fetch();
  }

  get isReady() {
    return this.panes.every((pane) => pane.img !== null);
  }

  get isBroken() {
    return this.panes.some((pane) => pane.isBroken);
  }

  discard() {
    for (const pane of this.panes) pane.discard();
  }
}

class BallotPane extends Pane {
  tries = 0;
  retrying = 0;

  /**
   * @param {StageSide} side
   * @param {string} address
   * @param {VoteViewer} viewer
   */
  constructor(side, address, viewer) {
    super(side, 0, { data: viewer.data, layout: () => viewer.layout(), say: (text) => this.complain(text) });
    this.address = address;
    this.viewer = viewer;
  }

  /** Of what is before its person alone, and of every picture once. */
  complain(/** @type {string} */ text) {
    if (this.tries === 0 && this.viewer.pair?.panes.includes(this)) this.viewer.say(text);
  }

  /** @override */
  get adviceWhenMissing() {
    return "It is asked for again every few seconds. Skip shows another pair.";
  }

  /** Begins to load it. */
  fetch() {
    this.take({ ...this.side, state: "done", picture_url: this.address });
  }

  /** @override */
  get size() {
    const { img } = this;
    if (!img) return { ...UNKNOWN, isThere: false };
    return { width: img.naturalWidth, height: img.naturalHeight, isThere: true };
  }

  /** @override @param {string | null} url */
  async load(url) {
    await super.load(url);
    clearTimeout(this.retrying);
    if (this.img) this.tries = 0;
    else if (this.isBroken) {
      this.retrying = setTimeout(() => this.load(url), RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)]);
      this.tries += 1;
    }
    this.viewer.onLoaded();
  }

  /** @override */
  discard() {
    clearTimeout(this.retrying);
    super.discard();
  }
}

/** @returns {StageSide} a side that has nothing but its place */
function sideOf(/** @type {string} */ name) {
  return {
    name,
    title: "",
    state: "empty",
    width_px: UNKNOWN.width,
    height_px: UNKNOWN.height,
    picture_url: null,
    alt: `${name} picture`,
    headline: "",
    detail: "",
    request_id: null,
    progress: null,
    since_ms: null,
    usually: "",
    thumbnail_url: null,
    foot: null,
  };
}
