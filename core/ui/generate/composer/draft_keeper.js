// The draft keeper: keeps what is not sent yet in this browser, and hands it to a server that does not know it.
//
// A draft lies under an id that this tab holds a lock on, so the draft of a live tab is nobody else's to take up.
// The server says what it has drawn; what was typed and picked since then is read from its parts.

import { ASIDE, charsOf, draftKeys, DRAFTS, LEFT, screen, TAB } from "../../components/draft_in_browser.js";
import { onReturn } from "../../components/streamlit_page.js";
/** @import { Mount } from "../../components/dom.js" */
/** @import { DrawnData, OwnerData } from "../../components/shapes.js" */

/**
 * @typedef {Pick<DrawnData, "shown" | "draft" | "heard" | "unsent">} Shown
 * @typedef {{ number: number, from: string, aside: Kept["draft"] | null }} Beside
 * @typedef {{ at: number, shown: string | null, draft: Record<string, unknown> }} Kept
 */

const KEPT_MS = 7 * 24 * 3600 * 1000;
const KEPT_MAX = 12;
const LENGTH_MAX = 100_000;
const PATIENCE_MS = 1000; // of a page that is loaded anew, for the lock of the page before it
/** @type {Record<string, string>} and the parts that know them first */
const FIELDS = { prompt: "prompt", tone: "tone_tiles", angle: "angle_tiles" };

class Tab {
  owner = ""; // the person's pseudonym
  id = ""; // of this tab's draft
  /** @type {string | null} the id from before the page was loaded anew */
  own = null;
  /** @type {Promise<boolean> | null} whether that one's lock could be had, or another tab has it */
  isOwn = null;
  aside = ""; // the id of the draft that gave way to a comparison in this tab
  held = ""; // the id whose lock this tab holds
  /** @type {(() => void) | null} */
  release = null;
  /** @type {((message: Shown & Beside) => void) | null} hands something to the server */
  tell = null;
  /** @type {(problem: string) => void} says why a draft is not kept, or that it is */
  report = () => {};
  problem = "";
  told = 0; // counts what was handed over
  /** @type {Shown | null} what was handed over and is not taken yet */
  pending = null;
  /** @type {DrawnData | null} what the server drew last */
  latest = null;
  /** @type {DrawnData | null} the same, once it is what this tab is about */
  drawn = null;
  /** @type {{ field: string, value: unknown, number: number }[]} what the person did last and no server has heard yet */
  unheard = [];
  isKept = false;
  isChoosing = false;
  isOver = false; // somebody signed out: nothing is written any more
}

const tab = new Tab();

/** @param {Mount<OwnerData | DrawnData>} mount */
export default function ({ data, setStateValue }) {
  if (!("owner" in data)) {
    tab.report = (problem) => setStateValue("problem", { says: problem });
    tab.latest = data;
    follow();
  } else if (data.owner === null) {
    forget();
  } else {
    meet(data.owner, (message) => setStateValue("kept", message));
  }
}

function meet(/** @type {string} */ owner, /** @type {NonNullable<Tab["tell"]>} */ tell) {
  if (tab.owner && tab.owner !== owner) {
    begin();
    return;
  }
  tab.tell = tell;
  if (tab.owner) return;
  listen();
  tab.owner = owner;
  tidy();
  tab.own = attempt(() => sessionStorage.getItem(TAB), null);
  tab.aside = attempt(() => sessionStorage.getItem(ASIDE), null) ?? "";
  tab.isOwn = tab.own ? lock(tab.own, PATIENCE_MS) : null; // on whatever page: it stays this tab's
  follow();
}

/** Somebody else has signed in: what is on this screen, and waits in it to be sent, is not theirs. */
function begin() {
  tab.isOver = true;
  location.reload();
}

function listen() {
  screen.addEventListener("change", save);
  screen.addEventListener("left", () => (tab.isOver = true));
  addEventListener("storage", ({ key, newValue }) => {
    if (key === null || key === LEFT || (key === keyOf(tab.id) && newValue === null)) tab.isOver = true;
  });
  onReturn(comeBack);
}

function comeBack() {
  if (tab.drawn) handOver(onScreen(tab.drawn), tab.drawn.session);
  else if (tab.pending) handOver(tab.pending, "");
}

