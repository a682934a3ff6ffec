// The work line: what is being made for this person, wherever they look: at the top of the page while no stage in view
// tells it, and in the tab's title while the tab or the page is another one.

import { button, element, keptUnder, setText } from "../dom.js";
import { elapsedSince, setServerClock, Ticker } from "../elapsed.js";
import { isConnected } from "../streamlit_page.js";
import { tellInTitle } from "./tab_title.js";
/** @import { Mount } from "../dom.js" */
/** @import { WorkData } from "../shapes.js" */

const ASK_MS = 2000;
const FOOT = 60; // pixels at a stage's lower edge, where it tells how far it is
const BAR = 52; // pixels of the top bar, which covers what is scrolled under it

/** @type {WeakMap<ShadowRoot, WorkLine>} */
const lines = new WeakMap();
let announced_ms = 0; // the end that has been told, and need not be told by the next page again
let news = ""; // how the work ended, until its person has looked

/** @param {Mount<WorkData>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  setServerClock(data.drawn_at_ms);
  const line = keptUnder(lines, parentElement, () => new WorkLine(parentElement, data));
  line.ask = () => setTriggerValue("asked", {});
  line.cancel = () => setTriggerValue("cancelled", { comparisons: data.comparisons });
  line.show(data);
  return () => {
    if (parentElement.isConnected) return;
    line.close();
    lines.delete(parentElement);
  };
}

class WorkLine {
  ask = () => {};
  cancel = () => {};
  askTimer = 0;

  constructor(/** @type {ShadowRoot} */ mount, /** @type {WorkData} */ data) {
    this.data = data;
    this.words = element("span", "words");
    this.stop = button("stop", "", () => this.cancel());
    this.root = element("div", { class: "work", role: "group", "aria-label": "At work", hidden: true }, this.words, this.stop, element("i"));
    mount.append(this.root);
    this.ticker = new Ticker(() => this.tick());
    this.tick = this.tick.bind(this);
    document.addEventListener("visibilitychange", this.tick);
    document.addEventListener("scroll", this.tick, { capture: true, passive: true });
  }

  close() {
    this.ticker.run(false);
    clearTimeout(this.askTimer);
    document.removeEventListener("visibilitychange", this.tick);
    document.removeEventListener("scroll", this.tick, { capture: true });
    this.root.remove();
  }

  get isAtWork() {
    return this.data.comparisons.length > 0;
  }

  show(/** @type {WorkData} */ data) {
    this.data = data;
    if (this.isAtWork) news = "";
    else if (data.ended && data.ended_at_ms > announced_ms) news = data.ended;
    announced_ms = Math.max(announced_ms, data.ended_at_ms);
    setText(this.stop, data.cancel);
    this.stop.hidden = !data.cancel;
    this.ticker.run(this.isAtWork);
    this.askLater();
    this.tick();
  }

  /** Asks until it is told, as long as there is work: a line that was down for a moment has lost the question. */
  askLater() {
    clearTimeout(this.askTimer);
    if (!this.isAtWork) return;
    this.askTimer = setTimeout(() => {
      if (isConnected()) this.ask();
      this.askLater();
    }, ASK_MS);
  }

  tick() {
    const { is_on_stage, says, since_ms } = this.data;
    const isLookedAt = is_on_stage && !document.hidden;
    if (isLookedAt) news = "";
    const words = this.isAtWork ? `${says} · ${elapsedSince(since_ms)}` : "";
    tellInTitle(isLookedAt ? "" : words || news);
    setText(this.words, words);
    this.root.hidden = !words || this.isToldOnStage();
  }

  /** Whether all of it is told by a stage that is in view. */
  isToldOnStage() {
    const stages = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-tells]"))];
    const seen = stages.filter((stage) => {
      const { bottom } = stage.getBoundingClientRect();
      return bottom - FOOT >= BAR && bottom <= innerHeight;
    });
    const told = seen.flatMap((stage) => (stage.dataset.tells ?? "").split(" "));
    return this.data.comparisons.every((id) => told.includes(id));
  }
}
