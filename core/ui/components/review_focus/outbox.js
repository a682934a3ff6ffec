// What the review desk has in its outbox, and the shelf on which its tab keeps it.

/** @import { Shelf } from "../outbox.js" */

/**
 * What a person did about an item; `values` are the corrected fields alone, null for unsure.
 *
 * @typedef {{
 *   id: string,
 *   kind: "accept" | "correct" | "skip" | "settle" | "undo" | "seen",
 *   item: string,
 *   seen: string,
 *   values: Record<string, string | null>,
 *   undoes?: string,
 *   posted?: boolean,
 * }} Decision
 */

/**
 * In the session storage: of this tab alone.
 * @param {string} key
 * @returns {Shelf<Decision>}
 */
export function tabShelf(key) {
  const stored = `studio.review.${key}`;
  return {
    read() {
      const kept = JSON.parse(sessionStorage.getItem(stored) ?? "null");
      return Array.isArray(kept?.outbox) ? kept.outbox : [];
    },
    write(outbox) {
      if (outbox.length) sessionStorage.setItem(stored, JSON.stringify({ outbox }));
      else sessionStorage.removeItem(stored);
    },
  };
}

/** To settle one field, to take something back or to put a message aside leaves the picture to be decided about. */
export function decides(/** @type {Decision} */ { kind }) {
  return kind === "accept" || kind === "correct" || kind === "skip";
}
