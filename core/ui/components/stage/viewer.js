// The viewer: one picture or two, looked at without asking the server anything. All of two is locked together: zoom, pan,
// the divider.
//
// Who shows pictures in it says which, and what the keys mean beside those that look: see stage.js.

import { around, element, icon, setAttributes, take } from "../dom.js";
import { clamp, dividerAt, isAt, layOut, middleFor, spotUnder, spreadOf, UNPLACED, wipeAt, zoomed } from "../geometry.js";
import { isChord, isComposing, keyOf, onLabels } from "../keyboard.js";
import { scrolledBy, setHeight } from "../streamlit_page.js";
import { put } from "./pane.js";
import { Toolbar } from "./toolbar.js";
/** @import { StageData } from "../shapes.js" */
/** @import { Point, View } from "../geometry.js" */
/** @import { Pane } from "./pane.js" */

/** @typedef {{ run: () => void, isRepeated: boolean }} Act */
/** @typedef {View & { takes: number[] }} Look `takes` is which one of each side */
/** @typedef {Pick<StageData, "comparison" | "height" | "made_with">} Shown what the viewer itself must know of it */

export const BELOW_BAR = 8; // the gap and
const PADDING = 22; // the padding in full screen, as in the style sheet
const MARGIN = 24; // what is left of the window's height
const LEAST = 420; // with less room than this the page is scrolled anyway
const NARROW = 520; // from here down each of two pictures would be less than 260 wide, too small to judge
const STEP = 1.25; // one press of + or −
const CRISP = 2; // above this, single pixels are drawn as squares
const MOVED = 5; // a pointer that went further than this was dragging, not tapping
const TAP_MS = 400;
const GRIP = "M8.5 6.5 3 12l5.5 5.5M15.5 6.5 21 12l-5.5 5.5";

/** @template {Shown} [Data=Shown] */
export class PictureViewer {
  /** @type {Pane[][]} of every take its sides */
  all = [];
  /** @type {Map<number, Point>} */
  pointers = new Map();
  /** @type {{ wipes: boolean, from: Point, hasMoved: boolean, at: number } | null} */
  drag = null;
  placed = UNPLACED;
  /** @type {Parameters<typeof layOut>[2] | null} what they were placed on */
  ground = null;
  frameAsked = 0;
  isTouch = false;
  pinchFrom = 1;

