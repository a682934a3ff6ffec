// The stage: one or two sides of a comparison, of several takes one at a time, looked at without asking the server
// anything.
//
// How a person looks at a comparison lives by the comparison's id and outlives reruns and visits elsewhere.

import { button, element, keptUnder, setAttributes, setText } from "../dom.js";
import { elapsedSince, setServerClock, Ticker } from "../elapsed.js";
import { Feet } from "./feet.js";
import { Pane } from "./pane.js";
import { BELOW_BAR, PictureViewer } from "./viewer.js";
/** @import { Mount } from "../dom.js" */
/** @import { StageData } from "../shapes.js" */
/** @import { Act, Look } from "./viewer.js" */

/** @typedef {{ does: "cancel" | "retry", id: string, side: string | null, take: number }} Told */

const FILMSTRIP = 108; // room for the filmstrip under the stage, so that it is seen together with it
const FIGURES = 36; // what stands below a picture: figures and buttons in a line, and above it or beside it
const STRIP = 75; // all takes; as in the style sheet
const ROOMY = 430; // from here on a side has room for its takes and its figures beside each other
const VIEWS_KEPT = 500;

/** @type {Map<string, Look>} comparison id → the way it was last looked at */
const views = new Map();
/** @type {WeakMap<ShadowRoot, Stage>} */
const stages = new WeakMap();

/** @param {Mount<StageData>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  setServerClock(data.drawn_at_ms);
  const stage = keptUnder(stages, parentElement, () => new Stage(parentElement, data));
  stage.tell = (act) => setTriggerValue("asked", act);
  stage.show(data);
  return () => {
    if (parentElement.isConnected) return;
    stage.close();
    stages.delete(parentElement);
  };
}

/**
 * How a comparison was last looked at. The first time its takes are those that Python has put first, and they stay until
 * a person chooses: a better one that comes later never takes the place of what is being looked at.
 * @param {StageData} data
 * @returns {Look}
 */
function viewOf({ comparison, takes, take: first }) {
  const [sides] = takes;
  const view = keptUnder(views, comparison, () => ({
    mode: null,
    shown: 0,
    scale: null,
    x: 0.5,
    y: 0.5,
    wipe: 0.5,
    takes: sides.map(() => first - 1),
  }));
  if (view.takes.length !== sides.length || view.takes.some((one) => one >= takes.length)) {
    view.takes = sides.map(() => first - 1);
  }
  const [oldest] = views.keys();
  if (views.size > VIEWS_KEPT) views.delete(oldest);
  return view;
}

/** @extends {PictureViewer<StageData>} */
export class Stage extends PictureViewer {
  /** @type {StageData} */
  latest;
  coming = ""; // another comparison, whose first picture is being decoded
  toldNext = "";
  /** @type {(act: Told) => void} */
  tell = () => {};

  constructor(/** @type {ShadowRoot} */ mount, /** @type {StageData} */ data) {
    super(mount, data, viewOf(data));
    this.latest = data;
    this.seconds = element("span", "seconds");
    this.next = element("div", { class: "next", hidden: true });
    this.feet = new Feet(this);
    this.floor.append(this.next);
    this.floor.after(this.feet.node);
    this.ticker = new Ticker(() => this.tick());
  }

  /** @override */
  close() {
    this.ticker.run(false);
    super.close();
  }

  /** Takes what there is to show; another comparison comes only when its first picture can be painted. */
  show(/** @type {StageData} */ data) {
    const { takes } = viewOf(data);
    const sides = [...takes.map((chosen, at) => data.takes[chosen][at]), ...data.takes.flat()];
    const [first] = sides.flatMap((side) => (side.picture_url ? [side.picture_url] : []));
    this.latest = data;
    const isAnother = this.data.comparison !== data.comparison;
    if (isAnother && this.isReady && first && this.coming !== data.comparison) {
      this.coming = data.comparison;
      const img = element("img", { src: first });
      img.decode().catch(() => {}).then(() => {
        if (this.latest.comparison === this.coming) this.stand(this.latest);
        this.coming = "";
      });
    } else if (!isAnother || this.coming !== data.comparison) this.stand(data);
  }

