import assert from "node:assert/strict";
import { test } from "node:test";

import { entryFor } from "../../core/ui/components/whole_page/drawer_entries.js";

const at = (/** @type {string} */ path) => `https://studio.example${path}`;
const PAGE = at("/history?text=bowl&made=compare");
const DRAWER = at("/history?text=bowl&made=compare&opened=01A");
const ACT = { below: undefined, isWritten: false, isDeeper: false, isShut: false };
const OPEN = { ...ACT, below: { address: PAGE, steps: 1 } };

test("opening is an entry that knows the page below it", () => {
  assert.deepEqual(entryFor({ ...ACT, here: PAGE, there: DRAWER }), { how: "push", below: { address: PAGE, steps: 1 } });
});

test("another one in its place takes its entry over", () => {
  const there = at("/history?text=bowl&made=compare&opened=01B");
  assert.deepEqual(entryFor({ ...OPEN, here: DRAWER, there }), { how: "replace", below: OPEN.below });
});

test("what leads on is one more entry, and closing goes back over both", () => {
  const there = at("/history?text=bowl&made=compare&opened=01B");
  const on = entryFor({ ...OPEN, isDeeper: true, here: DRAWER, there });
  assert.deepEqual(on, { how: "push", below: { address: PAGE, steps: 2 } });
  assert.deepEqual(entryFor({ ...OPEN, below: on.below, isShut: true, here: there, there: PAGE }), { ...on, how: "back" });
});

test("closing goes back to the same view, however it is spelled", () => {
  const spelled = at("/history?opened=01A&made=compare&text=a+b%7E");
  const known = { ...OPEN, below: { address: at("/history?text=a%20b~&made=compare"), steps: 1 }, isShut: true };
  assert.equal(entryFor({ ...known, here: spelled, there: at("/history?made=compare&text=a+b%7E") }).how, "back");
});

test("a drawer that the tab was loaded with is taken out of its entry", () => {
  assert.deepEqual(entryFor({ ...ACT, isShut: true, here: DRAWER, there: PAGE }), { how: "replace" });
});

test("so is one below which another view lies by now", () => {
  assert.deepEqual(entryFor({ ...OPEN, isShut: true, here: DRAWER, there: at("/history") }), { how: "replace" });
});

test("a page that is left with its drawer open stays behind as it was", () => {
  assert.deepEqual(entryFor({ ...OPEN, here: DRAWER, there: at("/history") }), { how: "push" });
  assert.deepEqual(entryFor({ ...OPEN, here: DRAWER, there: at("/") }), { how: "push" });
});

test("what follows in the same act, or without one, is no entry", () => {
  assert.equal(entryFor({ ...ACT, isWritten: true, here: PAGE, there: DRAWER }).how, "replace");
  assert.equal(entryFor({ ...OPEN, isWritten: true, isShut: true, here: DRAWER, there: PAGE }).how, "replace");
});

test("pages without a drawer are entries as ever", () => {
  assert.deepEqual(entryFor({ ...ACT, here: PAGE, there: at("/references?opened=x.png") }).how, "push");
  assert.deepEqual(entryFor({ ...ACT, here: PAGE, there: at("/") }), { how: "push" });
});
