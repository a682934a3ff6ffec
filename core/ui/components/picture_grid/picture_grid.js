// Roles: a selectable grid is a multi-select listbox, whose keys (arrows, Space, Shift, Ctrl+A) are the ones
// built here; any other is a list of buttons. role="grid" would need rows, and rows change with the window.

import { around, element, keptUnder, setAttributes, take, Turns } from "../dom.js";
import { commandOf, isComposing, keyOf } from "../keyboard.js";
import { CardView } from "./card.js";
import { dialogs } from "../streamlit_page.js";
/** @import { Mount } from "../dom.js" */
/** @import { GridData } from "../shapes.js" */

const COLUMNS = [2, 3, 4, 5, 6, 10, 12, 15, 20]; // they divide 60, so that a full page has no ragged last row
const PAUSE_MS = 150;
const DIALOG_WAIT_MS = 30_000;

/** @type {Map<string, View>} outlive the elements: Streamlit mounts a component anew when it moves on the page */
const views = new Map();
/** @type {WeakMap<ShadowRoot, Grid>} */
const grids = new WeakMap();

/** @param {Mount<GridData>} mount */
export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const grid = keptUnder(grids, parentElement, () => new Grid(parentElement, data));
  grid.tellOpened = (id) => setTriggerValue("opened", { id });
  grid.tellStars = (marks, turn) => setTriggerValue("starred", { marks, turn });
  grid.show(data, (selection) => setStateValue("selection", selection));
  return () => {
    if (parentElement.isConnected) return;
    grid.close();
    grids.delete(parentElement);
  };
}

class View {
  /** @type {Set<string>} */
  selected = new Set();
  /** @type {Set<string>} the selection a range is added to */
  before = new Set();
  /** @type {string | null} */
  anchor = null;
  isWalking = false; // with Shift and arrows
  /** @type {string | null} */
  active = null;
  activeIndex = 0;
  epoch = 0;
  turns = new Turns(PAUSE_MS);
  /** @type {Map<string, { isOn: boolean, turn: number }>} stars that were pressed and that nobody is known to have heard of */
  stars = new Map();
  starTurn = 0;
}

class Grid {
  /** @type {Map<string, CardView>} */
  entries = new Map();
  columns = 2;
  /** @type {View | null} */
  shown = null;
  stopWatching = () => {};
  /** @type {(id: string) => void} */
  tellOpened = () => {};
  /** @type {(marks: Record<string, boolean>, turn: number) => void} */
  tellStars = () => {};

  constructor(/** @type {ShadowRoot} */ mount, /** @type {GridData} */ data) {
    this.mount = mount;
    this.data = data;
    this.view = keptUnder(views, data.key, () => new View());
    this.root = element("div", "grid");
    this.status = element("div", { class: "unseen", role: "status" });
    mount.append(this.root, this.status);

    this.root.addEventListener("click", (event) => this.onClick(event));
    this.root.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("focusin", (event) => this.onFocus(idOf(event)));
    this.root.addEventListener("mousedown", (event) => {
      if (event.shiftKey) event.preventDefault(); // or the browser selects the text in between
    });
    // A button elsewhere must find the selection on the server: what is unsent leaves before its click does.
    this.beforeOthers = (/** @type {PointerEvent | KeyboardEvent} */ event) => {
      const isOurs = event instanceof PointerEvent || this.meaning(event) !== undefined;
      if (!event.composedPath().includes(this.root) || !isOurs) this.view.turns.flush();
    };
    window.addEventListener("pointerdown", this.beforeOthers, true);
    window.addEventListener("keydown", this.beforeOthers, true);
    this.resize = new ResizeObserver(() => this.layOut());
    this.resize.observe(this.root);
  }

  close() {
    this.view.turns.rest();
    this.stopWatching();
    this.resize.disconnect();
    window.removeEventListener("pointerdown", this.beforeOthers, true);
    window.removeEventListener("keydown", this.beforeOthers, true);
  }

