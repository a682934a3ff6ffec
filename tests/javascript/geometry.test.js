// How pictures lie, and what a zoom, a pan or a wipe makes of it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  dividerAt,
  isAt,
  layOut,
  middleFor,
  spotUnder,
  spreadOf,
  wipeAt,
  zoomed,
} from "../../core/ui/components/geometry.js";

const FLOOR = { mode: "one", width: 800, gap: 16, cap: 600, isFull: false, density: 1 };
const TALL = { width: 1024, height: 1536, isThere: true };
const WIDE = { width: 1536, height: 1024, isThere: true };

function viewWith(changes = {}) {
  return { mode: null, shown: 0, scale: null, x: 0.5, y: 0.5, wipe: 0.5, ...changes };
}

describe("fit", () => {
  test("a picture is whole, in the middle, and as large as the floor lets it be", () => {
    const { places, height, scale, fit } = layOut(viewWith(), [TALL], FLOOR);
    assert.equal(height, 600);
    assert.equal(scale, fit);
    assert.deepEqual(places[0], { room: { x: 0, width: 800, height: 600 }, x: 200, y: 0, width: 400, height: 600 });
  });

  test("a picture that needs less height than there is gives the rest back, but in full screen", () => {
    assert.equal(layOut(viewWith(), [WIDE], FLOOR).height, 533);
    assert.equal(layOut(viewWith(), [WIDE], { ...FLOOR, isFull: true }).height, 600);
  });

  test("side by side two pictures meet in the middle, a gap apart", () => {
    const { places } = layOut(viewWith(), [TALL, TALL], { ...FLOOR, mode: "side", cap: 300 });
    const [left, right] = places.map(({ room, x, width }) => [room.x + x, room.x + x + width]);
    assert.deepEqual([left[1], right[0]], [392, 408]);
  });

  test("a side without a picture is laid out whole, whatever the zoom of the other", () => {
    const plate = { ...TALL, isThere: false };
    const { places, reference, pannable } = layOut(viewWith({ scale: 2 }), [plate, TALL], { ...FLOOR, mode: "side" });
    assert.equal(reference, 1);
    assert.equal(places[0].height, places[0].room.height);
    assert.equal(Math.round(places[1].width), 2048);
    assert.deepEqual(pannable, { x: true, y: true });
  });

  test("without any picture nothing is zoomed or panned", () => {
    const { scale, fit, pannable } = layOut(viewWith({ scale: 3 }), [{ ...TALL, isThere: false }], FLOOR);
    assert.equal(scale, fit);
    assert.deepEqual(pannable, { x: false, y: false });
  });
});

describe("zoom", () => {
  test("1:1 is one screen pixel for one of the picture's on any screen, and begins on a whole one", () => {
    for (const density of [1, 1.5, 2, 3]) {
      const { places, scale } = layOut(viewWith({ scale: 1, x: 0.3337 }), [TALL], { ...FLOOR, density });
      assert.equal(scale, 1);
      assert.ok(Math.abs(places[0].width * density - 1024) < 1e-9);
      assert.ok(Math.abs(places[0].x * density - Math.round(places[0].x * density)) < 1e-9);
    }
  });

  test("two pictures of different sizes keep one framing", () => {
    const small = { width: 512, height: 768, isThere: true };
    const { places } = layOut(viewWith({ scale: 1 }), [TALL, small], { ...FLOOR, mode: "slider" });
    assert.deepEqual([places[0].x, places[0].width], [places[1].x, places[1].width]);
  });

  test("it never goes below fit, or 1:1 where that is smaller, and not above sixteen", () => {
    const small = { width: 10, height: 10, isThere: true };
    assert.equal(layOut(viewWith({ scale: 0.01 }), [TALL], FLOOR).scale, 600 / 1536);
    assert.equal(layOut(viewWith({ scale: 0.01 }), [small], FLOOR).scale, 1);
    assert.equal(layOut(viewWith({ scale: 99 }), [TALL], FLOOR).scale, 16);
  });

  test("a step stops at fit and at 1:1 instead of jumping over them", () => {
    const at = (scale) => ({ ...layOut(viewWith(), [TALL], FLOOR), scale });
    assert.equal(zoomed(at(0.9), 1.25), 1);
    assert.equal(zoomed(at(1.1), 0.8), 1);
    assert.equal(zoomed(at(0.45), 0.8), null);
    assert.equal(zoomed(at(1), 1.25), 1.25);
    assert.ok(isAt(1.001, 1) && !isAt(1.003, 1));
  });

  test("what is under the pointer stays there", () => {
    const view = viewWith({ scale: 1 });
    const point = { x: 350, y: 220 };
    const spot = spotUnder(layOut(view, [TALL], FLOOR).places[0], point);
    view.scale = 2.5;
    Object.assign(view, middleFor(layOut(view, [TALL], FLOOR).places[0], spot, point));
    const after = spotUnder(layOut(view, [TALL], FLOOR).places[0], point);
    assert.ok(Math.hypot(after.x - spot.x, after.y - spot.y) < 0.001);
  });

  test("two fingers have a spread, even on one point, and a middle", () => {
    const at = (clientX, clientY) => ({ clientX, clientY });
    assert.deepEqual(spreadOf([at(0, 0), at(30, 40)]), { size: 50, clientX: 15, clientY: 20 });
    assert.equal(spreadOf([at(5, 5), at(5, 5)]).size, 1);
  });
});

describe("pan", () => {
  test("a picture is never pulled off its edge, and the way back is as long as the way there", () => {
    const view = viewWith({ scale: 1, x: -3, y: 7 });
    const { places } = layOut(view, [TALL], FLOOR);
    assert.deepEqual([places[0].x, places[0].y], [0, 600 - 1536]);
    view.x += 10 / 1024;
    assert.equal(layOut(view, [TALL], FLOOR).places[0].x, -10);
  });
});

describe("wipe", () => {
  test("the divider runs through what is seen of the pictures, from end to end", () => {
    const layout = layOut(viewWith(), [TALL, TALL], { ...FLOOR, mode: "slider" });
    assert.deepEqual([0, 0.25, 1].map((share) => dividerAt(layout, share)), [200, 300, 600]);
    assert.deepEqual([0, 300, 900].map((x) => wipeAt(layout, x)), [0, 0.25, 1]);
  });
});
