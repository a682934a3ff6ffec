// The stage's toolbar: ways of looking, the side shown, the zoom, full screen, and the keys that do the same.

import { button, element, icon, setAttributes, setText } from "../dom.js";
import { isAt } from "../geometry.js";
import { labelOf } from "../keyboard.js";
/** @import { PictureViewer } from "./viewer.js" */
/** @import { Layout } from "../geometry.js" */

const ENLARGE = "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5";
const REDUCE = "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5";

export class Toolbar {
  /** @type {HTMLButtonElement[]} */
  sides = [];
  takes = 1;

  constructor(/** @type {PictureViewer} */ stage) {
    this.stage = stage;
    this.modes = {
      side: button("tool", "Side by side", () => stage.setMode("side")),
      slider: button("tool", "Slider", () => stage.setMode("slider")),
      flip: button("tool", "Flip", () => (stage.mode === "flip" ? stage.flip() : stage.setMode("flip"))),
    };
    this.modeGroup = group("View", Object.values(this.modes));
    this.sideGroup = group("Side shown", []);
    this.hints = element("div", "hints");
    this.minus = named(button("tool icon", "−", () => stage.step(-1)), "Zoom out", "-");
    this.level = button("tool level", "Fit", () => stage.zoomTo(null));
    this.plus = named(button("tool icon", "+", () => stage.step(1)), "Zoom in", "+");
    this.exact = named(button("tool", "1:1", () => stage.zoomTo(1)), "Original pixels, 1:1", "1");
    this.enlarge = button("tool icon", "", () => stage.toggleFull());
    const zoom = group("Zoom", [this.minus, this.level, this.plus]);
    this.node = element("div", "bar", this.modeGroup, this.sideGroup, this.hints, zoom, this.exact, this.enlarge);
  }

  /** What the toolbar holds decides how tall it is, so this comes before the pictures are placed. */
  shape(/** @type {boolean} */ isNarrow) {
    const { panes, mode } = this.stage;
    const isPair = panes.length > 1;
    this.modeGroup.hidden = !isPair;
    this.sideGroup.hidden = mode !== "flip";
    this.minus.hidden = this.plus.hidden = isNarrow; // two fingers do it better there
    setText(this.modes.side, isNarrow ? "Both" : "Side by side");
    if (this.sides.length !== panes.length) {
      this.sides = panes.map((_, index) => button("tool", "", () => this.stage.turnTo(index)));
      this.sideGroup.replaceChildren(...this.sides);
      this.hints.replaceChildren();
    }
    const takes = this.stage.all.length;
    if (takes !== this.takes) {
      this.takes = takes;
      this.hints.replaceChildren();
      named(this.exact, "Original pixels, 1:1", takes > 1 ? "z" : "1"); // then the digits are the takes'
    }
    this.hint(isPair, isNarrow);
  }

  hint(/** @type {boolean} */ isPair, /** @type {boolean} */ isNarrow) {
    if (isNarrow) this.hints.replaceChildren();
    if (isNarrow || this.hints.hasChildNodes()) return;
    if (isPair) {
      const labels = [labelOf("a"), labelOf("b"), "space"].map((label) => label.toLowerCase());
      const keys = labels.flatMap((label) => [element("kbd", { translate: "no" }, label), " "]);
      this.hints.append(element("span", "", ...keys, "flip"));
    }
    if (this.takes > 1) {
      const digits = [element("kbd", {}, "1"), "–", element("kbd", {}, String(this.takes)), " take"];
      this.hints.append(element("span", "", ...digits));
      if (isPair) this.hints.append(element("span", "", element("kbd", {}, "shift"), " take of B"));
    }
    this.hints.append(element("span", "", "drag to pan"), element("span", "", "ctrl+wheel to zoom"));
  }

  /** The keys are labelled otherwise than was thought. */
  relabel() {
    this.hints.replaceChildren();
    delete this.enlarge.dataset.full;
    this.stage.layout();
  }

  draw(/** @type {Layout} */ { scale, fit }) {
    const { isReady, isFull, view, mode, panes } = this.stage;
    for (const [kind, node] of Object.entries(this.modes)) setAttributes(node, { "aria-pressed": kind === mode });
    this.sides.forEach((node, index) => {
      setText(node, panes[index].side.name);
      setAttributes(node, {
        "aria-label": `Show ${panes[index].label}`,
        "aria-pressed": mode === "flip" && view.shown === index,
      });
    });
    const percent = `${Math.round(scale * 100)} %`;
    for (const node of [this.minus, this.level, this.plus, this.exact]) node.disabled = !isReady;
    setText(this.level, !isReady || view.scale === null || isAt(scale, fit) ? "Fit" : percent);
    named(this.level, isReady ? `Fit, now at ${percent}` : "Fit", "0");
    setAttributes(this.exact, { "aria-pressed": isReady && this.stage.isExact });
    if (this.enlarge.dataset.full === String(isFull)) return;
    this.enlarge.dataset.full = String(isFull);
    this.enlarge.replaceChildren(icon(isFull ? REDUCE : ENLARGE, { width: 16, height: 16 }));
    named(this.enlarge, isFull ? "Leave full screen" : "Full screen", labelOf("f").toLowerCase());
  }
}

function group(/** @type {string} */ label, /** @type {Node[]} */ tools) {
  return element("div", { class: "group", role: "group", "aria-label": label }, ...tools);
}

function named(/** @type {HTMLButtonElement} */ node, /** @type {string} */ label, /** @type {string} */ key) {
  setAttributes(node, { "aria-label": label, "aria-keyshortcuts": key, title: `${label} (${key})` });
  return node;
}
