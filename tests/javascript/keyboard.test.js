// What a press of a key means to a shortcut, on layouts of every kind.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { commandOf, isChord, isComposing, keyOf, labelOf } from "../../core/ui/components/keyboard.js";

const SHIFT = { shiftKey: true };
const NUMBERED = Array.from({ length: 10 }, (_, digit) => String(digit));

function press(key, code, more = {}) {
  return { key, code, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, ...more };
}

describe("a shortcut", () => {
  const places = [
    ["Korean on macOS", "ㅁ", "KeyA", "a"],
    ["Korean with Shift", "ㅆ", "KeyT", "t", SHIFT],
    ["Korean on its way to an input method", "Process", "KeyA", "a"],
    ["Japanese", "ち", "KeyA", "a"],
    ["Russian", "ф", "KeyA", "a"],
    ["Greek", "α", "KeyA", "a"],
    ["Hebrew, which types a sign", "/", "KeyQ", "q"],
    ["Thai, which types a sign", "-", "Digit3", "3"],
    ["Arabic", "ش", "KeyA", "a"],
    ["AZERTY", "q", "KeyA", "a"],
    ["AZERTY, where A is", "a", "KeyQ", "q"],
    ["QWERTZ", "y", "KeyZ", "z"],
    ["Dvorak", "o", "KeyS", "s"],
    ["Dvorak, where S is", "s", "Semicolon", ""],
    ["AZERTY's digits", "&", "Digit1", "1"],
    ["AZERTY's six, which types a sign", "-", "Digit6", "6"],
    ["AZERTY's digits with Shift", "6", "Digit6", "6", SHIFT],
    ["Arabic digits", "٣", "Digit3", "3"],
    ["Persian digits of the number pad", "۳", "Numpad3", "3"],
    ["a dead key", "Dead", "KeyN", "n"],
    ["Caps Lock", "A", "KeyA", "a"],
  ];
  for (const [name, key, code, meant, more] of places) {
    test(`goes by the place of the key: ${name}`, () => assert.equal(keyOf(press(key, code, more)), meant));
  }

  const signs = [
    ["US, plus", "+", "Equal", "+", SHIFT],
    ["US, plus without Shift", "=", "Equal", "+"],
    ["US, minus", "-", "Minus", "-"],
    ["US, minus with Shift", "_", "Minus", "-", SHIFT],
    ["US, question mark", "?", "Slash", "?", SHIFT],
    ["US, slash", "/", "Slash", ""],
    ["German, plus", "+", "BracketRight", "+"],
    ["German, minus", "-", "Slash", "-"],
    ["German, question mark", "?", "Minus", "?", SHIFT],
    ["Swedish, plus", "+", "Minus", "+"],
    ["Swiss, plus", "+", "Digit1", "+", SHIFT],
    ["French, question mark", "?", "KeyM", "?", SHIFT],
    ["Russian, question mark", "?", "Digit7", "?", SHIFT],
    ["Arabic, question mark", "؟", "Slash", "?", SHIFT],
    ["number pad, plus", "+", "NumpadAdd", "+"],
    ["number pad, minus", "-", "NumpadSubtract", "-"],
    ["space", " ", "Space", " "],
    ["Japanese space", "\u3000", "Space", " "],
  ];
  for (const [name, key, code, meant, more] of signs) {
    test(`finds a sign where it can be read: ${name}`, () => assert.equal(keyOf(press(key, code, more)), meant));
  }

  test("has the digits of the number pad, and its arrows where those are switched on", () => {
    for (const digit of NUMBERED) assert.equal(keyOf(press(digit, `Numpad${digit}`)), digit);
    assert.equal(keyOf(press("ArrowLeft", "Numpad4")), "arrowleft");
    assert.equal(keyOf(press("Enter", "NumpadEnter")), "enter");
  });

  const placeless = [["a", "a"], ["A", "a"], ["7", "7"], ["?", "?"], ["？", "?"], ["=", "+"], ["−", "-"], [" ", " "]];
  for (const [key, meant] of [...placeless, ["Escape", "escape"], ["Unidentified", ""], ["", ""]]) {
    test(`goes by what is typed where no place is told: ${key}`, () => {
      assert.equal(keyOf(press(key, "")), meant);
      assert.equal(keyOf(press(key, "Unidentified")), meant);
    });
  }

  test("is nothing that a browser fills in by itself", () => {
    assert.equal(keyOf({}), "");
    assert.equal(commandOf({}), "");
  });
});

