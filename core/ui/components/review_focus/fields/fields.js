// The fields of the review desk: what is said of a picture, by whom, how sure, and what else could be said.

import { action, element, setAttributes } from "../../dom.js";
import { keycap } from "../../keyboard.js";
import { elsewhereOf, settleButton } from "./persona.js";
/** @import { FocusField, FocusItem, FocusValue, Persona } from "../../shapes.js" */

const LOW = 0.6; // less sure than this is to be seen
const LIKELY_WRONG = 0.3; // and so is what is wrong more often than this
const DIGITS = 9; // choices that have one
/** @type {FocusValue} */
const UNSAID = { value: null, by: "", confidence: null, others: [], wrong: null };

/**
 * What a field is drawn of; `drafted` is what the person has set it to, undefined where that is nothing.
 *
 * @typedef {{
 *   item: FocusItem,
 *   persona: Persona | undefined,
 *   drafted: string | null | undefined,
 *   digit: string,
 *   isOpen: boolean,
 *   isTyping: boolean,
 * }} State
 */

export function fieldOf(/** @type {FocusField} */ field, /** @type {State} */ state) {
  const { item, drafted, isOpen, persona } = state;
  const said = item.values[field.name] ?? UNSAID;
  const value = drafted === undefined ? said.value : drafted;
  const text = element(
    "span",
    "text",
    element("span", "name", field.label),
    element("span", value === null ? "value unsaid" : "value", wordsOf(field, value)),
  );
  if (drafted !== undefined && said.value !== null) text.append(element("s", "before", wordsOf(field, said.value)));
  const head = action("edit", { "data-name": field.name, class: "head", "aria-expanded": isOpen });
  head.append(keycap(state.digit), text, surety(said, drafted !== undefined));
  const box = element("div", { class: isOpen ? "field open" : "field", "data-field": field.name }, head);
  if (said.wrong !== null && said.wrong >= LIKELY_WRONG) {
    box.append(element("p", "other doubt", `likely wrong, ${percentOf(said.wrong)}`));
  }
  box.append(...said.others.map((other) => element("p", "other", other)));
  const elsewhere = persona && field.is_personal ? elsewhereOf(persona, item.id, field.name) : "";
  if (elsewhere) box.append(element("p", "other", elsewhere));
  if (!isOpen) return box;
  box.append(editor(field, value, state.isTyping));
  if (persona && field.is_personal && value !== null) {
    box.append(settleButton(persona, item.id, field, wordsOf(field, value)));
  }
  return box;
}

/** The value that a digit chooses in a field, undefined for none. */
export function chosenBy(/** @type {FocusField} */ field, /** @type {number} */ digit) {
  return digit === 0 ? null : field.choices[digit - 1]?.value;
}

export function wordsOf(/** @type {FocusField} */ field, /** @type {string | null} */ value) {
  if (value === null) return unsaid(field);
  return field.choices.find((choice) => choice.value === value)?.label ?? value;
}

export function percentOf(/** @type {number} */ share) {
  return `${Math.round(share * 100)} %`;
}

/** Of a picture one can be unsure; that nobody has noted anything is certain. */
function unsaid(/** @type {FocusField} */ field) {
  return field.choices.length ? "unsure" : "none";
}

function surety(/** @type {FocusValue} */ said, /** @type {boolean} */ isDrafted) {
  if (isDrafted) return element("span", "surety", element("span", "", "you"));
  if (said.confidence === null) {
    const by = said.value === null ? "" : said.by;
    return element("span", { class: "surety", title: by }, element("span", "by", by));
  }
  const percent = percentOf(said.confidence);
  const low = said.confidence < LOW ? " low" : "";
  const bar = element("span", `bar${low}`);
  bar.style.setProperty("--part", `${Math.round(said.confidence * 100)}%`);
  const looks = { class: "surety", title: `${said.by}: ${percent} sure` };
  return element("span", looks, element("span", `percent${low}`, percent), bar);
}

/** Choices that digits choose; to write something else is a choice of its own, with a key of its own. */
function editor(/** @type {FocusField} */ field, /** @type {string | null} */ value, /** @type {boolean} */ isTyping) {
  const box = element("div", "choices");
  field.choices.forEach((choice, index) => {
    box.append(choiceOf(field, choice.value, index < DIGITS ? String(index + 1) : "", choice.value === value));
  });
  box.append(choiceOf(field, null, "0", value === null));
  if (!field.is_free) return box;
  if (isTyping) {
    const looks = { placeholder: "Enter keeps it, Esc leaves", maxlength: 60, "aria-label": field.label };
    const input = element("input", looks);
    input.value = value ?? "";
    box.append(input);
  } else {
    const isOther = value !== null && !field.choices.some((choice) => choice.value === value);
    box.append(action("type", { "aria-pressed": isOther }, keycap("T"), "other…"));
  }
  return box;
}

/**
 * @param {FocusField} field
 * @param {string | null} value
 * @param {string} digit
 * @param {boolean} isPressed
 */
function choiceOf(field, value, digit, isPressed) {
  const each = action("set", { "data-name": field.name, "data-value": value ?? "" });
  if (digit) each.append(keycap(digit));
  each.append(wordsOf(field, value));
  setAttributes(each, { "aria-pressed": isPressed });
  return each;
}