function handOver(/** @type {Shown} */ kept, /** @type {string} */ from) {
  tab.told += 1;
  tab.pending = kept;
  tab.unheard = [];
  tab.tell?.({ ...kept, number: tab.told, from, aside: draftAside() });
}

/** What was set aside in this tab, unless another tab has taken it up and sent it. */
function draftAside() {
  return tab.aside ? (read(keyOf(tab.aside))?.draft ?? null) : null;
}

function setAside(/** @type {string} */ id) {
  if (tab.aside === id) return;
  tab.aside = id;
  attempt(() => (id ? sessionStorage.setItem(ASIDE, id) : sessionStorage.removeItem(ASIDE)), undefined);
}

/** What the server has drawn counts once it has taken what was handed over to it. */
function follow() {
  const data = tab.latest;
  if (!data || !tab.tell || tab.isChoosing) return;
  if (tab.pending) {
    if (data.taken >= tab.told) accept(data);
  } else if (!tab.drawn) {
    tab.isChoosing = true;
    choose(data.shown).then((kept) => {
      tab.isChoosing = false;
      const now = tab.latest ?? data;
      if (kept) handOver({ shown: kept.shown, draft: kept.draft, heard: {}, unsent: true }, "");
      else if (draftAside()) handOver(onScreen(now), now.session);
      else accept(now);
    });
  } else if (data.session !== tab.drawn.session) {
    handOver(onScreen(tab.drawn), tab.drawn.session);
  } else {
    accept(data);
  }
}

function accept(/** @type {DrawnData} */ data) {
  const before = tab.drawn;
  const isAnother = before && before.session === data.session && before.line !== data.line;
  if (isAnother && tab.isKept) {
    setAside(tab.id); // and for another tab, too
    take(newId());
  }
  if (!data.aside) setAside("");
  const lost = isAnother ? [] : lostFrom(data);
  tab.pending = null;
  tab.drawn = data;
  if (lost.length) {
    const { shown, draft, heard } = data;
    handOver({ shown, draft: { ...draft, ...Object.fromEntries(lost) }, heard, unsent: true }, "");
  } else {
    save();
  }
}

/**
 * What was told from a page that was left in the same moment may reach no server: Streamlit answers the newest message
 * alone. The part was drawn anew since then, and knows nothing of it.
 */
function lostFrom(/** @type {DrawnData} */ { heard }) {
  const alive = newsSince(heard).map(({ field }) => field);
  const lost = tab.unheard.filter(({ field, number }) => heard[field] < number && !alive.includes(field));
  return lost.map(({ field, value }) => [field, value]);
}

/**
 * The draft of this tab: its own from before, else the newest that no tab is at. One that was begun on another
 * comparison than the one on the stage stays where it is.
 */
async function choose(/** @type {string | null} */ shown) {
  const fits = (/** @type {Kept | null} */ kept) => kept !== null && (!shown || kept.shown === shown);
  if (tab.own) {
    const kept = read(keyOf(tab.own));
    const isFree = await tab.isOwn;
    if (isFree && (!kept || fits(kept))) return take(tab.own, kept);
    return take(newId(), !isFree && fits(kept) ? kept : null); // not ours: this tab is a copy of the one that is at it
  }
  for (const { id, kept } of navigator.locks ? newestFirst() : []) {
    if (fits(kept) && (await lock(id))) return take(id, kept);
  }
  return take(newId());
}

function take(/** @type {string} */ id, /** @type {Kept | null} */ kept = null) {
  tab.id = id;
  tab.isKept = kept !== null;
  lock(id);
  attempt(() => sessionStorage.setItem(TAB, id), undefined);
  return kept;
}

/**
 * Takes the lock of a draft, and lets go of the one before. A browser without locks cannot tell tabs apart.
 * @param {string} id
 * @returns {Promise<boolean>}
 */
function lock(id, patience_ms = 0) {
  if (!navigator.locks || tab.held === id) return Promise.resolve(true);
  const options = patience_ms ? { signal: AbortSignal.timeout(patience_ms) } : { ifAvailable: true };
  return new Promise((resolve) => {
    const hold = (/** @type {Lock | null} */ granted) => {
      resolve(granted !== null);
      if (granted === null) return undefined;
      tab.release?.();
      tab.held = id;
      return new Promise((release) => (tab.release = () => release(null)));
    };
    navigator.locks.request(DRAFTS + id, options, hold).catch(() => resolve(false));
  });
}

