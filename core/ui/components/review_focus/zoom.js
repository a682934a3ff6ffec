// Zoom on the desk's picture: a press, the wheel or a key comes nearer, a drag looks around, another picture is whole.

import { clamp, layOut, middleFor, spotUnder, UNPLACED, zoomed } from "../geometry.js";
/** @import { Point, Spot, View } from "../geometry.js" */

const STEP = 1.5;
const MOVED = 5; // a pointer that went further than this was dragging
const FACE = { x: 0.5, y: 0.4 }; // where keys come nearer to

export class Zoom {
  /** @type {View} */
  view = { mode: "one", shown: 0, scale: null, x: 0.5, y: 0.5, wipe: 0.5 };
  placed = UNPLACED;
  shown = ""; // the address of the picture
  original = "";
  width = 0; // of the picture that is shown, which the original may be larger than
  /** @type {(Point & { hasMoved: boolean }) | null} */
  drag = null;

  constructor(/** @type {HTMLElement} */ plate, /** @type {HTMLImageElement} */ picture) {
    this.plate = plate;
    this.picture = picture;
    new ResizeObserver(() => this.place()).observe(plate);
    picture.addEventListener("load", () => this.onLoad());
    picture.addEventListener("dragstart", (event) => event.preventDefault());
    plate.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    plate.addEventListener("pointerdown", (event) => this.onDown(event));
    plate.addEventListener("pointermove", (event) => this.onMove(event));
    plate.addEventListener("pointerup", (event) => this.onUp(event));
    plate.addEventListener("pointercancel", () => (this.drag = null));
  }

  get isNear() {
    return this.view.scale !== null;
  }

  /** Another picture begins whole; its original comes when somebody looks nearer. */
  show(/** @type {string} */ shown, /** @type {string} */ original) {
    this.original = original;
    if (this.shown === shown) return;
    this.shown = shown;
    Object.assign(this.view, { scale: null, x: 0.5, y: 0.5 });
    this.width = 0;
    this.place();
  }

  step(/** @type {1 | -1} */ way) {
    this.to(zoomed(this.placed, STEP ** way), this.middleOf(way > 0));
  }

  /** From the whole picture to its own pixels, at least twice as near, and back. */
  toggle(/** @type {Spot | null} */ at = null) {
    const near = Math.max(1, this.placed.fit * 2);
    this.to(this.isNear ? null : near, at ?? this.middleOf(true));
  }

  whole() {
    this.to(null, null);
  }

  /** @param {number | null} scale null for the whole picture @param {Spot | null} at what stays where it is */
  to(scale, at) {
    if (!this.placed.places.length) return;
    const spot = at && spotUnder(this.placed.places[0], at);
    this.view.scale = scale === null ? null : clamp(scale, this.placed.least, this.placed.most);
    if (scale === null) Object.assign(this.view, { x: 0.5, y: 0.5 });
    this.place();
    if (spot && at) {
      Object.assign(this.view, middleFor(this.placed.places[0], spot, at));
      this.place();
    }
    // Larger than a thumbnail, the picture shows its own pixels once they are there.
    if (this.isNear && this.original && this.picture.src !== new URL(this.original, location.href).href) {
      const [wanted, original] = [this.shown, new Image()];
      original.src = this.original;
      original.decode().then(
        () => this.shown === wanted && (this.picture.src = original.src),
        () => {}, // the thumbnail serves
      );
    }
  }

  middleOf(/** @type {boolean} */ isComing) {
    const { clientWidth, clientHeight } = this.plate;
    const isFirst = isComing && !this.isNear;
    return { x: clientWidth * (isFirst ? FACE.x : 0.5), y: clientHeight * (isFirst ? FACE.y : 0.5) };
  }

  onLoad() {
    const { naturalWidth } = this.picture;
    if (this.width && this.view.scale !== null) this.view.scale *= this.width / naturalWidth;
    this.width = naturalWidth;
    this.place();
  }

  place() {
    const { plate, picture, view } = this;
    const { naturalWidth: width, naturalHeight: height } = picture;
    const room = { width: plate.clientWidth, cap: plate.clientHeight };
    const density = window.devicePixelRatio;
    if (!width || !height || !room.width || !room.cap || view.scale === null) {
      picture.removeAttribute("style"); // the style sheet shows it whole
      plate.classList.remove("near");
    }
    if (!width || !height || !room.width || !room.cap) return;
    const floor = { mode: /** @type {const} */ ("one"), gap: 0, isFull: true, density, ...room };
    this.placed = layOut(view, [{ width, height, isThere: true }], floor);
    if (view.scale === null) return;
    const [at] = this.placed.places;
    plate.classList.add("near");
    Object.assign(picture.style, {
      inset: "auto",
      left: `${at.x}px`,
      top: `${at.y}px`,
      width: `${at.width}px`,
      height: `${at.height}px`,
    });
  }

  onPlate(/** @type {Point} */ at) {
    const { left, top } = this.plate.getBoundingClientRect();
    return { x: at.clientX - left, y: at.clientY - top };
  }

  onWheel(/** @type {WheelEvent} */ event) {
    if (!event.ctrlKey && !this.isNear) return; // the page scrolls
    event.preventDefault();
    this.to(zoomed(this.placed, event.deltaY < 0 ? STEP ** 0.5 : STEP ** -0.5), this.onPlate(event));
  }

  onDown(/** @type {PointerEvent} */ event) {
    if (event.button !== 0 || event.target !== this.picture) return;
    this.drag = { clientX: event.clientX, clientY: event.clientY, hasMoved: false };
    this.plate.setPointerCapture(event.pointerId);
  }

  onMove(/** @type {PointerEvent} */ event) {
    const { drag } = this;
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.clientX, event.clientY - drag.clientY];
    if (!drag.hasMoved && Math.hypot(dx, dy) < MOVED) return;
    this.drag = { clientX: event.clientX, clientY: event.clientY, hasMoved: true };
    if (!this.isNear) return;
    this.view.x -= dx / this.placed.places[0].width;
    this.view.y -= dy / this.placed.places[0].height;
    this.place();
  }

  onUp(/** @type {PointerEvent} */ event) {
    const { drag } = this;
    this.drag = null;
    if (drag && !drag.hasMoved) this.toggle(this.onPlate(event));
  }
}