describe("a command with Ctrl or ⌘", () => {
  for (const [key, code, meant] of [
    ["z", "KeyZ", "z"],
    ["Z", "KeyZ", "z"],
    ["z", "KeyY", "z"], // German
    ["a", "KeyQ", "a"], // French, where the key at A quits the browser
    ["ㅋ", "KeyZ", "z"],
    ["я", "KeyZ", "z"],
    ["Process", "KeyA", "a"],
    ["z", "", "z"],
  ]) {
    test(`is the letter that is typed, else the one of its place: ${key} at ${code}`, () => {
      assert.equal(commandOf(press(key, code)), meant);
    });
  }
});

describe("a press", () => {
  for (const held of ["ctrlKey", "metaKey", "altKey"]) {
    test(`with ${held} is no plain one`, () => assert.ok(isChord(press("a", "KeyA", { [held]: true }))));
  }
  test("with AltGr is no plain one", () => {
    assert.ok(isChord(press("ą", "KeyA", { getModifierState: (name) => name === "AltGraph" })));
    assert.ok(!isChord(press("a", "KeyA", { getModifierState: () => false })));
    assert.ok(!isChord(press("A", "KeyA", SHIFT)));
  });

  test("belongs to an input method in a text field alone, unless it says so itself", () => {
    globalThis.Element = class {
      constructor(name) {
        this.name = name;
      }

      matches(selector) {
        return selector.includes(this.name);
      }
    };
    const [area, desk] = [new Element("textarea"), new Element("div")];
    assert.ok(isComposing(press("Enter", "Enter", { isComposing: true, target: desk })));
    assert.ok(isComposing(press("Enter", "Enter", { keyCode: 229, target: area })));
    assert.ok(!isComposing(press("Process", "KeyA", { keyCode: 229, target: desk })));
    assert.ok(!isComposing(press("Enter", "Enter", { keyCode: 13, target: area })));
  });
});

describe("a key's label", () => {
  const script = "../../core/ui/components/keyboard.js";

  /** The labels by a layout, and whether who shows them was told. */
  async function labelsBy(layout, name) {
    Object.defineProperty(globalThis, "navigator", { value: { keyboard: layout }, configurable: true });
    const { labelOf: label, onLabels } = await import(`${script}?${name}`);
    let told = 0;
    onLabels(() => (told += 1));
    await new Promise(setImmediate);
    return { told, of: (letters) => [...letters].map(label).join("") };
  }
  const layoutOf = (labels) => ({ getLayoutMap: async () => new Map(Object.entries(labels)) });

  test("is the letter until somebody says otherwise", () => assert.equal(labelOf("a"), "A"));

  test("is what the person's keyboard has there", async () => {
    const french = await labelsBy(layoutOf({ KeyA: "q", KeyQ: "a", KeyZ: "w", KeyM: ",", Digit1: "&" }), "french");
    assert.equal(french.of("aszm"), "QSW,");
    assert.equal(french.told, 1);
  });

  for (const [name, layout] of [
    ["on a US keyboard", layoutOf({ KeyA: "a", KeyS: "s", KeyZ: "z" })],
    ["on a keyboard of another script", layoutOf({ KeyA: "ㅁ", KeyS: "ы", KeyZ: " " })],
    ["where a browser does not say", undefined],
    ["where a page may not ask", { getLayoutMap: async () => { throw new Error("SecurityError"); } }],
  ]) {
    test(`is the letter ${name}`, async () => {
      const labels = await labelsBy(layout, encodeURIComponent(name));
      assert.equal(labels.of("asz"), "ASZ");
      assert.equal(labels.told, 0);
    });
  }
});
