// Geometry: where pictures lie for a way of looking at them, and what a zoom, a pan or a wipe makes of it.
//
// Pure: lengths are in CSS pixels, scales in screen pixels for one of the picture's.

/**
 * @typedef {{ width: number, height: number }} Size
 * @typedef {{ clientX: number, clientY: number }} Point
 * @typedef {{ x: number, y: number }} Spot on a picture, from 0 to 1
 * @typedef {"one" | "side" | "slider" | "flip"} Mode
 *
 * @typedef {{
 *   mode: Mode | null,
 *   shown: number,
 *   scale: number | null,
 *   x: number,
 *   y: number,
 *   wipe: number,
 * }} View how a person looks at a comparison; `scale` is null for "fit", x and y are the spot in the middle
 *
 * @typedef {{ room: Size & { x: number }, x: number, y: number } & Size} Place a picture in its room
 *
 * @typedef {{
 *   places: Place[],
 *   height: number,
 *   fit: number,
 *   scale: number,
 *   least: number,
 *   most: number,
 *   reference: number,
 *   pannable: { x: boolean, y: boolean },
 *   seen: { left: number, right: number },
 * }} Layout `reference` is the picture that scales are said of; `seen` is what a divider runs through
 */

const LARGEST = 16; // screen pixels for one pixel of the picture
const AT_STOP = 0.002; // nearer than this to a stop is on it

/**
 * Before anything was placed.
 * @type {Layout}
 */
export const UNPLACED = {
  places: [],
  height: 0,
  fit: 1,
  scale: 1,
  least: 1,
  most: 1,
  reference: 0,
  pannable: { x: false, y: false },
  seen: { left: 0, right: 0 },
};

export function clamp(/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) {
  return Math.min(Math.max(value, low), high);
}

export function isAt(/** @type {number} */ scale, /** @type {number} */ stop) {
  return Math.abs(scale / stop - 1) < AT_STOP;
}

/**
 * Places pictures on a floor. All get the same framing: one scale relative to fit, one spot in the middle. Changes the
 * view where it asks for more than there is: what could not be panned to is not wished for either, or the way back would
 * be longer than the way there.
 * @param {View} view
 * @param {(Size & { isThere: boolean })[]} pictures
 * @param {{ mode: Mode, width: number, gap: number, cap: number, isFull: boolean, density: number }} floor
 * @returns {Layout}
 */
export function layOut(view, pictures, { mode, width, gap, cap, isFull, density }) {
  const room = mode === "side" ? Math.floor((width - gap) / 2) : width;
  const needed = Math.max(...pictures.map((picture) => Math.min(cap, (room * picture.height) / picture.width)));
  const height = isFull ? cap : Math.floor(needed);
  const fits = pictures.map((picture) => Math.min(room / picture.width, height / picture.height));
  const reference = Math.max(0, pictures.findIndex((picture) => picture.isThere));
  const isReady = pictures[reference].isThere;
  const fit = fits[reference] * density;
  const [least, most] = [Math.min(fit, 1), Math.max(fit, LARGEST)];
  const scale = view.scale === null || !isReady ? fit : clamp(view.scale, least, most);
  const places = pictures.map((picture, index) => {
    const zoom = fits[index] * (picture.isThere ? scale / fit : 1);
    const size = { width: picture.width * zoom, height: picture.height * zoom };
    // Side by side, the pictures meet in the middle, and what is left over stays outside.
    const lean = mode === "side" ? 1 - index : 0.5;
    return {
      room: { x: mode === "side" ? index * (width - room) : 0, width: room, height },
      x: settle(room, size.width, view.x, lean, density),
      y: settle(height, size.height, view.y, 0.5, density),
      ...size,
    };
  });
  const at = places[reference];
  const pannable = { x: isReady && at.width > room + 0.5, y: isReady && at.height > height + 0.5 };
  if (at.width > room + 0.5) view.x = (room / 2 - at.x) / at.width;
  if (at.height > height + 0.5) view.y = (height / 2 - at.y) / at.height;
  const spans = places.map(spanOf);
  const seen = { left: Math.min(...spans.map(({ left }) => left)), right: Math.max(...spans.map(({ right }) => right)) };
  return { places, height, fit, scale, least, most, reference, pannable, seen };
}

/** What is seen of a picture in its room. */
export function spanOf(/** @type {Place} */ { room, x, y, width, height }) {
  return {
    left: Math.max(0, x),
    right: Math.min(room.width, x + width),
    top: Math.max(0, y),
    bottom: Math.min(room.height, y + height),
  };
}

/** The scale after a zoom by a factor, or null for fit: fit and 1:1 are places to stop at, not to jump over. */
export function zoomed(/** @type {Layout} */ { scale, fit }, /** @type {number} */ factor) {
  let wanted = scale * factor;
  for (const stop of [fit, 1]) {
    const crosses = (scale < stop * 0.999 && wanted > stop) || (scale > stop * 1.001 && wanted < stop);
    if (crosses) wanted = stop;
  }
  return isAt(wanted, fit) ? null : wanted;
}

/** The spot of a picture that lies under a point of the floor. */
export function spotUnder(/** @type {Place} */ { room, x, y, width, height }, /** @type {Spot} */ point) {
  return { x: clamp((point.x - room.x - x) / width, 0, 1), y: clamp((point.y - y) / height, 0, 1) };
}

/**
 * The spot to have in the middle, so that another one lies under a point of the floor.
 * @param {Place} place
 * @param {Spot} spot
 * @param {Spot} point
 */
export function middleFor({ room, width, height }, spot, point) {
  return {
    x: spot.x + (room.width / 2 - (point.x - room.x)) / width,
    y: spot.y + (room.height / 2 - point.y) / height,
  };
}

/** The share left of the divider, where that is at x. */
export function wipeAt(/** @type {Layout} */ { seen }, /** @type {number} */ x) {
  return clamp((x - seen.left) / (seen.right - seen.left), 0, 1);
}

/** Where the divider is. */
export function dividerAt(/** @type {Layout} */ { seen }, /** @type {number} */ share) {
  return seen.left + (seen.right - seen.left) * share;
}

/** How far two fingers are apart, and the point between them. */
export function spreadOf(/** @type {Point[]} */ [one, other]) {
  return {
    size: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1,
    clientX: (one.clientX + other.clientX) / 2,
    clientY: (one.clientY + other.clientY) / 2,
  };
}

/**
 * Where a picture of `size` begins in a room: leaning to one end if it is smaller, else with `middle` in the middle.
 * @param {number} room
 * @param {number} size
 * @param {number} middle
 * @param {number} lean
 * @param {number} density
 */
function settle(room, size, middle, lean, density) {
  const spare = room - size;
  const start = spare >= 0 ? spare * lean : clamp(room / 2 - middle * size, spare, 0);
  return Math.round(start * density) / density; // on whole screen pixels, or 1:1 would be blurred
}