  stand(/** @type {StageData} */ data) {
    const isAnother = this.data.comparison !== data.comparison;
    this.data = data;
    this.view = viewOf(data);
    if (isAnother) this.feet.forget();
    // Another comparison starts from empty plates: its name must never stand on the last one's picture.
    if (isAnother || this.all.length !== data.takes.length || this.panes.length !== data.takes[0].length) {
      for (const pane of this.all.flat()) pane.discard();
      this.all = data.takes.map((sides, number) => {
        return sides.map((side) => new Pane(side, data.takes.length > 1 ? number + 1 : 0, this));
      });
      this.divider.before(...data.takes[0].flatMap((_, at) => this.all.map((panes) => panes[at].node)));
    }
    const news = this.all.flatMap((panes, number) => panes.map((pane, at) => pane.update(data.takes[number][at])));
    if (news.some(Boolean)) this.say(news.filter(Boolean).join(" "));
    for (const pane of this.all.flat()) pane.mark(data.made_with);
    this.name();
    this.tellNext();
    const tells = data.takes.flat().some((side) => side.since_ms !== null) ? [data.comparison] : [];
    if (data.next) tells.push(data.next.comparison);
    setAttributes(this.mount.host, { "data-tells": tells.join(" ") || null });
    this.ticker.run(tells.length > 0 || this.isAwaited);
    this.layout();
  }

  /** Whether somebody has to wait before something can be retried. */
  get isAwaited() {
    const buttons = [this.data.together, ...this.data.takes.flat().map((side) => side.foot?.button ?? null)];
    return buttons.some((each) => each !== null && each.ready_at_ms !== null);
  }

  /** Says how far what comes next is, as long as it has nothing to show in place of what stands here. */
  tellNext() {
    const { next } = this.data;
    const told = next ? JSON.stringify([next.comparison, next.says, next.usually, next.cancel]) : "";
    if (told === this.toldNext) return;
    this.toldNext = told;
    this.next.hidden = !next;
    this.next.replaceChildren();
    if (!next) return;
    this.say(`${next.says}.`);
    this.next.append(element("b", "", next.says), this.seconds);
    if (next.usually) this.next.append(element("span", "part", ` · ${next.usually}`));
    const stop = () => this.tell({ does: "cancel", id: next.comparison, side: null, take: 1 });
    if (next.cancel) this.next.append(button("small", next.cancel, stop));
    this.next.append(element("i"));
    this.tick();
  }

  /** No second stands still. */
  tick() {
    for (const pane of this.all.flat()) pane.tick();
    this.feet.tick();
    const since_ms = this.data.next?.since_ms ?? null;
    setText(this.seconds, since_ms === null ? "" : ` · ${elapsedSince(since_ms)}`);
  }

  // ---- takes ----

  /**
   * Puts a take on the stage: of all sides, or of these alone. The way of looking, zoom and place stay.
   * @param {number} number from 0
   * @param {number[]} sides
   */
  choose(number, sides = this.view.takes.map((_, at) => at)) {
    if (number >= this.all.length) return;
    for (const at of sides) this.view.takes[at] = number;
    this.name();
    this.layout();
    this.say(sides.map((at) => this.panes[at].label).join(" and "));
  }

  /** @override @param {string} key @param {KeyboardEvent} event */
  actFor(key, event) {
    return this.takeFor(key, event) ?? super.actFor(key, event);
  }

  /**
   * With several takes the digits choose one; with Shift for B alone.
   * @param {string} key
   * @param {KeyboardEvent} event
   * @returns {Act | undefined}
   */
  takeFor(key, event) {
    if (this.all.length < 2 || !/^[1-9]$/.test(key)) return undefined;
    const last = this.panes.length - 1;
    const run = () => (event.shiftKey ? this.choose(Number(key) - 1, [last]) : this.choose(Number(key) - 1));
    return { run, isRepeated: false };
  }

  // ---- drawing ----

  /** @override */
  drawBelow(/** @type {number} */ width) {
    this.feet.show(this.view.takes);
    this.root.classList.toggle("stacked", width < ROOMY);
    return this.feet.node.hidden ? 0 : this.footHeight + BELOW_BAR;
  }

  /** What is kept free below the pictures, whatever is said there: no word that comes makes them smaller. */
  get footHeight() {
    if (this.all.length < 2) return FIGURES;
    return this.root.classList.contains("stacked") ? STRIP + FIGURES : STRIP;
  }

  /** @override */
  get footRoom() {
    return FILMSTRIP;
  }
}
