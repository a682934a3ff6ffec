// A card of the picture grid: the picture in its frame, or why there is none, and the words below it.

import { element, icon, setAttributes, setText } from "../dom.js";
/** @import { Card } from "../shapes.js" */

const LEAST_SHARE_SHOWN = 0.75; // a picture that would lose more to the frame is shown whole
const RETRY_AFTER_MS = 10_000;
const BOX_RATIOS = { portrait: 4 / 5, square: 1, landscape: 3 / 2 };

export class CardView {
  index = 0;
  failedAt = 0;
  isWhole = false; // whatever its shape
  boxRatio = 1;
  /** @type {string | null | undefined} */
  url = undefined;

  constructor(/** @type {string} */ id) {
    this.problem = element("div", { dir: "auto" });
    this.badge = element("div", { class: "badge", dir: "auto" });
    this.title = element("div", { class: "title", dir: "auto", translate: "no" });
    this.subtitle = element("div", { class: "subtitle", dir: "auto" });
    this.img = element("img", { loading: "lazy", decoding: "async", draggable: false });
    const tile = element("div", "tile", icon("M5 5.5h14v13H5zM3.5 20L20.5 4"), this.problem);
    const check = icon("M5.6 10.3l2.9 2.9 5.9-6.2", { viewBox: "0 0 20 20" });
    const mark = element("div", { class: "mark", "aria-hidden": true }, check);
    this.picture = element("div", "picture", this.img, tile, this.badge, mark);
    const looks = { class: "card", "data-id": id, tabindex: -1 };
    this.button = element("div", looks, this.picture, this.title, this.subtitle);
    this.item = element("div", "item", this.button);
    this.img.addEventListener("load", () => {
      this.showWholeIfNeeded();
      this.setState("loaded");
    });
    this.img.addEventListener("error", () => this.fail());
  }

  /**
   * @param {Card} card
   * @param {{ selectable: boolean, fit: "cover" | "contain", aspect: keyof typeof BOX_RATIOS }} look
   */
  fill(card, { selectable, fit, aspect }) {
    setAttributes(this.item, { role: selectable ? "none" : "listitem" });
    setText(this.problem, card.problem || "Picture cannot be shown");
    for (const name of /** @type {const} */ (["title", "subtitle", "badge"])) {
      setText(this[name], card[name]);
      this[name].title = card[name];
    }
    setAttributes(this.img, { alt: card.alt });
    // One name for the whole card: picture, title and subtitle would be read one after the other, twice the same.
    const name = [card.title, card.subtitle, card.badge].filter(Boolean).join(", ");
    setAttributes(this.button, { role: selectable ? "option" : "button", "aria-label": name });
    this.isWhole = fit === "contain";
    this.boxRatio = BOX_RATIOS[aspect];
    this.load(card.picture_url);
    this.showWholeIfNeeded();
  }

  load(/** @type {string | null} */ url) {
    const isNew = url !== this.url;
    const isDue = this.picture.classList.contains("failed") && performance.now() - this.failedAt > RETRY_AFTER_MS;
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
    for (const each of ["loaded", "failed"]) this.picture.classList.toggle(each, each === state);
  }

  showWholeIfNeeded() {
    const ratio = this.img.naturalWidth / this.img.naturalHeight || this.boxRatio;
    const share = Math.min(ratio / this.boxRatio, this.boxRatio / ratio);
    this.picture.classList.toggle("whole", this.isWhole || share < LEAST_SHARE_SHOWN);
  }
}
