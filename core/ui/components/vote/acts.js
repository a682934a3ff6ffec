// What the vote desk has in its outbox, and the shelf that keeps it in the browser until the server has it.
//
// The shelf is the local storage, an entry an act: a tab that was closed is no loss, and any tab of its person sends what
// is there. Which of them does makes no difference, for a ballot counts once.

/** @import { Shelf } from "../outbox.js" */

/**
 * `token` is empty for an answer to a ballot whose former answer, on the ballot `of`, is being taken back, and for its
 * skip: the server has yet to say its token.
 *
 * @typedef {{
 *   id: string,
 *   does: "vote" | "undo" | "skip" | "reveal" | "doubt",
 *   token: string,
 *   answer?: "left" | "right" | "tie" | "both-bad",
 *   reasons?: string[],
 *   seconds?: number,
 *   of?: string,
 *   posted?: boolean,
 * }} Act
 */

/** What each answer says. */
export const ANSWER_WORDS = { left: "Left is better", right: "Right is better", tie: "Tie", "both-bad": "Both bad" };

let made = 0;

/** An id that sorts by when it was made, also among tabs. */
export function actId() {
  made += 1;
  const parts = [Date.now().toString(36).padStart(9, "0"), made.toString(36).padStart(5, "0")];
  return [...parts, Math.random().toString(36).slice(2, 10)].join("-");
}

/**
 * @param {string} owner
 * @returns {Shelf<Act>}
 */
export function sharedShelf(owner) {
  const prefix = `studio.votes.${owner}.`;
  /** @type {Map<string, string>} what this tab knows to lie there */
  const lying = new Map();
  return {
    read() {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix)).sort();
      /** @type {Act[]} */
      const acts = [];
      for (const key of keys) {
        const act = actIn(localStorage.getItem(key));
        if (act) {
          acts.push(act);
          lying.set(act.id, "");
        } else localStorage.removeItem(key);
      }
      return acts;
    },
    write(acts) {
      const still = new Set(acts.map(({ id }) => id));
      for (const id of lying.keys()) {
        if (still.has(id)) continue;
        localStorage.removeItem(prefix + id);
        lying.delete(id);
      }
      for (const act of acts) {
        const text = JSON.stringify({ ...act, posted: undefined });
        if (lying.get(act.id) === text) continue;
        localStorage.setItem(prefix + act.id, text);
        lying.set(act.id, text);
      }
    },
  };
}

/** @returns {Act | null} null for what is damaged */
function actIn(/** @type {string | null} */ text) {
  try {
    const act = JSON.parse(text ?? "null");
    return typeof act?.id === "string" && typeof act.does === "string" && typeof act.token === "string" ? act : null;
  } catch {
    return null;
  }
}
