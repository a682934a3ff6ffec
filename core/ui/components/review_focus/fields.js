// The fields of the review desk: what is said of a picture, by whom, how sure, and what else could be said.

import { element, setAttributes } from "../dom.js";
/** @import { Attributes } from "../dom.js" */
/** @import { FocusField, FocusValue } from "../shapes.js" */

const LOW = 0.6; // less sure than this is to be seen
/** @type {FocusValue} */
const UNSAID = { value: null, by: "", confidence: null, others: [] };

/**
 * One field; `drafted` is what the person has set it to, undefined where that is nothing.
 * @param {FocusField} field
 * @param {FocusValue | undefined} said
 * @param {string | null | undefined} drafted
 * @param {string} digit
 * @param {boolean} isOpen
 */
export function fieldOf(field, said = UNSAID, drafted, digit, isOpen) {
  const value = drafted === undefined ? said.value : drafted;
  const text = element(
    "span",
    "text",
    element("span", "name", field.label),
    element("span", value === null ? "value unsaid" : "value", shown(field, value)),
  );
  if (drafted !== undefined && said.value !== null) text.append(element("s", "before", shown(field, said.value)));
  const head = action("edit", { "data-name": field.name, class: "head", "aria-expanded": isOpen });
  head.append(element("kbd", "", digit), text, surety(said, drafted !== undefined));
  const box = element("div", { class: isOpen ? "field open" : "field", "data-field": field.name }, head);
  box.append(...said.others.map((other) => element("p", "other", other)));
  if (isOpen) box.append(editor(field, value));
  return box;
}

/**
 * What can be said of a field, in the order of the digits.
 * @param {FocusField} field
 * @returns {{ value: string | null, label: string }[]}
 */
export function choicesOf(field) {
  return [...field.choices, { value: null, label: unsaid(field) }];
}

/**
 * A button that says what it does to the desk.
 * @param {string} what
 * @param {Attributes} looks
 * @param {...(Node | string)} content
 */
export function action(what, looks = {}, ...content) {
  return element("button", { type: "button", "data-do": what, ...looks }, ...content);
}

function shown(/** @type {FocusField} */ field, /** @type {string | null} */ value) {
  if (value === null) return unsaid(field);
  return field.choices.find((choice) => choice.value === value)?.label ?? value;
}

/** Of a picture one can be unsure; that nobody has noted anything is certain. */
function unsaid(/** @type {FocusField} */ field) {
  return field.choices.length ? "unsure" : "none";
}

function surety(/** @type {FocusValue} */ said, /** @type {boolean} */ isDrafted) {
  if (isDrafted) return element("span", "surety", element("span", "", "you"));
  if (said.confidence === null) {
    return element("span", "surety", element("span", "", said.value === null ? "" : said.by));
  }
  const percent = Math.round(said.confidence * 100);
  const low = said.confidence < LOW ? " low" : "";
  const bar = element("span", `bar${low}`);
  bar.style.setProperty("--part", `${percent}%`);
  const looks = { class: "surety", title: `${said.by}: ${percent} % sure` };
  return element("span", looks, element("span", `percent${low}`, `${percent} %`), bar);
}

function editor(/** @type {FocusField} */ field, /** @type {string | null} */ value) {
  const box = element("div", "choices");
  choicesOf(field).forEach((choice, index) => {
    const each = action("set", { "data-name": field.name, "data-value": choice.value ?? "" });
    if (index < 9) each.append(element("kbd", "", String(index + 1)));
    each.append(choice.label);
    setAttributes(each, { "aria-pressed": choice.value === value });
    box.append(each);
  });
  if (field.is_free) {
    const input = element("input", { placeholder: "other, then Enter", maxlength: 60, "aria-label": field.label });
    input.value = value ?? "";
    box.append(input);
  }
  return box;
}