/** What the screen shows now: as the server has drawn it, but for what it has not heard yet. */
function onScreen(/** @type {DrawnData} */ { shown, draft, heard, unsent }) {
  const now = { shown, draft: { ...draft }, heard: { ...heard }, unsent };
  for (const { field, part } of newsSince(heard)) {
    now.draft[field] = part.value;
    now.heard[field] = part.number;
    now.unsent = true;
  }
  return now;
}

/** The parts that know better than a server that has heard so much. */
function newsSince(/** @type {DrawnData["heard"]} */ heard) {
  const parts = Object.entries(FIELDS).map(([field, name]) => ({ field, part: screen.parts[name] }));
  return parts.filter(({ field, part }) => part && (part.waits || part.number > heard[field]));
}

function save() {
  if (!tab.drawn || !tab.id || tab.pending || tab.isOver) return;
  const { shown, draft, unsent } = onScreen(tab.drawn);
  tab.unheard = newsSince(tab.drawn.heard).map(({ field, part: { value, number, waits } }) => {
    return { field, value, number: waits ? number + 1 : number };
  });
  let problem = "";
  if (charsOf(String(screen.parts[FIELDS.prompt]?.value ?? "")) > tab.drawn.prompt_chars_max) {
    problem = "too long";
  } else if (unsent) {
    const text = JSON.stringify({ at: Date.now(), shown, draft });
    problem = text.length > LENGTH_MAX ? "too long" : attempt(() => keep(text), "no room");
  }
  tab.isKept = unsent && !problem;
  if (!tab.isKept) attempt(() => localStorage.removeItem(keyOf(tab.id)), undefined);
  if (tab.problem === problem) return;
  tab.problem = problem;
  tab.report(problem);
}

function keep(/** @type {string} */ text) {
  localStorage.setItem(keyOf(tab.id), text);
  return "";
}

/** Another person's drafts go, and those that are too old or too many. */
async function tidy() {
  dropAll((key) => !isOurs(key));
  const locked = await lockedNames();
  const spare = newestFirst().slice(KEPT_MAX).filter(({ id }) => !locked.has(DRAFTS + id));
  spare.forEach(({ id }) => localStorage.removeItem(keyOf(id)));
}

/** Where somebody has signed out elsewhere. What a live tab is at, that tab forgets when it hears of it. */
async function forget() {
  tab.isOver = true;
  const locked = await lockedNames();
  dropAll((key) => [tab.id, tab.held].includes(idOf(key)) || !locked.has(DRAFTS + idOf(key)));
}

function dropAll(/** @type {(key: string) => boolean} */ isMeant) {
  attempt(() => draftKeys().filter(isMeant).forEach((key) => localStorage.removeItem(key)), undefined);
}

async function lockedNames() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(held.map(({ name }) => name));
}

function newestFirst() {
  const found = attempt(draftKeys, []).filter(isOurs).flatMap((key) => {
    const kept = read(key);
    return kept ? [{ id: idOf(key), kept }] : [];
  });
  return found.sort((one, other) => other.kept.at - one.kept.at);
}

function isOurs(/** @type {string} */ key) {
  return key.startsWith(`${DRAFTS}${tab.owner}.`) && read(key) !== null;
}

/**
 * A draft that is kept, unless there is none, it is too old, or something else wrote there.
 * @param {string} key
 * @returns {Kept | null}
 */
function read(key) {
  const kept = attempt(() => JSON.parse(localStorage.getItem(key) ?? "null"), null);
  const isDraft = typeof kept?.draft === "object" && kept.draft !== null && typeof kept.at === "number";
  return isDraft && Date.now() - kept.at < KEPT_MS ? kept : null;
}

function keyOf(/** @type {string} */ id) {
  return `${DRAFTS}${tab.owner}.${id}`;
}

function idOf(/** @type {string} */ key) {
  return key.slice(key.lastIndexOf(".") + 1);
}

function newId() {
  return crypto.randomUUID();
}

/**
 * What an action returns. A browser may refuse its storage, or have no room in it.
 * @template T
 * @param {() => T} action
 * @param {T} otherwise
 */
function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}
