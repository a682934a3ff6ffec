// What stands below the pictures: of each side its takes in small pictures, what the one on the stage came to, and what
// may be done about it.

import { button, element, icon, keptUnder, setAttributes, setText } from "../dom.js";
import { elapsedSince, secondsUntil } from "../elapsed.js";
import { SIGNS } from "./pane.js";
/** @import { StageButton, StageLink, StageSide } from "../shapes.js" */
/** @import { Stage } from "./stage.js" */

const STANDINGS = { queued: "waits", running: "", failed: "failed", cancelled: "cancelled", done: "done", empty: "none" };
const SAVE = "M12 4v11M7.5 10.5 12 15l4.5-4.5M5 19.5h14";
const AGAIN = "M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4h-4";

/** One foot a side, beside each other as the pictures are. */
export class Feet {
  /** @type {Foot[]} */
  feet = [];

  constructor(/** @type {Stage} */ stage) {
    this.stage = stage;
    this.node = element("div", "feet");
  }

  /** Draws the sides that are on the stage; `chosen` says which take of each that is. */
  show(/** @type {number[]} */ chosen) {
    const { data } = this.stage;
    this.node.hidden = !data.takes.some((sides) => sides.some((side) => side.foot));
    if (this.node.hidden) return;
    if (this.feet.length !== chosen.length) {
      this.feet = chosen.map((_, at) => new Foot(this.stage, at));
      this.node.replaceChildren(...this.feet.map(({ node }) => node));
    }
    this.feet.forEach((foot, at) => {
      foot.show(data.takes.map((sides) => sides[at]), chosen[at], at === chosen.length - 1);
    });
  }

  /** Another comparison comes: none of its takes may stand on a picture of the last one. */
  forget() {
    this.feet = [];
  }

  tick() {
    for (const foot of this.feet) foot.tick();
  }
}

class Foot {
  /** @type {Map<number, TakeView>} */
  views = new Map();
  /** @type {{ node: HTMLButtonElement, facts: StageButton }[]} */
  timed = [];
  drawn = "";

  constructor(/** @type {Stage} */ stage, /** @type {number} */ at) {
    this.stage = stage;
    this.at = at;
    this.strip = element("div", { class: "strip", role: "group" });
    this.figures = element("div", "figures");
    this.acts = element("div", "acts");
    this.notes = element("div", "foot-notes");
    const line = element("div", "foot-line", this.figures, this.acts);
    this.node = element("div", "foot", this.strip, element("div", "foot-words", line, this.notes));
  }

  /**
   * @param {StageSide[]} takes
   * @param {number} chosen
   * @param {boolean} isLast what is done to all of a comparison, and the file of all, stand in the last foot
   */
  show(takes, chosen, isLast) {
    const { data } = this.stage;
    this.strip.hidden = takes.length < 2;
    setAttributes(this.strip, { "aria-label": `Takes of ${takes[0].name}` });
    for (const number of this.views.keys()) if (number >= takes.length) this.views.delete(number);
    const views = this.strip.hidden ? [] : takes.map((side, number) => {
      const view = keptUnder(this.views, number, () => new TakeView(this.stage, this.at, number));
      view.show(side, number === chosen);
      return view.node;
    });
    if (views.length !== this.strip.childElementCount) this.strip.replaceChildren(...views);
    const facts = JSON.stringify([data.comparison, takes[chosen].foot, chosen, isLast && [data.together, data.zip]]);
    if (facts === this.drawn) return;
    this.drawn = facts;
    this.draw(takes[chosen], chosen, isLast);
  }

  draw(/** @type {StageSide} */ side, /** @type {number} */ take, /** @type {boolean} */ isLast) {
    const { data } = this.stage;
    const { foot } = side;
    const focused = this.acts.contains(this.stage.mount.activeElement)
      ? /** @type {HTMLElement} */ (this.stage.mount.activeElement).dataset.act
      : null;
    this.timed = [];
    this.figures.replaceChildren();
    this.acts.replaceChildren();
    this.notes.replaceChildren();
    if (foot === null) return;
    if (foot.fidelity) this.figures.append(explained(element("b", "", foot.fidelity), foot.fidelity_help));
    if (foot.figures) this.figures.append(explained(element("span", "", foot.figures), foot.figures_help));
    if (foot.picture) this.acts.append(linkTo(foot.picture, "PNG"));
    if (foot.button) this.acts.append(this.act(foot.button, { side: foot.side, take: take + 1 }));
    if (isLast && data.together) this.acts.append(this.act(data.together, {}));
    if (isLast && data.zip) this.acts.append(linkTo(data.zip, "ZIP"));
    for (const note of foot.notes) this.notes.append(element("p", "", note));
    if (focused) /** @type {HTMLElement | null} */ (this.acts.querySelector(`[data-act="${focused}"]`))?.focus();
    this.tick();
  }