  /**
   * @param {ShadowRoot} mount
   * @param {Data} data
   * @param {Look} view
   */
  constructor(mount, data, view) {
    this.mount = mount;
    this.data = data;
    this.view = view;
    this.toolbar = new Toolbar(this);
    this.divider = element("div", {
      class: "divider",
      tabindex: 0,
      role: "slider",
      "aria-orientation": "horizontal",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    }, icon(GRIP));
    this.floor = element("div", { class: "floor", tabindex: 0, role: "group" }, this.divider);
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
    this.root = element("div", "stage", this.toolbar.node, this.floor, this.live);
    mount.append(this.root);
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.root);
    this.onResize = () => this.soon();
    window.addEventListener("resize", this.onResize);
    this.listen();
    this.unlabel = onLabels(() => this.toolbar.relabel());
  }

  listen() {
    const { root, floor } = this;
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("fullscreenchange", () => this.setFull(this.mount.fullscreenElement === root));
    // After a click on the toolbar the keys belong to the pictures again; the keyboard's own way stays as it is.
    this.toolbar.node.addEventListener("click", (event) => event.detail && floor.focus({ preventScroll: true }));
    floor.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    floor.addEventListener("dblclick", (event) => this.onDouble(event));
    floor.addEventListener("pointerdown", (event) => this.onDown(event));
    floor.addEventListener("pointermove", (event) => this.onMove(event));
    floor.addEventListener("pointerup", (event) => this.onUp(event));
    floor.addEventListener("pointercancel", (event) => this.onUp(event));
    // touch-action lets one finger scroll the page; a second one is a pinch and must not be taken for a scroll.
    const twoFingers = (/** @type {TouchEvent} */ event) => event.touches.length > 1 && event.preventDefault();
    floor.addEventListener("touchstart", twoFingers, { passive: false });
    floor.addEventListener("touchmove", twoFingers, { passive: false });
    // A trackpad's pinch is ctrl+wheel everywhere but in Safari, which has events of its own.
    floor.addEventListener("gesturestart", (event) => {
      event.preventDefault();
      this.pinchFrom = this.placed.scale;
    });
    floor.addEventListener("gesturechange", (event) => {
      const gesture = /** @type {UIEvent & Point & { scale: number }} */ (event);
      event.preventDefault();
      if (!this.pointers.size) this.zoomTo(this.pinchFrom * gesture.scale, gesture);
    });
  }

  close() {
    this.unlabel();
    this.watcher.disconnect();
    window.removeEventListener("resize", this.onResize);
    cancelAnimationFrame(this.frameAsked);
    this.root.remove();
  }

  /** What is on it, for who hears it. */
  name() {
    const labels = this.panes.map((pane) => pane.label);
    const label = labels.length > 1 ? `Comparison of ${labels.join(" and ")}` : labels[0];
    setAttributes(this.floor, { "aria-label": label });
    const names = this.panes.map((pane) => pane.side.name);
    setAttributes(this.divider, { "aria-label": `Divider between ${names.join(" and ")}` });
  }

  say(/** @type {string} */ text) {
    this.live.textContent = text;
  }

  // ---- what a person asks for ----

  /** The sides that are on the stage: of each the take that was chosen. */
  get panes() {
    if (!this.all.length) return [];
    return this.view.takes.map((chosen, at) => this.all[chosen][at]);
  }

  get mode() {
    if (this.panes.length < 2) return "one";
    return this.view.mode ?? (this.isNarrow ? "flip" : "side");
  }

  get isNarrow() {
    return this.root.clientWidth <= NARROW;
  }

  get isReady() {
    return this.panes.some((pane) => pane.img);
  }

  /** Whether one pixel of the screen is one of the picture's. */
  get isExact() {
    return this.view.scale !== null && isAt(this.placed.scale, 1);
  }

  get isPannable() {
    return this.placed.pannable.x || this.placed.pannable.y;
  }

  setMode(/** @type {"side" | "slider" | "flip"} */ mode) {
    this.view.mode = mode;
    this.layout();
  }

  turnTo(/** @type {number} */ index) {
    if (this.panes.length < 2) return;
    this.view.mode = "flip";
    this.view.shown = index;
    this.layout();
    this.say(this.panes[index].label);
  }

  flip() {
    this.turnTo(this.mode === "flip" ? 1 - this.view.shown : this.view.shown);
  }

  wipeTo(/** @type {number} */ share) {
    this.view.wipe = clamp(share, 0, 1);
    this.layout();
  }

  /** @param {1 | -1} way in or out */
  step(way) {
    this.zoomTo(zoomed(this.placed, STEP ** way));
  }

  /**
   * Zooms to a scale, null for fit, and keeps what is under `at` there.
   * @param {number | null} scale
   * @param {Point | null} from
   * @param {Point | null} at
   */
  zoomTo(scale, from = null, at = from) {
    if (!this.isReady) return;
    const index = from ? this.paneUnder(from) : 0;
    const spot = from && spotUnder(this.placed.places[index], this.onFloor(from));
    this.view.scale = scale === null ? null : clamp(scale, this.placed.least, this.placed.most);
    if (scale === null) this.view.x = this.view.y = 0.5;
    if (spot && at) {
      this.layout();
      Object.assign(this.view, middleFor(this.placed.places[index], spot, this.onFloor(at)));
    }
    this.layout();
  }

  onFloor(/** @type {Point} */ at) {
    const { left, top } = this.floor.getBoundingClientRect();
    return { x: at.clientX - left, y: at.clientY - top };
  }

  paneUnder(/** @type {Point} */ at) {
    if (this.mode === "flip") return this.view.shown;
    if (this.mode !== "side") return this.panes[0].img || this.panes.length < 2 ? 0 : 1;
    const { x } = this.placed.places[1].room;
    return this.onFloor(at).x < x - this.gap / 2 ? 0 : 1;
  }

  /** Streamlit's own gap between columns: what stands below in two columns lines up with the pictures. */
  get gap() {
    return parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  }

  pan(/** @type {number} */ dx, /** @type {number} */ dy) {
    const { width, height } = this.placed.places[this.placed.reference];
    this.view.x -= dx / width;
    this.view.y -= dy / height;
    this.soon();
  }

  /** Whether the pictures take all the height there is, whatever they are like. */
  get fillsRoom() {
    return this.isFull;
  }

  get isFull() {
    return this.root.classList.contains("full");
  }

  toggleFull() {
    const { root } = this;
    if (this.isFull) {
      if (this.mount.fullscreenElement === root) document.exitFullscreen();
      else this.popIn();
    } else if (root.requestFullscreen) root.requestFullscreen().catch(() => this.popOut());
    else this.popOut();
  }

  /** Phones without full screen for elements: the top layer covers the page as well. */
  popOut() {
    this.root.setAttribute("popover", "manual");
    this.root.showPopover();
    this.setFull(true);
  }

  popIn() {
    this.root.hidePopover();
    this.root.removeAttribute("popover");
    this.setFull(false);
  }

  setFull(/** @type {boolean} */ isFull) {
    this.root.classList.toggle("full", isFull);
    this.layout();
    if (!this.mount.activeElement) this.floor.focus({ preventScroll: true });
  }

  // ---- keys ----

  onKey(/** @type {KeyboardEvent} */ event) {
    if (isChord(event) || isComposing(event)) return;
    const key = keyOf(event);
    if ((key === " " || key === "enter") && around(event, "button")) return;
    const act = this.actFor(key, event);
    if (!act) return;
    take(event); // the page has keys of its own
    if (!event.repeat || act.isRepeated) act.run();
  }

  /** @param {string} key @param {KeyboardEvent} event @returns {Act | undefined} */
  actFor(key, event) {
    return this.lookFor(key) ?? this.wipeFor(key, event) ?? this.panFor(key);
  }

  /** @param {string} key @returns {Act | undefined} */
  lookFor(key) {
    const once = (/** @type {() => void} */ run) => ({ run, isRepeated: false });
    if (key === "escape" && this.isFull && this.root.hasAttribute("popover")) return once(() => this.popIn());
    if (key === "f") return once(() => this.toggleFull());
    if (this.panes.length > 1) {
      if (key === " ") return once(() => this.flip());
      if (key === "a" || key === "b") return once(() => this.turnTo(key === "a" ? 0 : 1));
    }
    return this.isReady ? this.zoomFor(key) : undefined;
  }

  /** @param {string} key @returns {Act | undefined} */
  zoomFor(key) {
    return new Map([
      ["+", { run: () => this.step(1), isRepeated: true }],
      ["-", { run: () => this.step(-1), isRepeated: true }],
      ["0", { run: () => this.zoomTo(null), isRepeated: false }],
      ["1", { run: () => this.zoomTo(1), isRepeated: false }], // of one take alone: see takeFor
      ["z", { run: () => this.zoomTo(this.isExact ? null : 1), isRepeated: false }],
    ]).get(key);
  }

  /** @param {string} key @param {KeyboardEvent} event @returns {Act | undefined} */
  wipeFor(key, event) {
    if (this.mode !== "slider") return undefined;
    const step = event.shiftKey ? 0.1 : 0.02;
    const { wipe } = this.view;
    /** @type {Record<string, number>} */
    const anywhere = { arrowleft: wipe - step, arrowright: wipe + step };
    /** @type {Record<string, number>} */
    const onDivider = {
      arrowdown: wipe - step,
      arrowup: wipe + step,
      pagedown: wipe - 0.1,
      pageup: wipe + 0.1,
      home: 0,
      end: 1,
    };
    const to = anywhere[key] ?? (event.target === this.divider ? onDivider[key] : undefined);
    return to === undefined ? undefined : { run: () => this.wipeTo(to), isRepeated: true };
  }

  /** @param {string} key @returns {Act | undefined} */
  panFor(key) {
    /** @type {Record<string, [number, number]>} */
    const steps = { arrowleft: [60, 0], arrowright: [-60, 0], arrowup: [0, 60], arrowdown: [0, -60] };
    const step = steps[key];
    return step && this.isPannable ? { run: () => this.pan(...step), isRepeated: true } : undefined;
  }

  // ---- pointers ----

  onWheel(/** @type {WheelEvent} */ event) {
    if (!(event.ctrlKey || event.metaKey) || !this.isReady) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(clamp(-event.deltaY * lines, -24, 24) * 0.01);
    this.zoomTo(zoomed(this.placed, factor), event);
  }

  onDouble(/** @type {MouseEvent} */ event) {
    if (around(event, "button, .divider, .message") || (this.isTouch && this.mode === "flip")) return;
    this.zoomTo(this.view.scale === null ? Math.max(1, this.placed.fit * 2) : null, event);
  }

  onDown(/** @type {PointerEvent} */ event) {
    const isOnWords = event.pointerType === "mouse" && around(event, ".message > *"); // may be selected
    if (event.button || isOnWords || around(event, "button")) return;
    this.isTouch = event.pointerType === "touch";
    this.pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY });
    if (this.pointers.size > 1) {
      this.drag = null;
      return;
    }
    const isOnDivider = around(event, ".divider") !== null;
    const wipes = this.mode === "slider" && (isOnDivider || !this.isPannable);
    this.drag = { wipes, from: event, hasMoved: wipes && isOnDivider, at: event.timeStamp };
    if (this.drag.hasMoved) this.grip(event);
  }

  grip(/** @type {PointerEvent} */ event) {
    this.floor.setPointerCapture(event.pointerId);
    this.floor.classList.toggle("moving", this.isMoving);
  }

  get isMoving() {
    return Boolean(this.drag?.hasMoved && !this.drag.wipes && this.isPannable);
  }

  onMove(/** @type {PointerEvent} */ event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = { clientX: event.clientX, clientY: event.clientY };
    if (this.pointers.size === 2) {
      const before = spreadOf([...this.pointers.values()]);
      this.pointers.set(event.pointerId, now);
      const after = spreadOf([...this.pointers.values()]);
      this.zoomTo((this.placed.scale * after.size) / before.size, before, after);
      return;
    }
    const { drag } = this;
    if (drag) {
      const isFar = Math.hypot(now.clientX - drag.from.clientX, now.clientY - drag.from.clientY) > MOVED;
      if (!drag.hasMoved && isFar) {
        drag.hasMoved = true;
        this.grip(event);
      }
      if (!drag.hasMoved) return;
      if (drag.wipes) this.wipeUnder(now);
      else if (this.isPannable) this.pan(now.clientX - last.clientX, now.clientY - last.clientY);
    }
    this.pointers.set(event.pointerId, now);
  }

  wipeUnder(/** @type {Point} */ at) {
    this.view.wipe = wipeAt(this.placed, this.onFloor(at).x);
    this.soon();
  }

  onUp(/** @type {PointerEvent} */ event) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.floor.classList.remove("moving");
    const { drag } = this;
    this.drag = null;
    if (!drag || drag.hasMoved || event.type !== "pointerup" || event.timeStamp - drag.at >= TAP_MS) return;
    if (this.isTouch && this.mode === "flip") this.flip();
    if (this.mode === "slider" && drag.wipes) this.wipeUnder(event);
  }

  // ---- drawing ----

  soon() {
    cancelAnimationFrame(this.frameAsked);
    this.frameAsked = requestAnimationFrame(() => this.layout());
  }

  layout() {
    const width = this.floor.clientWidth;
    if (!width || !this.panes.length) return;
    const { mode, view, panes, isFull, floor } = this;
    this.root.classList.toggle("narrow", this.isNarrow);
    this.toolbar.shape(this.isNarrow);
    // A picture that is to be judged must fit into the window whole.
    const below = this.drawBelow((width - this.gap) / panes.length);
    const most = isFull ? this.root.clientHeight - PADDING : Math.min(this.data.height, this.roomInWindow() - below);
    const cap = Math.max(120, most - this.toolbar.node.offsetHeight - BELOW_BAR);
    const sizes = panes.map((pane) => pane.size);
    const density = window.devicePixelRatio || 1;
    this.ground = { mode, width, gap: this.gap, cap, isFull: this.fillsRoom, density };
    this.placed = layOut(view, sizes, this.ground);
    put(floor, { height: this.placed.height });
    floor.className = `floor ${mode}`;
    floor.classList.toggle("pannable", this.isPannable);
    floor.classList.toggle("moving", this.isMoving);
    floor.classList.toggle("crisp", this.placed.scale > CRISP);
    this.all.flat().forEach((pane, at) => {
      const index = at % panes.length;
      const isChosen = pane === panes[index];
      const isShown = isChosen && (mode !== "flip" || view.shown === index);
      pane.place(this.placed.places[index], { isChosen, isShown, isSliding: mode === "slider", isSecond: index === 1 });
    });
    this.placeDivider(mode === "slider");
    this.toolbar.draw(this.placed);
    if (!isFull) this.fitPage();
  }

  /** What it does not need of its height, the page gets back. */
  fitPage() {
    setHeight(this.mount.host, this.root.offsetHeight);
  }

  placeDivider(/** @type {boolean} */ isSliding) {
    const at = dividerAt(this.placed, this.view.wipe);
    this.all.flat().forEach(({ node }, each) => {
      const index = each % this.panes.length;
      const [right, left] = index ? [0, at] : [this.placed.places[0].room.width - at, 0];
      node.style.clipPath = isSliding ? `inset(0 ${right}px 0 ${left}px)` : "";
    });
    this.divider.hidden = !isSliding;
    if (!isSliding) return;
    put(this.divider, { left: at });
    const percent = Math.round(this.view.wipe * 100);
    const [one, other] = this.panes.map((pane) => pane.side.name);
    setAttributes(this.divider, {
      "aria-valuenow": percent,
      "aria-valuetext": `${percent} % ${one}, ${100 - percent} % ${other}`,
    });
  }

  /**
   * Draws what stands below the pictures, each of them so wide, and answers how much room it needs.
   * @type {(width: number) => number}
   */
  drawBelow() {
    return 0;
  }

  /** Of the window, what is to be seen together with the pictures below all that. */
  get footRoom() {
    return 0;
  }

  /** With less room than this the page is to be scrolled. */
  get leastRoom() {
    return LEAST;
  }

  /** Down to the window's edge with the page scrolled to its top, or the whole window when that is too little. */
  roomInWindow() {
    const whole = document.documentElement.clientHeight;
    const room = whole - (this.root.getBoundingClientRect().top + scrolledBy(this.mount.host)) - this.footRoom;
    return room >= this.leastRoom ? room : whole - MARGIN;
  }
}