  get cards() {
    return this.data.cards;
  }

  // ---- from the server

  show(/** @type {GridData} */ data, /** @type {(selection: object) => void} */ tell) {
    const view = keptUnder(views, data.key, () => new View());
    const isNew = view !== this.shown;
    this.shown = this.view = view;
    this.data = data;
    view.turns.tell = () => {
      const shown = this.cards.map((card) => card.id).filter((id) => view.selected.has(id));
      const ids = this.data.keeps ? [...view.selected] : shown;
      tell({ ids, turn: view.turns.turn, epoch: view.epoch });
    };

    Object.assign(this.root.dataset, { aspect: data.aspect, click: data.click });
    this.root.toggleAttribute("data-selectable", data.selectable);
    setAttributes(this.root, {
      role: data.selectable ? "listbox" : "list",
      "aria-label": data.label,
      "aria-multiselectable": data.selectable || null,
    });
    for (const [id, epoch] of Object.entries(data.dropped)) {
      if (epoch <= view.epoch) continue;
      view.selected.delete(id);
      view.before.delete(id);
    }
    view.epoch = data.epoch;
    for (const [id, { turn }] of view.stars) {
      if (turn <= data.star_turn) view.stars.delete(id);
    }
    this.place();
    this.layOut();
    this.paintSelection();
    this.paintStars();
    // Mounted anew, after a visit to another page for instance: the server has forgotten the selection.
    const isForgotten = data.turn !== view.turns.turn && view.selected.size > 0;
    if (isNew && (view.turns.waits || isForgotten)) view.turns.now();
  }

  place() {
    const { cards, view } = this;
    const hadFocus = Boolean(this.mount.activeElement?.closest(".card"));
    const shown = new Set(cards.map((card) => card.id));
    for (const [id, entry] of this.entries) {
      if (shown.has(id)) continue;
      entry.item.remove();
      this.entries.delete(id);
    }
    let next = this.root.firstElementChild;
    cards.forEach((card, index) => {
      const entry = keptUnder(this.entries, card.id, () => new CardView(card.id));
      if (entry.item === next) next = next.nextElementSibling;
      else this.root.insertBefore(entry.item, next);
      entry.index = index;
      entry.fill(card, this.data);
    });
    if (view.active === null || !shown.has(view.active)) {
      view.active = cards[Math.min(view.activeIndex, cards.length - 1)]?.id ?? null;
    }
    this.rove();
    // Moving a node in the document takes the focus from it, and so does removing it.
    if (hadFocus && !this.mount.activeElement) this.focus(view.active);
  }

  layOut() {
    const style = getComputedStyle(this.root);
    const width = this.root.clientWidth - 2 * parseFloat(style.paddingLeft);
    if (width <= 0) return;
    const gap = parseFloat(style.columnGap);
    const cardWidth = (/** @type {number} */ count) => (width - gap * (count - 1)) / count;
    const min = this.data.min_card_px;
    this.columns = COLUMNS.findLast((count) => cardWidth(count) >= min)
      ?? (cardWidth(2) >= Math.min(min, Math.max(140, 0.6 * min)) ? 2 : 1); // a phone shows two
    this.root.style.setProperty("--columns", String(this.columns));
  }

  paintSelection() {
    const { selectable } = this.data;
    for (const [id, { button }] of this.entries) {
      setAttributes(button, { "aria-selected": selectable ? this.view.selected.has(id) : null });
    }
    const shown = this.cards.filter((card) => this.view.selected.has(card.id));
    const count = this.data.keeps ? this.view.selected.size : shown.length;
    this.root.toggleAttribute("data-selecting", selectable && count > 0);
    return count;
  }

  paintStars() {
    for (const { id, starred } of this.cards) {
      const star = this.entries.get(id)?.star;
      if (star) setAttributes(star, { "aria-pressed": this.view.stars.get(id)?.isOn ?? starred });
    }
  }