  /**
   * @param {StageButton} facts
   * @param {{ side?: string, take?: number }} of all of the comparison where no side is named
   */
  act(facts, of) {
    const { comparison } = this.stage.data;
    const { does } = facts;
    const node = button(does === "retry" ? "framed-act" : "plain-act", "", () => {
      this.stage.tell({ does, id: comparison, side: null, take: 1, ...of });
    });
    setAttributes(node, { title: facts.help || null, "data-act": `${does} ${of.side ?? "all"}` });
    this.timed.push({ node, facts });
    return node;
  }

  /** Whoever has to wait sees for how long, and then can press. */
  tick() {
    for (const view of this.views.values()) view.tick();
    for (const { node, facts } of this.timed) {
      const wait = facts.ready_at_ms === null ? 0 : secondsUntil(facts.ready_at_ms);
      const label = wait ? `${facts.label} in ${countdown(wait)}` : facts.label;
      node.disabled = wait > 0;
      if (node.textContent === label) continue;
      node.replaceChildren(...(facts.does === "retry" ? [icon(AGAIN)] : []), label);
    }
  }
}

/** A take in the strip: its picture, or how far it is. */
class TakeView {
  /** @type {string | null} */
  url = null;
  drawn = "";

  constructor(/** @type {Stage} */ stage, /** @type {number} */ at, /** @type {number} */ number) {
    this.number = number;
    this.plate = element("span", "plate");
    this.words = element("span", "take-words");
    this.node = button("take", "", () => {});
    this.node.append(this.plate, element("span", "take-name", element("b", "", String(number + 1)), this.words));
    this.node.addEventListener("click", (event) => {
      if (event.shiftKey) stage.choose(number, [at]);
      else stage.choose(number);
    });
    this.side = /** @type {StageSide | null} */ (null);
  }

  show(/** @type {StageSide} */ side, /** @type {boolean} */ isChosen) {
    const keys = this.number < 9 ? `${this.number + 1}` : null;
    setAttributes(this.node, { "aria-pressed": isChosen, "aria-keyshortcuts": keys });
    const facts = JSON.stringify(side);
    if (facts === this.drawn) return;
    this.drawn = facts;
    this.side = side;
    const { width_px, height_px, state } = side;
    this.plate.style.setProperty("aspect-ratio", `${width_px} / ${height_px}`);
    setAttributes(this.node, { "data-state": state });
    const url = state === "done" ? side.thumbnail_url ?? side.picture_url : state === "running" ? side.picture_url : null;
    if (url === null || url !== this.url) this.draw(url);
    this.tick();
  }

  draw(/** @type {string | null} */ url) {
    this.url = url;
    if (url) {
      const img = element("img", { src: url, alt: "", draggable: false });
      const swap = () => url === this.url && this.plate.replaceChildren(img);
      img.decode().then(swap, swap); // what was there stays until the next can be painted
      return;
    }
    const sign = SIGNS[this.side?.state ?? "empty"];
    this.plate.replaceChildren(...(sign ? [icon(sign)] : []));
  }

  tick() {
    if (!this.side) return;
    const { state, foot, since_ms, headline } = this.side;
    const worked = state === "running" && since_ms !== null ? elapsedSince(since_ms) : STANDINGS[state];
    const fidelity = state === "done" && foot ? foot.fidelity.replace(/^\D+/, "") : "";
    setText(this.words, fidelity || (state === "done" ? "" : worked));
    const standing = state === "done" ? foot?.fidelity || "done" : headline || worked;
    const name = `${this.side.name}, take ${this.number + 1}: ${standing}`;
    setAttributes(this.node, { "aria-label": name, title: `Take ${this.number + 1}: ${standing}` });
  }
}

function linkTo(/** @type {StageLink} */ { url, help }, /** @type {string} */ label) {
  const looks = { class: "plain-act", href: url, target: "_blank", rel: "noopener", title: help, "data-act": label };
  return element("a", looks, icon(SAVE), label);
}

/** Words with what they mean, for whoever points at them, tabs to them or hears them. */
function explained(/** @type {HTMLElement} */ node, /** @type {string} */ help) {
  if (!help) return node;
  const sign = element("button", { type: "button", class: "why", "aria-label": `Help: ${help}`, "data-help": help }, "?");
  return element("span", "explained", node, sign);
}

/** What is left of a wait, never less than there is: `24 s`, `3 min`. */
function countdown(/** @type {number} */ seconds) {
  return seconds <= 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
