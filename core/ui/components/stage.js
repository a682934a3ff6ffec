// The stage: one or two sides of a comparison, looked at without asking the server anything.
//
// Streamlit calls the export again when data, id or theme change, and runs the clean-up of a call that was
// overtaken at once. So the stage lives by its mount point, is built once, and is only told what changed;
// how a person looks at a comparison lives by the comparison's id and outlives reruns and visits elsewhere.

const SVG = "http://www.w3.org/2000/svg";
const BELOW_BAR = 8; // the gap and
const PADDING = 22; // the padding in full screen, as in the style sheet
const MARGIN = 24; // what the stage leaves of the window's height
const FOOT = 64; // room for what stands under the stage, so that pictures and figures are seen together
const LEAST = 420; // with less room than this the page is scrolled anyway
const NARROW = 520; // from here down each of two pictures would be less than 260 wide, too small to judge
const STEP = 1.25; // one press of + or −
const LARGEST = 16; // screen pixels for one pixel of the picture
const CRISP = 2; // above this, single pixels are drawn as squares
const MOVED = 5; // a pointer that went further than this was dragging, not tapping
const VIEWS_KEPT = 500;

const WORDS = {
  queued: "Waiting",
  running: "Making the picture",
  failed: "Failed",
  done: "Done",
  cancelled: "Cancelled",
  empty: "Nothing here yet",
};

// Strokes on a 24 × 24 grid.
const MARKS = {
  queued: "M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17",
  failed: "M12 9.5v4.2M12 16.6v.4M12 3.8 2.8 20h18.4z",
  cancelled: "M6.2 6.2l11.6 11.6M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17",
  empty: "M7 12h10",
  missing: "M4 4.5h16v15H4zM4 16l4.5-4.5 4 4M14 14l2-2 4 4M3 3l18 18",
  enlarge: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  reduce: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  wipe: "M8.5 6.5 3 12l5.5 5.5M15.5 6.5 21 12l-5.5 5.5",
};

const views = new Map(); // comparison id → the way it was last looked at
const stages = new WeakMap(); // mount point → its stage

export default function ({ data, parentElement }) {
  let stage = stages.get(parentElement);
  if (!stage) {
    stage = new Stage(parentElement);
    stages.set(parentElement, stage);
  }
  stage.show(data);
  return () => {
    if (parentElement.isConnected) return;
    stage.close();
    stages.delete(parentElement);
  };
}