  /** Takes a card into the selection, unless that has as many as it may have. */
  select(/** @type {string} */ id) {
    const { selected } = this.view;
    if (selected.size < this.data.selected_max) selected.add(id);
    return selected.has(id);
  }

  // ---- to the server

  changed({ isAnnounced = false } = {}) {
    const count = this.paintSelection();
    if (this.data.keeps && count >= this.data.selected_max) this.status.textContent = `${count} selected, the most there can be`;
    else if (isAnnounced) this.status.textContent = count ? `${count} selected` : "Nothing selected";
    this.view.turns.soon();
  }

  /** Every press that is not known to be heard is told again: of presses that come close, Streamlit tells the last. */
  toggleStar(/** @type {string} */ id) {
    const { view } = this;
    const isOn = this.entries.get(id)?.star.ariaPressed !== "true";
    view.starTurn += 1;
    view.stars.set(id, { isOn, turn: view.starTurn });
    this.paintStars();
    this.status.textContent = isOn ? "Favourite" : "No favourite any more";
    this.view.turns.flush();
    this.tellStars(Object.fromEntries([...view.stars].map(([each, star]) => [each, star.isOn])), view.starTurn);
  }

  open(/** @type {string} */ id) {
    this.view.turns.flush(); // before, because a later rerun would close the dialog that this one opens
    this.tellOpened(id);
    this.watchDialog(id);
  }

  /** The shadow root hides the card from the dialog's own way of giving the focus back. */
  watchDialog(/** @type {string} */ id) {
    this.stopWatching();
    const before = dialogs();
    let isSeen = false;
    const observer = new MutationObserver(() => {
      if (dialogs() > before) {
        isSeen = true;
        clearTimeout(this.giveUp);
      } else if (isSeen) {
        this.stopWatching();
        setTimeout(() => this.takeFocusBack(id), 50); // after the dialog has tried by itself
      }
    });
    observer.observe(document.body, { childList: true, subtree: true });
    this.giveUp = setTimeout(() => this.stopWatching(), DIALOG_WAIT_MS);
    this.stopWatching = () => {
      clearTimeout(this.giveUp);
      observer.disconnect();
    };
  }

  takeFocusBack(/** @type {string} */ id) {
    const now = document.activeElement;
    if (now && now !== document.body && now !== this.mount.host) return;
    this.focus(this.entries.has(id) ? id : this.view.active);
  }

  // ---- focus

  rove() {
    for (const [id, { button, star }] of this.entries) {
      button.tabIndex = star.tabIndex = id === this.view.active ? 0 : -1;
    }
  }

  focus(/** @type {string | null} */ id, /** @type {FocusOptions} */ options = { preventScroll: true }) {
    this.entries.get(id ?? "")?.button.focus(options);
  }

  onFocus(/** @type {string | undefined} */ id) {
    if (id === undefined) return;
    this.view.active = id;
    this.view.activeIndex = this.indexOf(id);
    this.rove();
  }

  indexOf(/** @type {string} */ id) {
    return this.entries.get(id)?.index ?? 0;
  }

  /** Where a key leads. */
  target(/** @type {string} */ key, /** @type {number} */ index) {
    const last = this.cards.length - 1;
    const { columns } = this;
    const rowOf = (/** @type {number} */ i) => Math.floor(i / columns);
    switch (key) {
      case "arrowleft": return Math.max(0, index - 1);
      case "arrowright": return Math.min(last, index + 1);
      case "home": return 0;
      case "end": return last;
      default:
    }
    const rows = key.startsWith("page") ? this.rowsInWindow() : 1;
    if (key.endsWith("up")) return index - columns * Math.min(rows, rowOf(index));
    return Math.min(last, index + columns * Math.min(rows, rowOf(last) - rowOf(index)));
  }

  rowsInWindow() {
    const [first, below] = [this.cards[0], this.cards[this.columns]].map((card) => this.entries.get(card?.id));
    if (!first || !below) return 1;
    const height = below.item.offsetTop - first.item.offsetTop;
    return Math.max(1, Math.floor((window.innerHeight - 144) / height));
  }

