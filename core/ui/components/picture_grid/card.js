// A card of the picture grid: one picture or two in its frame, or why there is none, the words below, and its star.

import { action, element, icon, setAttributes, setText } from "../dom.js";
/** @import { Card, Half } from "../shapes.js" */

const LEAST_SHARE_SHOWN = 0.75; // a picture that would lose more to the frame is shown whole
const RETRY_AFTER_MS = 10_000;
const BOX_RATIOS = { portrait: 4 / 5, square: 1, landscape: 3 / 2 };

const STAR = "M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8L3.6 9.7l5.8-.8z";

/** A place for a picture: a card's own, or each half of it. */
class Frame {
  failedAt = 0;
  isWhole = false; // whatever its shape
  boxRatio = 1;
  /** @type {string | null | undefined} */
  url = undefined;

  constructor(/** @type {HTMLElement} */ root) {
    this.root = root;
    this.problem = element("div", { dir: "auto" });
    this.img = element("img", { loading: "lazy", decoding: "async", draggable: false });
    this.tile = element("div", "tile", icon("M5 5.5h14v13H5zM3.5 20L20.5 4"), this.problem);
    root.prepend(this.img, this.tile);
    this.img.addEventListener("load", () => {
      this.showWholeIfNeeded();
      this.setState("loaded");
    });
    this.img.addEventListener("error", () => this.fail());
  }

  remove() {
    for (const node of [this.img, this.tile]) node.remove();
    this.setState("");
    if (this.root.classList.contains("half")) this.root.remove();
  }

  /**
   * @param {Card | Half} shown
   * @param {{ isWhole: boolean, boxRatio: number }} look
   */
  fill({ picture_url, alt, problem }, { isWhole, boxRatio }) {
    setText(this.problem, problem || "Picture cannot be shown");
    setAttributes(this.img, { alt });
    this.isWhole = isWhole;
    this.boxRatio = boxRatio;
    this.load(picture_url);
    this.showWholeIfNeeded();
  }

  load(/** @type {string | null} */ url) {
    const isNew = url !== this.url;
    const isDue = this.root.classList.contains("failed") && performance.now() - this.failedAt > RETRY_AFTER_MS;
    this.url = url;
    if (url === null) {
      this.img.removeAttribute("src");
      this.setState("failed");
    } else if (isNew || isDue) {
      if (isNew) this.setState("");
      else this.failedAt = performance.now(); // it may be there by now
      this.img.src = url;
    }
  }

  fail() {
    this.failedAt = performance.now();
    this.setState("failed");
  }

  setState(/** @type {"loaded" | "failed" | ""} */ state) {
    for (const each of ["loaded", "failed"]) this.root.classList.toggle(each, each === state);
  }

  showWholeIfNeeded() {
    const ratio = this.img.naturalWidth / this.img.naturalHeight || this.boxRatio;
    const share = Math.min(ratio / this.boxRatio, this.boxRatio / ratio);
    this.root.classList.toggle("whole", this.isWhole || share < LEAST_SHARE_SHOWN);
  }
}

export class CardView {
  index = 0;
  /** @type {Frame[]} */
  frames = [];
  /** @type {HTMLElement[]} */
  names = [];

  constructor(/** @type {string} */ id) {
    this.badge = element("div", { class: "badge", dir: "auto" });
    this.title = element("div", { class: "title", dir: "auto", translate: "no" });
    this.subtitle = element("div", { class: "subtitle", dir: "auto" });
    const check = icon("M5.6 10.3l2.9 2.9 5.9-6.2", { viewBox: "0 0 20 20" });
    const mark = element("div", { class: "mark", "aria-hidden": true }, check);
    this.picture = element("div", "picture", this.badge, mark);
    const looks = { class: "card", "data-id": id, tabindex: -1 };
    this.button = element("div", looks, this.picture, this.title, this.subtitle);
    this.item = element("div", "item", this.button);
    this.star = action("star", { class: "star", "data-id": id, "aria-label": "Favourite" }, icon(STAR));
  }

  /**
   * @param {Card} card
   * @param {{ selectable: boolean, fit: "cover" | "contain", aspect: keyof typeof BOX_RATIOS }} look
   */
  fill(card, { selectable, fit, aspect }) {
    setAttributes(this.item, { role: selectable ? "none" : "listitem" });
    for (const name of /** @type {const} */ (["title", "subtitle", "badge"])) {
      setText(this[name], card[name]);
      this[name].title = card[name];
    }
    const shown = card.halves.length ? card.halves : [card];
    this.divide(shown.length);
    shown.forEach((each, at) => {
      this.frames[at].fill(each, { isWhole: fit === "contain", boxRatio: BOX_RATIOS[aspect] / shown.length });
    });
    card.halves.forEach((half, at) => setText(this.names[at] ?? this.badge, half.badge));
    // One name for the whole card: picture, title and subtitle would be read one after the other, twice the same.
    const missing = card.halves.filter((half) => half.picture_url === null);
    const problems = missing.map((half) => [half.badge, half.problem].filter(Boolean).join(": "));
    const name = [card.title, card.subtitle, card.badge, ...problems].filter(Boolean).join(", ");
    setAttributes(this.button, { role: selectable ? "option" : "button", "aria-label": name });
    if (card.starred === null) this.star.remove();
    else if (!this.star.parentNode) this.item.append(this.star);
  }

  /** So many pictures beside each other. */
  divide(/** @type {number} */ count) {
    if (count === this.frames.length) return;
    for (const frame of this.frames) frame.remove();
    this.names = count > 1 ? Array.from({ length: count }, () => element("div", { class: "badge", dir: "auto" })) : [];
    const halves = this.names.map((name) => element("div", "half", name));
    this.picture.prepend(...halves);
    this.picture.classList.toggle("pair", count > 1);
    this.frames = (halves.length ? halves : [this.picture]).map((root) => new Frame(root));
  }
}
