// The tile picker in the browser. It answers at once and tells the server afterwards: data that are older than the
// newest pick never take it back.

import { around, element, keptUnder, setAttributes, setText, take, Turns } from "../dom.js";
import { changes, shows } from "../draft_in_browser.js";
import { isChord, keyOf } from "../keyboard.js";
/** @import { Mount } from "../dom.js" */
/** @import { Tile, TilesData } from "../shapes.js" */

/** @type {WeakMap<ShadowRoot, Picker>} */
const pickers = new WeakMap();

/** @param {Mount<TilesData>} mount */
export default function ({ data, parentElement, setStateValue }) {
  const picker = keptUnder(pickers, parentElement, () => new Picker(parentElement, data));
  picker.turns.tell = () => setStateValue("answer", { turn: picker.turns.turn, picked: picker.picked });
  picker.show(data);
}

class Picker {
  turns = new Turns();
  /** @type {string | null} */
  picked = null;
  /** @type {string | undefined} the tile that had the focus last is where Tab comes back to */
  focused = undefined;
  shape = "";
  /** @type {HTMLElement[]} */
  tiles = [];
  note = element("span", "note");

  constructor(/** @type {ShadowRoot} */ mount, /** @type {TilesData} */ data) {
    this.data = data;
    this.root = /** @type {HTMLElement} */ (mount.querySelector(".picker"));
    this.root.addEventListener("click", (event) => this.onClick(around(event, ".tile")));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("focusin", (event) => {
      this.focused = around(event, ".tile")?.dataset.id ?? this.focused;
      this.paint();
    });
  }

  show(/** @type {TilesData} */ data) {
    this.data = data;
    if (data.turn >= this.turns.turn) {
      this.turns.turn = data.turn;
      this.picked = data.picked;
    }
    this.build();
    this.paint();
    shows(data.part, this.picked, this.turns);
  }

  /** Draws the elements only when the set of tiles has changed, so pictures are never loaded again. */
  build() {
    const { label, columns, lines, tiles } = this.data;
    const shape = JSON.stringify([label, columns, lines, tiles]);
    if (shape === this.shape) return;
    this.shape = shape;
    this.tiles = tiles.map((tile, index) => tileOf(tile, lines[Math.floor(index / columns)]));
    const group = element("div", { class: "tiles", role: "group", "aria-labelledby": "label" }, ...this.tiles);
    group.style.setProperty("--columns", String(columns));
    group.classList.toggle("narrow", columns > 4);
    const title = element("span", { class: "label", id: "label" }, label);
    this.root.replaceChildren(element("div", "header", title, this.note), group);
  }

  paint() {
    const { tiles, note, proposed } = this.data;
    setText(this.note, note);
    const home = [this.focused, this.picked, proposed, tiles[0]?.id].find((id) => tiles.some((tile) => tile.id === id));
    this.tiles.forEach((node, index) => {
      const { id, name } = tiles[index];
      const isProposed = id === proposed && this.picked === null;
      node.classList.toggle("proposed", isProposed);
      setAttributes(node, {
        "aria-pressed": id === this.picked,
        "aria-label": isProposed ? `${name}, proposed` : name,
        tabindex: id === home ? 0 : -1,
      });
    });
  }

  onClick(/** @type {HTMLElement | null} */ node) {
    if (!node || node.getAttribute("aria-disabled") === "true") return;
    this.picked = node.dataset.id === this.picked ? null : (node.dataset.id ?? null);
    this.turns.next();
    this.paint();
    changes(this.data.part, this.picked, this.turns);
    this.turns.tell();
  }

  onKey(/** @type {KeyboardEvent} */ event) {
    const from = this.tiles.findIndex((tile) => tile === around(event, ".tile"));
    const last = this.tiles.length - 1;
    const { columns } = this.data;
    const to = new Map([
      ["arrowleft", from - 1],
      ["arrowright", from + 1],
      ["arrowup", from - columns],
      ["arrowdown", from + columns],
      ["home", 0],
      ["end", last],
    ]).get(keyOf(event));
    if (isChord(event) || from < 0 || to === undefined) return;
    take(event);
    this.tiles[to]?.focus();
  }
}

function tileOf(/** @type {Tile} */ tile, /** @type {number} */ lines) {
  const plate = () => element("span", "plate", tile.name);
  const frame = element("span", "frame");
  if (tile.picture_url) {
    const looks = { class: "picture", alt: tile.alt, draggable: false, decoding: "async" };
    const picture = element("img", looks);
    picture.addEventListener("error", () => picture.replaceWith(plate()));
    picture.src = tile.picture_url;
    frame.append(picture);
  } else {
    frame.append(plate());
  }
  frame.append(element("span", "mark", "proposed"));
  const name = element("span", "name", tile.name);
  name.style.setProperty("--lines", String(lines));
  const node = element("button", { type: "button", class: "tile", "data-id": tile.id }, frame, name);
  node.title = tile.disabled_reason ?? tile.name;
  // Not `disabled`: the keyboard must be able to reach the reason.
  if (tile.disabled_reason) setAttributes(node, { "aria-disabled": true, "aria-description": tile.disabled_reason });
  return node;
}