function viewOf(comparison) {
  let view = views.get(comparison);
  if (!view) {
    // scale: screen pixels for one of the picture's, null for "fit"; x, y: the point in the middle, 0 to 1.
    view = { mode: null, shown: 0, scale: null, x: 0.5, y: 0.5, wipe: 0.5 };
    views.set(comparison, view);
    if (views.size > VIEWS_KEPT) views.delete(views.keys().next().value);
  }
  return view;
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function mark(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const looks = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.6" };
  for (const [key, value] of Object.entries(looks)) svg.setAttribute(key, value);
  svg.setAttribute("stroke-linecap", "round");
  svg.setAttribute("stroke-linejoin", "round");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", MARKS[name]);
  svg.append(path);
  return svg;
}

function button(className, label, act) {
  const node = make("button", className, label);
  node.type = "button";
  node.addEventListener("click", act);
  return node;
}

function group(label, ...children) {
  const node = make("div", "group");
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", label);
  node.append(...children);
  return node;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// The letter on the key cap where the layout types another script: on a Korean layout "a" arrives as "ㅁ".
function letterOf(event) {
  const foreign = event.key.length === 1 && event.key > "\u007f";
  const onCap = /^(?:Key|Digit)(.)$/.exec(event.code);
  return (foreign && onCap ? onCap[1] : event.key).toLowerCase();
}

// One side: its picture or its message, its name, its progress.
class Pane {
  constructor(stage) {
    this.stage = stage;
    this.side = null;
    this.url = null;
    this.img = null;
    this.broken = false;
    this.ticket = 0; // which load is the newest

    this.node = make("div", "pane");
    this.node.setAttribute("role", "group");
    this.frame = make("div", "frame");
    this.message = make("div", "message");
    this.frame.append(this.message);
    this.chip = make("div", "chip");
    this.note = make("div", "note");
    this.line = make("div", "line");
    this.line.setAttribute("role", "progressbar");
    this.bar = make("i");
    this.line.append(this.bar);
    this.node.append(this.frame, this.chip, this.note, this.line);
  }

  get label() {
    return this.side.title ? `${this.side.name}, ${this.side.title}` : this.side.name;
  }

  get headline() {
    return this.side.headline || WORDS[this.side.state];
  }

  // Takes the side's new facts; answers what is worth saying aloud, or "".
  update(side) {
    const before = this.side;
    if (before && JSON.stringify(before) === JSON.stringify(side)) return "";
    this.side = side;
    const drawn = side.state === "done" || side.state === "running";
    const url = drawn ? side.picture_url : null;
    if (url !== this.url) this.load(url);
    else if (this.img) this.img.alt = side.alt;
    this.draw();
    if (!before || before.state === side.state) return "";
    const advice = side.state === "failed" && side.detail ? ` ${side.detail}` : "";
    return `${this.label}: ${side.state === "done" ? WORDS.done : this.headline}.${advice}`;
  }

  // Decodes beside the stage, then swaps: what was on it stays until the next picture can be painted.
  async load(url) {
    const ticket = ++this.ticket;
    this.url = url;
    this.broken = false;
    if (!url) {
      this.img?.remove();
      this.img = null;
      return;
    }
    const img = new Image();
    img.draggable = false;
    img.decoding = "sync";
    img.src = url;
    let decoded = true;
    try {
      await img.decode();
    } catch {
      decoded = false;
    }
    if (ticket !== this.ticket) return;
    if (decoded) {
      img.alt = this.side.alt;
      if (this.img) this.img.replaceWith(img);
      else this.frame.prepend(img);
      this.img = img;
    } else if (this.side.state === "done") {
      this.broken = true;
      this.img?.remove();
      this.img = null;
      this.stage.say(`${this.label}: the picture did not load.`);
    }
    this.draw();
    this.stage.layout();
  }

  discard() {
    this.ticket += 1;
    this.node.remove();
  }

  draw() {
    const { side } = this;
    this.node.dataset.state = side.state;
    this.node.setAttribute("aria-label", this.label);
    this.node.classList.toggle("plain", !this.img);

    this.chip.replaceChildren(make("b", "", side.name));
    if (side.title) this.chip.append(" ", make("span", "", side.title));

    const running = side.state === "running";
    this.note.textContent = side.headline;
    this.note.hidden = !(running && this.img && side.headline);
    const loading = side.state === "done" && !this.img && !this.broken;
    this.line.hidden = !running && !loading;
    const known = running && side.progress !== null;
    this.line.classList.toggle("unknown", !known);
    this.line.classList.toggle("loading", loading);
    this.line.setAttribute("aria-label", `${loading ? "Loading" : "Progress of"} ${this.label}`);
    if (known) this.line.setAttribute("aria-valuenow", Math.round(clamp(side.progress, 0, 1) * 100));
    else this.line.removeAttribute("aria-valuenow");
    this.bar.style.transform = known ? `scaleX(${clamp(side.progress, 0, 1)})` : "";

    this.tell();
  }

  // The words in place of a picture; rebuilt only when they change, so that a selection in them survives.
  tell() {
    const { side } = this;
    const loading = side.state === "done" && !this.broken;
    const words = [side.state, side.headline, side.detail, side.request_id];
    const facts = this.img || loading ? "" : JSON.stringify(words);
    this.message.hidden = !facts;
    if (facts === this.told) return;
    this.told = facts;
    this.message.replaceChildren();
    if (!facts) return;
    const missing = side.state === "done";
    const sign = missing ? "missing" : side.state;
    if (MARKS[sign]) {
      const svg = mark(sign);
      svg.classList.add("mark");
      this.message.append(svg);
    }
    this.message.append(make("p", "headline", missing ? "The picture did not load" : this.headline));
    const detail = missing ? "It was made and is kept. Check the connection, then try again." : side.detail;
    if (detail) this.message.append(make("p", "detail", detail));
    if (missing) {
      this.message.append(button("small reload", "Try again", () => {
        this.load(side.picture_url);
        this.draw();
      }));
    }
    if (side.request_id && !missing) this.message.append(this.request(side.request_id));
  }

  request(id) {
    const code = make("code", "", id);
    const copy = button("small", "Copy", async () => {
      try {
        await navigator.clipboard.writeText(id);
        copy.textContent = "Copied";
        this.stage.say("Request id copied.");
        setTimeout(() => { copy.textContent = "Copy"; }, 1500);
      } catch {
        // Without https there is no clipboard: leave the id selected for Ctrl+C.
        getSelection()?.selectAllChildren(code);
      }
    });
    copy.setAttribute("aria-label", `Copy the request id of ${this.side.name}`);
    const node = make("div", "request");
    node.append(make("span", "", "Request"), code, copy);
    return node;
  }
}

class Stage {
  constructor(mount) {
    this.mount = mount;
    this.panes = [];
    this.pointers = new Map();
    this.drag = null;
    this.frameAsked = 0;
    this.build();
    this.listen();
  }

  build() {
    this.root = make("div", "stage");
    this.modes = {
      side: button("tool", "Side by side", () => this.setMode("side")),
      slider: button("tool", "Slider", () => this.setMode("slider")),
      flip: button("tool", "Flip", () => (this.mode === "flip" ? this.flip() : this.setMode("flip"))),
    };
    this.modeGroup = group("View", ...Object.values(this.modes));
    this.sideGroup = group("Side shown");

    this.hints = make("div", "hints");
    this.minus = button("tool icon", "−", () => this.zoomBy(1 / STEP));
    name(this.minus, "Zoom out", "-");
    this.level = button("tool level", "Fit", () => this.zoomTo(null));
    this.plus = button("tool icon", "+", () => this.zoomBy(STEP));
    name(this.plus, "Zoom in", "+");
    this.exact = button("tool", "1:1", () => this.zoomTo(1));
    name(this.exact, "Original pixels, 1:1", "1");
    this.enlarge = button("tool icon", "", () => this.toggleFull());
    const bar = make("div", "bar");
    bar.append(this.modeGroup, this.sideGroup, this.hints, group("Zoom", this.minus, this.level, this.plus), this.exact, this.enlarge);
    this.bar = bar;

    this.floor = make("div", "floor");
    this.floor.tabIndex = 0;
    this.floor.setAttribute("role", "group");
    this.divider = make("div", "divider");
    this.divider.tabIndex = 0;
    this.divider.setAttribute("role", "slider");
    this.divider.setAttribute("aria-orientation", "horizontal");
    this.divider.setAttribute("aria-valuemin", "0");
    this.divider.setAttribute("aria-valuemax", "100");
    const grip = mark("wipe");
    this.divider.append(grip);
    this.floor.append(this.divider);

    this.live = make("div", "unseen");
    this.live.setAttribute("aria-live", "polite");
    this.root.append(bar, this.floor, this.live);
    this.mount.append(this.root);
  }

  listen() {
    const { root, floor } = this;
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("fullscreenchange", () => this.setFull(this.mount.fullscreenElement === root));
    // After a click on the toolbar the keys belong to the pictures again; the keyboard's own way stays as it is.
    this.bar.addEventListener("click", (event) => event.detail && floor.focus({ preventScroll: true }));
    floor.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    floor.addEventListener("dblclick", (event) => this.onDouble(event));
    floor.addEventListener("pointerdown", (event) => this.onDown(event));
    floor.addEventListener("pointermove", (event) => this.onMove(event));
    floor.addEventListener("pointerup", (event) => this.onUp(event));
    floor.addEventListener("pointercancel", (event) => this.onUp(event));
    // touch-action lets one finger scroll the page; a second one is a pinch and must not be taken for a scroll.
    const twoFingers = (event) => event.touches.length > 1 && event.preventDefault();
    floor.addEventListener("touchstart", twoFingers, { passive: false });
    floor.addEventListener("touchmove", twoFingers, { passive: false });
    // A trackpad's pinch is ctrl+wheel everywhere but in Safari, which has events of its own.
    floor.addEventListener("gesturestart", (event) => { event.preventDefault(); this.pinchFrom = this.scaleNow; });
    floor.addEventListener("gesturechange", (event) => {
      event.preventDefault();
      if (!this.pointers.size) this.zoomTo(this.pinchFrom * event.scale, event);
    });
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(root);
    this.onResize = () => this.soon();
    window.addEventListener("resize", this.onResize);
  }

  close() {
    this.watcher.disconnect();
    window.removeEventListener("resize", this.onResize);
    cancelAnimationFrame(this.frameAsked);
    this.root.remove();
  }

  show(data) {
    const moved = this.data && this.data.comparison !== data.comparison;
    this.data = data;
    this.view = viewOf(data.comparison);
    // Another comparison starts from empty plates: its name must never stand on the last one's picture.
    if (moved || this.panes.length !== data.sides.length) {
      for (const pane of this.panes) pane.discard();
      this.panes = data.sides.map(() => new Pane(this));
      this.divider.before(...this.panes.map((pane) => pane.node));
      this.sides = this.panes.map((pane, index) => button("tool", "", () => this.turnTo(index)));
      this.sideGroup.replaceChildren(...this.sides);
    }
    const news = this.panes.map((pane, index) => pane.update(data.sides[index])).filter(Boolean);
    if (news.length) this.say(news.join(" "));
    const names = this.panes.map((pane) => pane.label);
    this.floor.setAttribute("aria-label", names.length > 1 ? `Comparison of ${names.join(" and ")}` : names[0]);
    this.divider.setAttribute("aria-label", `Divider between ${this.panes.map((pane) => pane.side.name).join(" and ")}`);
    this.layout();
  }

  say(text) {
    this.live.textContent = text;
  }

  // ---- what a person asks for ----

  get mode() {
    if (this.panes.length < 2) return "one";
    return this.view.mode ?? (this.root.clientWidth <= NARROW ? "flip" : "side");
  }

  setMode(mode) {
    this.view.mode = mode;
    this.layout();
  }

  turnTo(index) {
    if (this.panes.length < 2) return;
    this.view.mode = "flip";
    this.view.shown = index;
    this.layout();
    this.say(this.panes[index].label);
  }

  flip() {
    this.turnTo(this.mode === "flip" ? 1 - this.view.shown : this.view.shown);
  }

  wipeTo(share) {
    this.view.wipe = clamp(share, 0, 1);
    this.layout();
  }

  get ready() {
    return this.panes.some((pane) => pane.img);
  }

  zoomBy(factor, at) {
    let scale = this.scaleNow * factor;
    // Fit and 1:1 are places to stop at, not to jump over.
    for (const stop of [this.fitNow, 1]) {
      const crosses = (this.scaleNow < stop * 0.999 && scale > stop) || (this.scaleNow > stop * 1.001 && scale < stop);
      if (crosses) scale = stop;
    }
    this.zoomTo(Math.abs(scale / this.fitNow - 1) < 0.002 ? null : scale, at);
  }

  // Zooms to `scale` (screen pixels for one of the picture's, null for fit) and keeps what is under `at` there.
  zoomTo(scale, at) {
    if (!this.ready) return;
    const spot = at && this.spotUnder(at);
    this.view.scale = scale === null ? null : clamp(scale, this.leastScale, this.mostScale);
    if (scale === null) this.view.x = this.view.y = 0.5;
    if (spot) this.hold(spot, at);
    this.layout();
  }

  // Where on the picture (0 to 1) a pointer is.
  spotUnder(at) {
    const index = this.paneUnder(at);
    const { room, x, y, width, height } = this.places[index];
    const floor = this.floor.getBoundingClientRect();
    return {
      index,
      x: clamp((at.clientX - floor.left - room.x - x) / width, 0, 1),
      y: clamp((at.clientY - floor.top - y) / height, 0, 1),
    };
  }

  paneUnder(at) {
    if (this.mode === "flip") return this.view.shown;
    if (this.mode !== "side") return this.panes[0].img || this.panes.length < 2 ? 0 : 1;
    const middle = this.places[1].room.x - this.gap / 2;
    return at.clientX - this.floor.getBoundingClientRect().left < middle ? 0 : 1;
  }

  // Moves the middle so that `spot` of the picture lies under `at` once drawn at the new scale.
  hold(spot, at) {
    this.layout();
    const { room, width, height } = this.places[spot.index];
    const floor = this.floor.getBoundingClientRect();
    this.view.x = spot.x + (room.width / 2 - (at.clientX - floor.left - room.x)) / width;
    this.view.y = spot.y + (room.height / 2 - (at.clientY - floor.top)) / height;
  }

  pan(dx, dy) {
    const { width, height } = this.places[this.reference];
    this.view.x -= dx / width;
    this.view.y -= dy / height;
    this.soon();
  }

  get full() {
    return this.root.classList.contains("full");
  }

  toggleFull() {
    const { root } = this;
    if (this.full) {
      if (this.mount.fullscreenElement === root) document.exitFullscreen();
      else this.popIn();
    } else if (root.requestFullscreen) root.requestFullscreen().catch(() => this.popOut());
    else this.popOut();
  }

  // Phones without full screen for elements: the top layer covers the page as well.
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

  setFull(full) {
    this.root.classList.toggle("full", full);
    this.layout();
    if (!this.mount.activeElement) this.floor.focus({ preventScroll: true });
  }

  // ---- keys ----

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if ((event.key === " " || event.key === "Enter") && event.target.closest("button")) return;
    const acts = this.actFor(letterOf(event), event);
    if (!acts) return;
    // The page has keys of its own; what the stage uses stays in the stage.
    event.preventDefault();
    event.stopPropagation();
    if (!(event.repeat && acts.once)) acts.run();
  }

  actFor(key, event) {
    const two = this.panes.length > 1;
    const once = (run) => ({ run, once: true });
    const again = (run) => ({ run, once: false });
    if (key === "escape") return this.full && this.root.hasAttribute("popover") ? once(() => this.popIn()) : null;
    if (key === "f") return once(() => this.toggleFull());
    if (two && key === " ") return once(() => this.flip());
    if (two && (key === "a" || key === "b")) return once(() => this.turnTo(key === "a" ? 0 : 1));
    if (this.ready && (key === "+" || key === "=")) return again(() => this.zoomBy(STEP));
    if (this.ready && (key === "-" || key === "_")) return again(() => this.zoomBy(1 / STEP));
    if (this.ready && key === "0") return once(() => this.zoomTo(null));
    if (this.ready && key === "1") return once(() => this.zoomTo(1));
    return this.wipeFor(key, event) ?? this.panFor(key);
  }

  wipeFor(key, event) {
    if (this.mode !== "slider") return null;
    const onDivider = event.target === this.divider;
    const step = event.shiftKey ? 0.1 : 0.02;
    const to = {
      arrowleft: this.view.wipe - step,
      arrowright: this.view.wipe + step,
      ...(onDivider && {
        arrowdown: this.view.wipe - step,
        arrowup: this.view.wipe + step,
        pagedown: this.view.wipe - 0.1,
        pageup: this.view.wipe + 0.1,
        home: 0,
        end: 1,
      }),
    }[key];
    return to === undefined ? null : { run: () => this.wipeTo(to), once: false };
  }

  panFor(key) {
    const step = { arrowleft: [60, 0], arrowright: [-60, 0], arrowup: [0, 60], arrowdown: [0, -60] }[key];
    return step && this.pannable ? { run: () => this.pan(...step), once: false } : null;
  }

  // ---- pointers ----

  onWheel(event) {
    if (!(event.ctrlKey || event.metaKey) || !this.ready) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoomBy(Math.exp(clamp(-event.deltaY * lines, -24, 24) * 0.01), event);
  }

  onDouble(event) {
    if (event.target.closest("button, .divider, .message") || (this.lastTouch && this.mode === "flip")) return;
    this.zoomTo(this.view.scale === null ? Math.max(1, this.fitNow * 2) : null, event);
  }

  onDown(event) {
    const words = event.pointerType === "mouse" && event.target.closest(".message > *"); // may be selected
    if (event.button || words || event.target.closest("button")) return;
    this.lastTouch = event.pointerType === "touch";
    this.pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY });
    if (this.pointers.size > 1) {
      this.drag = null;
      return;
    }
    const onDivider = Boolean(event.target.closest(".divider"));
    const wipes = this.mode === "slider" && (onDivider || !this.pannable);
    this.drag = { wipes, fromX: event.clientX, fromY: event.clientY, moved: false, at: event.timeStamp };
    if (wipes && onDivider) this.start(event);
  }

  start(event) {
    this.drag.moved = true;
    this.floor.setPointerCapture(event.pointerId);
    this.floor.classList.toggle("moving", !this.drag.wipes && this.pannable);
  }

  onMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    if (this.pointers.size === 2) {
      this.pinch(event);
      return;
    }
    const { drag } = this;
    if (drag) {
      const far = Math.hypot(event.clientX - drag.fromX, event.clientY - drag.fromY) > MOVED;
      if (!drag.moved && far) this.start(event);
      if (drag.moved && drag.wipes) this.wipeAt(event.clientX);
      else if (drag.moved && this.pannable) this.pan(event.clientX - last.clientX, event.clientY - last.clientY);
      if (!drag.moved) return;
    }
    this.pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY });
  }

  wipeAt(clientX) {
    const { left, right } = this.seen;
    this.view.wipe = clamp((clientX - this.floor.getBoundingClientRect().left - left) / (right - left), 0, 1);
    this.soon();
  }

  pinch(event) {
    const spread = () => {
      const [one, other] = [...this.pointers.values()];
      return {
        size: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1,
        clientX: (one.clientX + other.clientX) / 2,
        clientY: (one.clientY + other.clientY) / 2,
      };
    };
    const before = spread();
    this.pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY });
    const after = spread();
    if (!this.ready) return;
    const spot = this.spotUnder(before);
    this.view.scale = clamp((this.scaleNow * after.size) / before.size, this.leastScale, this.mostScale);
    this.hold(spot, after);
    this.layout();
  }

  onUp(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.floor.classList.remove("moving");
    const { drag } = this;
    this.drag = null;
    const tapped = drag && !drag.moved && event.type === "pointerup" && event.timeStamp - drag.at < 400;
    if (tapped && this.lastTouch && this.mode === "flip") this.flip();
    if (tapped && this.mode === "slider" && drag.wipes) this.wipeAt(event.clientX);
  }

  // ---- drawing ----

  soon() {
    cancelAnimationFrame(this.frameAsked);
    this.frameAsked = requestAnimationFrame(() => this.layout());
  }

  // Places everything. Both panes get the same framing: one scale relative to fit, one point in the middle.
  layout() {
    const width = this.floor.clientWidth;
    if (!width || !this.data) return;
    const { mode, view, panes, full } = this;
    const density = window.devicePixelRatio || 1;
    this.shapeBar(mode);

    // Streamlit's own gap between columns: what stands below the stage in two columns lines up with the pictures.
    this.gap = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    const room = mode === "side" ? Math.floor((width - this.gap) / 2) : width;
    // A picture that is to be judged must fit into the window whole.
    const most = full ? this.root.clientHeight - PADDING : Math.min(this.data.height, this.roomInWindow());
    const cap = Math.max(120, most - this.bar.offsetHeight - BELOW_BAR);
    const shapes = panes.map((pane) => ({ width: pane.side.width_px, height: pane.side.height_px }));
    const needed = Math.max(...shapes.map((shape) => Math.min(cap, (room * shape.height) / shape.width)));
    const height = full ? cap : Math.floor(needed);
    this.floor.style.height = `${height}px`;

    const fits = shapes.map((shape) => Math.min(room / shape.width, height / shape.height));
    this.reference = Math.max(0, panes.findIndex((pane) => pane.img));
    const fit = fits[this.reference];
    this.fitNow = fit * density;
    this.leastScale = Math.min(this.fitNow, 1);
    this.mostScale = Math.max(this.fitNow, LARGEST);
    this.scaleNow = view.scale === null || !this.ready ? this.fitNow : clamp(view.scale, this.leastScale, this.mostScale);
    const framing = this.scaleNow / this.fitNow;

    this.places = panes.map((pane, index) => {
      const zoom = fits[index] * (pane.img ? framing : 1);
      const size = { width: shapes[index].width * zoom, height: shapes[index].height * zoom };
      // Side by side, the pictures meet in the middle, and what is left over stays outside.
      const lean = mode === "side" ? 1 - index : 0.5;
      return {
        room: { x: mode === "side" ? index * (width - room) : 0, width: room, height },
        x: settle(room, size.width, view.x, lean, density),
        y: settle(height, size.height, view.y, 0.5, density),
        ...size,
      };
    });
    this.remember();
    this.floor.className = `floor ${mode}`;
    this.floor.classList.toggle("pannable", this.pannable);
    this.floor.classList.toggle("moving", Boolean(this.drag?.moved && !this.drag.wipes && this.pannable));
    this.floor.classList.toggle("crisp", this.scaleNow > CRISP);
    panes.forEach((pane, index) => this.place(pane, index, mode));
    this.placeDivider(mode);
    this.drawBar(mode);
    this.fitWrapper();
  }

  // What could not be panned to is not wished for either; otherwise the way back would be longer than the way there.
  remember() {
    const { room, x, y, width, height } = this.places[this.reference];
    const wide = width > room.width + 0.5;
    const tall = height > room.height + 0.5;
    this.pannable = this.ready && (wide || tall);
    if (wide) this.view.x = (room.width / 2 - x) / width;
    if (tall) this.view.y = (room.height / 2 - y) / height;
  }

  place(pane, index, mode) {
    const { room, x, y, width, height } = this.places[index];
    const left = Math.max(0, x);
    const right = Math.min(room.width, x + width);
    const top = Math.max(0, y);
    const bottom = Math.min(room.height, y + height);
    const shown = mode !== "flip" || this.view.shown === index;
    put(pane.node, { left: room.x, width: room.width });
    put(pane.frame, { width, height });
    pane.frame.style.transform = `translate(${x}px, ${y}px)`;
    pane.node.classList.toggle("shown", shown);
    pane.node.inert = !shown;
    const share = mode === "slider" ? 0.5 : 1;
    const widest = Math.max(40, (right - left) * share - 16);
    const onRight = mode === "slider" && index === 1;
    put(pane.chip, { top: top + 8, left: onRight ? null : left + 8, right: onRight ? room.width - right + 8 : null });
    pane.chip.style.maxWidth = `${widest}px`;
    put(pane.note, {
      left: onRight ? null : left + 8,
      right: onRight ? room.width - right + 8 : null,
      bottom: room.height - bottom + 18,
    });
    pane.note.style.maxWidth = `${widest}px`;
    put(pane.line, { left: left + 8, width: Math.max(0, right - left - 16), top: bottom - 11 });
  }

  placeDivider(mode) {
    const spans = this.places.map(({ room, x, width }) => [Math.max(0, x), Math.min(room.width, x + width)]);
    this.seen = { left: Math.min(...spans.map(([left]) => left)), right: Math.max(...spans.map(([, right]) => right)) };
    const at = this.seen.left + (this.seen.right - this.seen.left) * this.view.wipe;
    const sliding = mode === "slider";
    this.panes.forEach(({ node }, index) => {
      const [right, left] = index ? [0, at] : [this.places[0].room.width - at, 0];
      node.style.clipPath = sliding ? `inset(0 ${right}px 0 ${left}px)` : "";
    });
    this.divider.hidden = !sliding;
    if (!sliding) return;
    put(this.divider, { left: at });
    const percent = Math.round(this.view.wipe * 100);
    const [one, other] = this.panes.map((pane) => pane.side.name);
    this.divider.setAttribute("aria-valuenow", percent);
    this.divider.setAttribute("aria-valuetext", `${percent} % ${one}, ${100 - percent} % ${other}`);
  }

  // What the toolbar holds decides how tall it is, so this comes before the pictures are placed.
  shapeBar(mode) {
    const two = this.panes.length > 1;
    const narrow = this.root.clientWidth <= NARROW;
    this.root.classList.toggle("narrow", narrow);
    this.modeGroup.hidden = !two;
    this.sideGroup.hidden = mode !== "flip";
    this.minus.hidden = this.plus.hidden = narrow; // two fingers do it better there
    word(this.modes.side, narrow ? "Both" : "Side by side");
    this.drawHints(two, narrow);
  }

  drawBar(mode) {
    for (const [kind, node] of Object.entries(this.modes)) node.setAttribute("aria-pressed", kind === mode);
    this.sides.forEach((node, index) => {
      const { side } = this.panes[index];
      word(node, side.name);
      node.setAttribute("aria-label", side.title ? `Show ${side.name}, ${side.title}` : `Show ${side.name}`);
      node.setAttribute("aria-pressed", mode === "flip" && this.view.shown === index);
    });

    const { ready, scaleNow, fitNow } = this;
    const fitted = this.view.scale === null || Math.abs(scaleNow / fitNow - 1) < 0.002;
    const percent = `${Math.round(scaleNow * 100)} %`;
    for (const node of [this.minus, this.level, this.plus, this.exact]) node.disabled = !ready;
    word(this.level, !ready || fitted ? "Fit" : percent);
    name(this.level, ready ? `Fit, now at ${percent}` : "Fit", "0");
    this.exact.setAttribute("aria-pressed", ready && this.view.scale !== null && Math.abs(scaleNow - 1) < 0.002);

    if (this.enlarge.dataset.full !== String(this.full)) {
      this.enlarge.dataset.full = String(this.full);
      const svg = mark(this.full ? "reduce" : "enlarge");
      svg.setAttribute("width", "16");
      svg.setAttribute("height", "16");
      this.enlarge.replaceChildren(svg);
      name(this.enlarge, this.full ? "Leave full screen" : "Full screen", "f");
    }
  }

  drawHints(two, narrow) {
    const kind = `${two}${narrow}`;
    if (this.hinted === kind) return;
    this.hinted = kind;
    this.hints.replaceChildren();
    if (narrow) return;
    const keys = make("span");
    if (two) keys.append(...["a", "b", "space"].flatMap((key) => [make("kbd", "", key), " "]), "flip");
    this.hints.append(...(two ? [keys] : []), make("span", "", "drag to pan"), make("span", "", "ctrl+wheel to zoom"));
  }

  // Down to the window's edge with the page scrolled to its top, or the whole window when that is too little.
  roomInWindow() {
    const window_ = document.documentElement.clientHeight;
    const scrolled = (this.mount.host ?? this.mount).closest?.('[data-testid="stMain"]')?.scrollTop ?? 0;
    const room = window_ - (this.root.getBoundingClientRect().top + scrolled) - FOOT;
    return room >= LEAST ? room : window_ - MARGIN;
  }

  // Streamlit keeps the height it was told; where the pictures are satisfied with less, the page gets the rest.
  fitWrapper() {
    if (this.full) return;
    let node = this.mount.host ?? this.mount;
    while (node && !node.dataset?.testid?.startsWith("stElementContainer")) node = node.parentElement;
    if (!node) return;
    node.style.height = `${this.root.offsetHeight}px`;
    node.style.flexBasis = "auto";
  }
}

// Where a picture of `size` begins in a room: leaning to one end if it is smaller, else with `middle` in the middle.
function settle(room, size, middle, lean, density) {
  const spare = room - size;
  const start = spare >= 0 ? spare * lean : clamp(room / 2 - middle * size, spare, 0);
  return Math.round(start * density) / density; // on whole screen pixels, or 1:1 would be blurred
}

function put(node, lengths) {
  for (const [side, value] of Object.entries(lengths)) node.style[side] = value === null ? "auto" : `${value}px`;
}

function name(node, label, key) {
  node.setAttribute("aria-label", label);
  node.setAttribute("aria-keyshortcuts", key);
  node.title = `${label} (${key})`;
}

function word(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
