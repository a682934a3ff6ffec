// The viewer of a ballot: the stage's own way of looking at two pictures, without anything that names them.

import { element, setAttributes, setText } from "../dom.js";
import { layOut } from "../geometry.js";
import { PictureViewer } from "../stage/viewer.js";
/** @import { Look } from "../stage/viewer.js" */
/** @import { BallotPair } from "./pair.js" */

const LEAST_NARROW = 280; // a thumb is to reach the answers without scrolling, as long as the picture is no stamp

/** @returns {Look} both pictures whole */
function freshLook(/** @type {Look | null} */ last) {
  return { mode: last?.mode ?? null, shown: 0, scale: null, x: 0.5, y: 0.5, wipe: 0.5, takes: [0, 0] };
}

export class VoteViewer extends PictureViewer {
  /** @type {BallotPair | null} */
  pair = null;
  /** @type {Set<number>} which of the two were on the screen */
  looked = new Set();
  /** @type {BallotPair[]} those that come next, painted below */
  ahead = [];
  foot = () => 0;
  onLoaded = () => {};
  onLooked = () => {};

  /**
   * @param {ShadowRoot} mount
   * @param {HTMLElement} place
   */
  constructor(mount, place) {
    super(mount, { comparison: "", height: 2000, made_with: "" }, freshLook(null));
    this.prompt = element("p", { class: "prompt", tabindex: 0, translate: "no" });
    this.toolbar.modes.slider.hidden = true; // its keys are those of the answers
    this.toolbar.hints.replaceWith(element("span", "spread"));
    this.toolbar.node.prepend(this.prompt);
    this.toolbar.exact.removeAttribute("aria-keyshortcuts"); // the digits are reasons
    setAttributes(this.toolbar.exact, { title: "Original pixels, 1:1" });
    place.prepend(this.root, this.live); // speaks also where no pair is shown
  }

  /** Puts a pair in front, or nothing, and below it those that come next. */
  show(/** @type {BallotPair | null} */ pair, /** @type {BallotPair[]} */ ahead) {
    const isAnother = pair !== this.pair;
    this.pair = pair;
    this.ahead = ahead;
    const nodes = new Set([...(pair ? [pair] : []), ...ahead].flatMap(({ panes }) => panes.map(({ node }) => node)));
    for (const node of this.floor.querySelectorAll(".pane")) {
      if (!nodes.has(/** @type {HTMLDivElement} */ (node))) node.remove();
    }
    for (const node of nodes) if (!node.isConnected) this.divider.before(node);
    this.all = pair ? [pair.panes] : [];
    if (isAnother) {
      this.view = freshLook(this.view);
      this.looked.clear();
      setText(this.prompt, pair?.ballot.prompt ?? "");
      this.prompt.scrollTop = 0;
      if (pair) this.name();
    }
    if (!pair && this.isFull) this.toggleFull(); // what there is to say stands on the page
    this.root.hidden = pair === null;
    this.layout();
  }

  /** Whether both were on the screen: nobody judges what they have not seen. */
  get isJudgeable() {
    return Boolean(this.pair?.isReady) && this.looked.size === 2;
  }

  /** @override */
  get fillsRoom() {
    return !this.isNarrow; // whatever the pictures are like, the buttons stay where they are
  }

  /** @override */
  get footRoom() {
    return this.foot();
  }

  /** @override */
  get leastRoom() {
    return this.isNarrow ? LEAST_NARROW : super.leastRoom;
  }

  /** @override */
  fitPage() {
    // the desk around it is as high as what is in it
  }

  /** @override */
  layout() {
    this.toolbar.exact.hidden = this.isNarrow; // two fingers do it better there
    super.layout();
    const { ground, pair } = this;
    if (!ground || !pair) return;
    for (const { panes } of this.ahead) {
      const { places } = layOut(freshLook(null), panes.map(({ size }) => size), ground);
      panes.forEach((pane, at) => {
        pane.place(places[at], { isChosen: false, isShown: false, isSliding: false, isSecond: at === 1 });
      });
    }
    const before = this.looked.size;
    pair.panes.forEach((pane, at) => {
      if (pane.img && (this.mode !== "flip" || this.view.shown === at)) this.looked.add(at);
    });
    if (this.looked.size !== before) this.onLooked();
  }
}
