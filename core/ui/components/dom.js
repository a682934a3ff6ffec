// What every component is made with: elements, icons, and its turns at telling the server.

/**
 * What Streamlit calls a component with. The clean-up that a component returns is run also for a call that a newer one
 * has replaced: only where the mount point is gone, too, has the component gone.
 *
 * @template Data
 * @typedef {{
 *   data: Data,
 *   parentElement: ShadowRoot,
 *   setStateValue: (name: string, value: unknown) => void,
 *   setTriggerValue: (name: string, value: unknown) => void,
 * }} Mount
 */

/** @typedef {Record<string, string | number | boolean | null>} Attributes */

/**
 * What is kept under a key, made when it is asked for first.
 * @template K
 * @template V
 * @param {{ get(key: K): V | undefined, set(key: K, value: V): unknown }} kept
 * @param {K} key
 * @param {() => V} make
 */
export function keptUnder(kept, key, make) {
  const found = kept.get(key) ?? make();
  kept.set(key, found);
  return found;
}

// ---- elements

/**
 * An element with a class, or with attributes, and with what is in it.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string | Attributes} looks
 * @param {...(Node | string)} content
 */
export function element(tag, looks = "", ...content) {
  const node = document.createElement(tag);
  if (typeof looks !== "string") setAttributes(node, looks);
  else if (looks) node.className = looks;
  node.append(...content);
  return node;
}

export function button(/** @type {string} */ looks, /** @type {string} */ label, /** @type {() => void} */ act) {
  const node = element("button", { type: "button", class: looks }, label);
  node.addEventListener("click", act);
  return node;
}

/**
 * A button that says what it does: whoever holds it listens for all of its kind.
 * @param {string} what
 * @param {Attributes} looks
 * @param {...(Node | string)} content
 */
export function action(what, looks = {}, ...content) {
  return element("button", { type: "button", "data-do": what, ...looks }, ...content);
}

/** Sets attributes; one that is null goes. */
export function setAttributes(/** @type {Element} */ node, /** @type {Attributes} */ attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
  }
}

/** Sets a text unless it is there already, so that a selection in it survives and nobody hears it twice. */
export function setText(/** @type {Element} */ node, /** @type {string} */ text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Strokes on a grid, 24 × 24 unless said otherwise. */
export function icon(/** @type {string} */ strokes, /** @type {Attributes} */ looks = {}) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  setAttributes(svg, {
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.6,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": true,
    ...looks,
  });
  setAttributes(path, { d: strokes });
  svg.append(path);
  return svg;
}

/**
 * The nearest element around what an event met that fits a selector.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function around(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

// ---- keys, which keyboard.js reads

/** What a component does with a key is not for the page, which has keys of its own. */
export function take(/** @type {Event} */ event) {
  event.preventDefault();
  event.stopPropagation();
}

// ---- turns

/**
 * Tells the server in numbered turns, at once or after a pause: what it says of an older turn takes nothing back that a
 * person has done since.
 */
export class Turns {
  turn = 0;
  waits = false; // there is something to tell
  timer = 0;

  constructor(/** @type {number} */ pause_ms = 0) {
    this.pause_ms = pause_ms;
    this.tell = () => {};
  }

  /** Told after a pause, and then once. */
  soon() {
    this.rest();
    this.waits = true;
    this.timer = setTimeout(() => this.now(), this.pause_ms);
  }

  now() {
    this.next();
    this.tell();
  }

  /** The number of a turn that is told otherwise. */
  next() {
    this.rest();
    this.waits = false;
    return (this.turn += 1);
  }

  flush() {
    if (this.waits) this.now();
  }

  /** What waits stays untold for now. */
  rest() {
    clearTimeout(this.timer);
  }
}