  // ---- keys and clicks

  /** What a key means here, or undefined when it belongs to somebody else. */
  meaning(/** @type {KeyboardEvent} */ event) {
    if (event.altKey || isComposing(event)) return undefined;
    const { selectable } = this.data;
    if (event.ctrlKey || event.metaKey) return selectable && commandOf(event) === "a" ? "all" : undefined;
    const key = keyOf(event);
    if (/^(arrow(left|right|up|down)|home|end|page(up|down))$/.test(key)) return "move";
    if (key === "enter") return "open";
    if (key === " ") return selectable ? "select" : "open";
    if (key === "escape" && this.root.hasAttribute("data-selecting")) return "clear";
    return undefined;
  }

  onKey(/** @type {KeyboardEvent} */ event) {
    const id = idOf(event);
    const meaning = this.meaning(event);
    if (id === undefined || meaning === undefined) return;
    take(event);
    if (meaning === "move") {
      const target = this.cards[this.target(keyOf(event), this.indexOf(id))].id;
      this.walk(event.shiftKey && this.data.selectable, id, target);
      this.focus(target, {});
    } else if (meaning === "all") {
      for (const card of this.cards) this.select(card.id);
      this.changed({ isAnnounced: true });
    } else if (meaning === "clear") {
      this.view.selected.clear();
      this.view.before.clear();
      this.view.anchor = null;
      this.changed({ isAnnounced: true });
    } else if (!event.repeat) {
      if (meaning === "open") this.open(id);
      else if (event.shiftKey) this.selectRange(id, id);
      else this.toggle(id);
    }
  }

  onClick(/** @type {MouseEvent} */ event) {
    const star = around(event, ".star");
    if (star?.dataset.id) this.toggleStar(star.dataset.id);
    const id = idOf(event);
    if (id === undefined) return;
    const { selectable, click } = this.data;
    const previous = this.view.active;
    this.focus(id);
    if (selectable && event.shiftKey) this.selectRange(previous ?? id, id);
    else if (selectable && (click === "select" || event.ctrlKey || event.metaKey || around(event, ".mark"))) {
      this.toggle(id);
    } else if (event.detail < 2) this.open(id); // a double click opens once
  }

  onDoubleClick(/** @type {MouseEvent} */ event) {
    const id = idOf(event);
    if (id === undefined || event.shiftKey || around(event, ".mark")) return;
    if (this.data.click === "select") this.open(id);
  }

  toggle(/** @type {string} */ id) {
    const { view } = this;
    if (!view.selected.delete(id)) this.select(id);
    view.anchor = id;
    view.before = new Set(view.selected);
    view.isWalking = false;
    this.changed();
  }

  /** A walk with Shift starts where the focus is, not at the card that was last toggled. */
  walk(/** @type {boolean} */ isSelecting, /** @type {string} */ from, /** @type {string} */ to) {
    const { view } = this;
    if (isSelecting && !view.isWalking) view.anchor = null;
    if (isSelecting) this.selectRange(from, to);
    else if (view.isWalking) view.before = new Set(view.selected);
    view.isWalking = isSelecting;
  }

  /** From the anchor, or from `start` if there is none. Going back takes cards out again. */
  selectRange(/** @type {string} */ start, /** @type {string} */ target) {
    const { view } = this;
    if (view.anchor === null || !this.entries.has(view.anchor)) {
      view.anchor = start;
      view.before = new Set(view.selected);
    }
    const ends = [view.anchor, target].map((id) => this.indexOf(id));
    view.selected = new Set(view.before);
    for (let i = Math.min(...ends); i <= Math.max(...ends); i++) this.select(this.cards[i].id);
    this.changed({ isAnnounced: true });
  }
}

function idOf(/** @type {Event} */ event) {
  return around(event, ".card")?.dataset.id;
}
