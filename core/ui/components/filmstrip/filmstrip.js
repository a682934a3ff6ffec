// The filmstrip: comparisons in a row. A press brings one back; with Shift or Ctrl, or behind "Put two side by side",
// it chooses one of two to be looked at together.

import { around, button, element, icon, keptUnder, setAttributes, setText, take } from "../dom.js";
import { isChord, isComposing, keyOf } from "../keyboard.js";
/** @import { Mount } from "../dom.js" */
/** @import { FilmstripData, FilmstripItem, FilmstripSide } from "../shapes.js" */

/** @typedef {{ id: string, side: string | null }} Choice */

const PICTURE_PX = 56; // high, as in the style sheet
const WIDTHS_PX = { least: 34, most: 84 };
const SIGNS = {
  failed: "M12 9.5v4.2M12 16.6v.4M12 3.8 2.8 20h18.4z",
  cancelled: "M6.2 6.2l11.6 11.6M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17",
};
const STANDS = ["Left", "Right"];
const TAGS = { "": "", shown: "", left: STANDS[0], right: STANDS[1] };

/** @type {WeakMap<ShadowRoot, Filmstrip>} */
const strips = new WeakMap();

/** @param {Mount<FilmstripData>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const strip = keptUnder(strips, parentElement, () => new Filmstrip(parentElement));
  strip.tell = (act) => setTriggerValue("act", act);
  strip.show(data);
  return () => {
    if (parentElement.isConnected) return;
    strip.close();
    strips.delete(parentElement);
  };
}

class Filmstrip {
  /** @type {Map<string, ItemView>} */
  views = new Map();
  /** @type {Choice[]} what was chosen of two, while `isChoosing` */
  chosen = [];
  isChoosing = false;
  /** @type {string | null} the item that the Tab key leads to */
  active = null;
  /** @type {(act: object) => void} */
  tell = () => {};

  constructor(/** @type {ShadowRoot} */ mount) {
    this.mount = mount;
    this.label = element("div", "label");
    this.row = element("div", { class: "row", role: "list" });
    this.pair = button("tool pair", "", () => this.choose(!this.isChoosing));
    this.more = button("tool more", "", () => this.act({}));
    this.live = element("div", { class: "unseen", role: "status" });
    this.root = element("div", "filmstrip", this.label, this.row, element("div", "tools", this.pair, this.more), this.live);
    mount.append(this.root);
    this.row.addEventListener("click", (event) => this.onClick(event));
    this.row.addEventListener("keydown", (event) => this.onKey(event));
    this.row.addEventListener("focusin", (event) => this.rove(idOf(event)));
    this.root.addEventListener("keydown", (event) => {
      if (!this.isChoosing || keyOf(event) !== "escape") return;
      take(event);
      this.choose(false);
    });
    this.timer = setInterval(() => this.tick(), 1000);
  }

  close() {
    clearInterval(this.timer);
  }

  show(/** @type {FilmstripData} */ data) {
    const ids = data.items.map(({ id }) => id);
    const hadFocus = this.mount.activeElement?.closest(".item");
    for (const [id, view] of this.views) {
      if (ids.includes(id)) continue;
      view.node.remove();
      this.views.delete(id);
    }
    data.items.forEach((item, index) => {
      const view = keptUnder(this.views, item.id, () => new ItemView());
      view.fill(item);
      if (this.row.children[index] !== view.node) this.row.insertBefore(view.node, this.row.children[index] ?? null);
    });
    setText(this.label, data.label);
    setText(this.more, data.more);
    setAttributes(this.row, { "aria-label": data.label });
    this.chosen = this.chosen.filter(({ id }) => this.views.has(id));
    if (this.pictured < 2) this.isChoosing = false;
    const shown = data.items.find(({ mark }) => mark)?.id ?? ids[0];
    this.rove(this.active !== null && this.views.has(this.active) ? this.active : shown);
    if (hadFocus && !this.mount.activeElement) this.focus(this.active);
    this.draw();
  }

  /** What choosing changes. */
  draw() {
    this.root.classList.toggle("choosing", this.isChoosing);
    this.pair.hidden = this.pictured < 2;
    const place = STANDS[this.chosen.length]?.toLowerCase() ?? "";
    setText(this.pair, this.isChoosing ? `Press the ${place} one · Cancel` : "Put two side by side");
    setAttributes(this.pair, { "aria-pressed": this.isChoosing });
    for (const [id, view] of this.views) {
      const at = this.chosen.findIndex((choice) => choice.id === id);
      view.choose(this.isChoosing ? (STANDS[at] ?? "") : null, this.chosen[at]?.side ?? null);
    }
  }

  tick() {
    for (const view of this.views.values()) view.tick();
  }

  // ---- what a person does

  act(/** @type {object} */ what) {
    this.tell({ brought: null, left: null, right: null, ...what });
  }

  choose(/** @type {boolean} */ isChoosing) {
    this.isChoosing = isChoosing;
    this.chosen = [];
    this.draw();
    this.say(isChoosing ? "Choose the picture for the left." : "");
  }

  say(/** @type {string} */ text) {
    this.live.textContent = text;
  }

  onClick(/** @type {MouseEvent} */ event) {
    const id = idOf(event);
    if (id === null) return;
    this.rove(id);
    const isOneOfTwo = this.isChoosing || event.shiftKey || event.ctrlKey || event.metaKey;
    if (!isOneOfTwo) this.act({ brought: id });
    // a press of the keyboard points at no picture
    else this.take(id, event.detail ? (around(event, "[data-side]")?.dataset.side ?? null) : null);
  }

  take(/** @type {string} */ id, /** @type {string | null} */ side) {
    if (this.pictured < 2 || !this.views.get(id)?.item?.sides.length) return;
    this.isChoosing = true;
    const at = this.chosen.findIndex((choice) => choice.id === id);
    if (at >= 0) this.chosen.splice(at, 1);
    else this.chosen.push({ id, side });
    if (this.chosen.length === 2) {
      const [left, right] = this.chosen;
      this.isChoosing = false;
      this.chosen = [];
      this.act({ left, right });
      this.say("Both are put side by side.");
    } else this.say(this.chosen.length ? "Choose the picture for the right." : "Choose the picture for the left.");
    this.draw();
  }

  onKey(/** @type {KeyboardEvent} */ event) {
    const id = idOf(event);
    if (id === null || isComposing(event)) return;
    const key = keyOf(event);
    if ((key === "enter" || key === " ") && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      take(event);
      if (!event.repeat) this.take(id, null);
      return;
    }
    if (isChord(event)) return;
    const ids = this.ids;
    const at = ids.indexOf(id);
    /** @type {Record<string, number>} */
    const ways = { arrowleft: at - 1, arrowright: at + 1, home: 0, end: ids.length - 1 };
    if (ways[key] === undefined) return;
    take(event);
    this.focus(ids[Math.max(0, Math.min(ids.length - 1, ways[key]))]);
  }

  /** How many items could be put side by side. */
  get pictured() {
    return [...this.views.values()].filter(({ item }) => item?.sides.length).length;
  }

  // ---- focus

  get ids() {
    return [...this.row.children].map((node) => /** @type {HTMLElement} */ (node.firstElementChild).dataset.id ?? "");
  }

  rove(/** @type {string | null} */ id) {
    if (id === null) return;
    this.active = id;
    for (const [each, view] of this.views) view.button.tabIndex = each === id ? 0 : -1;
  }

  focus(/** @type {string | null} */ id) {
    const focused = this.views.get(id ?? "")?.button;
    focused?.focus({ preventScroll: true });
    focused?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

class ItemView {
  drawn = "";
  /** @type {{ node: HTMLElement, from_ms: number }[]} */
  clocks = [];

  constructor() {
    this.pictures = element("span", "pictures");
    this.tag = element("span", "tag");
    this.takes = element("span", "takes");
    this.button = element("button", { type: "button", class: "item" }, this.pictures, this.tag, this.takes);
    this.node = element("div", { role: "listitem" }, this.button);
    this.item = /** @type {FilmstripItem | null} */ (null);
  }

  fill(/** @type {FilmstripItem} */ item) {
    const facts = JSON.stringify(item);
    if (facts === this.drawn) return;
    this.drawn = facts;
    this.item = item;
    setAttributes(this.button, {
      "data-id": item.id,
      "data-sides": item.sides.length || null,
      "aria-label": item.name,
      title: item.name,
      "aria-current": item.mark ? "true" : null,
    });
    setText(this.takes, item.note ? "" : item.takes);
    this.clocks = [];
    const width = Math.max(WIDTHS_PX.least, Math.min(WIDTHS_PX.most, Math.round(PICTURE_PX * item.ratio)));
    this.pictures.style.setProperty("--width", `${width}px`);
    if (item.note) {
      const plate = element("span", "plate waiting", element("span", "", item.note));
      this.pictures.replaceChildren(plate);
    } else this.pictures.replaceChildren(...item.sides.map((side) => this.side(side)));
    this.tick();
  }

  side(/** @type {FilmstripSide} */ side) {
    const looks = { class: "plate", "data-side": side.side, "data-state": side.state };
    if (side.picture_url !== null) {
      const img = element("img", { src: side.picture_url, alt: side.word, loading: "lazy", decoding: "async", draggable: false });
      return element("span", looks, img);
    }
    const node = element("span", looks);
    if (side.state === "failed" || side.state === "cancelled") node.append(icon(SIGNS[side.state]));
    else {
      const words = element("span", "", side.word);
      node.append(words);
      if (side.elapsed_s !== null) this.clocks.push({ node: words, from_ms: performance.now() - side.elapsed_s * 1000 });
    }
    return node;
  }

  tick() {
    for (const { node, from_ms } of this.clocks) {
      setText(node, `${Math.max(0, Math.floor((performance.now() - from_ms) / 1000))} s`);
    }
  }

  /**
   * @param {string | null} place where it was chosen to stand, "" for one that may still be, null while nothing is
   * @param {string | null} side the picture that was pointed at
   */
  choose(place, side) {
    setText(this.tag, place ?? TAGS[this.item?.mark ?? ""]);
    setAttributes(this.button, { "aria-pressed": place === null ? null : Boolean(place) });
    for (const plate of this.pictures.children) {
      const isIt = Boolean(place) && (side === null || plate.getAttribute("data-side") === side);
      plate.classList.toggle("chosen", isIt);
    }
  }
}

/** @returns {string | null} */
function idOf(/** @type {Event} */ event) {
  return around(event, ".item")?.dataset.id ?? null;
}
