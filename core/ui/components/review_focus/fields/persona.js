// The person on the desk's picture elsewhere: their other pictures, what those say, and one value for all of them.

import { action, element } from "../../dom.js";
import { keycap } from "../../keyboard.js";
/** @import { FocusField, FocusItem, Persona, PersonaTile } from "../../shapes.js" */

const TILES = 10;

/** "Ada elsewhere: feminine ×6, masculine ×1", or "" where nothing is said elsewhere. */
export function elsewhereOf(/** @type {Persona} */ persona, /** @type {string} */ item, /** @type {string} */ name) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { says } of othersOf(persona, item)) {
    const words = says[name];
    if (words) counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const parts = [...counts].sort((one, other) => other[1] - one[1]).map(([words, count]) => `${words} ×${count}`);
  return parts.length ? `${persona.name} elsewhere: ${parts.join(", ")}` : "";
}

/**
 * The persona's other pictures, those first whose label says something else in one of the fields.
 * @param {Persona} persona
 * @param {FocusItem} item
 * @param {FocusField[]} fields
 */
export function personaStrip(persona, item, fields) {
  const personal = fields.filter((field) => field.is_personal);
  const differs = (/** @type {PersonaTile} */ { says }) =>
    personal.filter(({ name }) => says[name] && says[name] !== item.values[name]?.value).length;
  const others = othersOf(persona, item.id).sort((one, other) => differs(other) - differs(one));
  const tiles = others.slice(0, TILES).map((each) => {
    const words = personal.map(({ name }) => each.says[name]).filter(Boolean).join(", ");
    const by = [...new Set(Object.values(each.decided_by))].join(", ");
    const title = [each.alt, words, by && `decided by ${by}`].filter(Boolean).join("\n");
    const picture = element("img", { src: each.thumbnail_url, alt: `${each.alt}: ${words}`, loading: "lazy" });
    return element("span", { class: differs(each) ? "other differs" : "other", title }, picture);
  });
  const rest = others.length - tiles.length + persona.more;
  if (rest > 0) tiles.push(element("span", "rest", `+${rest.toLocaleString("en")}`));
  const label = `${persona.name} elsewhere`;
  return element("div", { class: "persona", role: "group", "aria-label": label }, ...tiles);
}

/**
 * One press for all pictures of a person; it says how many people have decided otherwise, whose word stays.
 * @param {Persona} persona
 * @param {string} item
 * @param {FocusField} field
 * @param {string} words
 */
export function settleButton(persona, item, field, words) {
  const others = othersOf(persona, item);
  const stay = others.filter(({ says, decided_by }) => decided_by[field.name] && says[field.name] !== words).length;
  const all = others.length + persona.more + 1 - stay;
  const except = stay ? `, ${stay} decided otherwise ${stay === 1 ? "stays" : "stay"}` : "";
  const label = `${words} on ${stay ? "" : "all "}${all.toLocaleString("en")} of ${persona.name}${except}`;
  return action("settle", { class: "settle", "data-name": field.name }, keycap("P"), label);
}

function othersOf(/** @type {Persona} */ persona, /** @type {string} */ item) {
  return persona.pictures.filter(({ id }) => id !== item);
}
