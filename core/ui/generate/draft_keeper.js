// The draft keeper: keeps what is not sent yet in this browser, and hands it to a server that does not know it.
//
// A draft lies under an id that this tab holds a lock on, so the draft of a live tab is nobody else's to take up.
// The server says what it has drawn; what was typed and picked since then is read from its parts.

const KEPT_MS = 7 * 24 * 3600 * 1000;
const KEPT_MAX = 12;
const LENGTH_MAX = 100_000;
const PATIENCE_MS = 1000; // of a page that is loaded anew, for the lock of the page before it
const FIELDS = { prompt: "prompt", tone: "tone_tiles", angle: "angle_tiles" }; // and the parts that know them first

const tab = {
  owner: "", // the person's pseudonym
  id: "", // of this tab's draft
  own: null, // the id from before the page was loaded anew
  isOwn: null, // a promise: whether that one's lock could be had, or another tab has it
  held: "", // the id whose lock this tab holds
  release: null,
  tell: null, // hands something to the server
  report: null, // says why a draft is not kept, or that it is
  problem: "",
  told: 0, // counts what was handed over
  pending: null, // what was handed over and is not taken yet
  latest: null, // what the server drew last
  drawn: null, // the same, once it is what this tab is about
  isKept: false,
  isChoosing: false,
  isOver: false, // somebody signed out: nothing is written any more
};

export default function ({ data, setStateValue }) {
  if (data.forgets) {
    forget();
  } else if (data.owner !== undefined) {
    meet(data.owner, (message) => setStateValue("kept", message));
  } else {
    tab.report = (problem) => setStateValue("problem", problem);
    tab.latest = data;
    follow();
  }
}

function meet(owner, tell) {
  tab.tell = tell;
  if (tab.owner === owner) return;
  if (!tab.owner) listen();
  tab.owner = owner;
  tidy();
  tab.own = attempt(() => sessionStorage.getItem(TAB));
  tab.isOwn = tab.own ? lock(tab.own, PATIENCE_MS) : null; // on whatever page: it stays this tab's
  follow();
}

function listen() {
  screen.addEventListener("change", save);
  screen.addEventListener("left", () => (tab.isOver = true));
  addEventListener("storage", ({ key, newValue }) => {
    if (key === null || key === LEFT || (key === keyOf(tab.id) && newValue === null)) tab.isOver = true;
  });
  const app = document.querySelector('[data-testid="stApp"]');
  let isAway = false;
  new MutationObserver(() => {
    const wasAway = isAway;
    isAway = app.dataset.testConnectionState !== "CONNECTED";
    if (wasAway && !isAway) comeBack();
  }).observe(app, { attributeFilter: ["data-test-connection-state"] });
}

// Streamlit tells a server that it has found again, be it another one, nothing before somebody presses something.
function comeBack() {
  if (tab.drawn) handOver(onScreen(), tab.drawn.session);
  else if (tab.pending) handOver(tab.pending, "");
}

function handOver(kept, from) {
  tab.told += 1;
  tab.pending = kept;
  tab.tell({ ...kept, number: tab.told, from });
}

// What the server has drawn counts once it has taken what was handed over to it.
function follow() {
  const data = tab.latest;
  if (!data || !tab.tell || tab.isChoosing) return;
  if (tab.pending) {
    if (data.taken >= tab.told) accept(data);
  } else if (!tab.drawn) {
    tab.isChoosing = true;
    choose(data.shown).then((kept) => {
      tab.isChoosing = false;
      if (kept) handOver({ shown: kept.shown, draft: kept.draft, heard: {}, unsent: true }, "");
      else accept(tab.latest);
    });
  } else if (data.session !== tab.drawn.session) {
    handOver(onScreen(), tab.drawn.session);
  } else {
    accept(data);
  }
}

function accept(data) {
  const before = tab.drawn;
  const isAnother = before && before.session === data.session && before.line !== data.line;
  if (isAnother && tab.isKept) take(newId()); // the one that is left behind is for another tab
  tab.pending = null;
  tab.drawn = data;
  save();
}

// The draft of this tab: its own from before, else the newest that no tab is at. One that was begun on another
// comparison than the one on the stage stays where it is.
async function choose(shown) {
  const fits = (kept) => kept !== null && (!shown || kept.shown === shown);
  if (tab.own) {
    const kept = read(keyOf(tab.own));
    const isOurs = await tab.isOwn;
    if (isOurs && (!kept || fits(kept))) return take(tab.own, kept);
    return take(newId(), !isOurs && fits(kept) ? kept : null); // not ours: this tab is a copy of the one that is at it
  }
  for (const { id, kept } of navigator.locks ? newestFirst() : []) {
    if (fits(kept) && (await lock(id))) return take(id, kept);
  }
  return take(newId());
}

function take(id, kept = null) {
  tab.id = id;
  tab.isKept = kept !== null;
  lock(id);
  attempt(() => sessionStorage.setItem(TAB, id));
  return kept;
}

// Takes the lock of a draft, and lets go of the one before. A browser without locks cannot tell tabs apart.
function lock(id, patience_ms = 0) {
  if (!navigator.locks || tab.held === id) return Promise.resolve(true);
  const options = patience_ms ? { signal: AbortSignal.timeout(patience_ms) } : { ifAvailable: true };
  return new Promise((resolve) => {
    const hold = (granted) => {
      resolve(granted !== null);
      if (granted === null) return undefined;
      tab.release?.();
      tab.held = id;
      return new Promise((release) => (tab.release = release));
    };
    navigator.locks.request(DRAFTS + id, options, hold).catch(() => resolve(false));
  });
}

// What the screen shows now: as the server has drawn it, but for what it has not heard yet.
function onScreen() {
  const { shown, draft, heard, unsent } = tab.drawn;
  const now = { shown, draft: { ...draft }, heard: { ...heard }, unsent };
  for (const [field, name] of Object.entries(FIELDS)) {
    const part = screen.parts[name];
    if (!part || !(part.waits || part.number > heard[field])) continue;
    now.draft[field] = part.value;
    now.heard[field] = part.number;
    now.unsent = true;
  }
  return now;
}

function save() {
  if (!tab.drawn || !tab.id || tab.pending || tab.isOver) return;
  const { shown, draft, unsent } = onScreen();
  let problem = "";
  if (unsent) {
    const text = JSON.stringify({ at: Date.now(), shown, draft });
    problem = text.length > LENGTH_MAX ? "too long" : attempt(() => put(keyOf(tab.id), text), "no room");
  }
  tab.isKept = unsent && !problem;
  if (!tab.isKept) attempt(() => localStorage.removeItem(keyOf(tab.id)));
  if (tab.problem === problem) return;
  tab.problem = problem;
  tab.report(problem);
}

function put(key, text) {
  localStorage.setItem(key, text);
  return "";
}

// Another person's drafts go, and those that are too old or too many.
async function tidy() {
  attempt(() => draftKeys().filter((key) => !isOurs(key)).forEach((key) => localStorage.removeItem(key)));
  const locked = await lockedNames();
  const spare = newestFirst().slice(KEPT_MAX).filter(({ id }) => !locked.has(DRAFTS + id));
  spare.forEach(({ id }) => localStorage.removeItem(keyOf(id)));
}

// At the door of somebody who has signed out elsewhere. What a live tab is at, that tab forgets at its own door.
async function forget() {
  tab.isOver = true;
  const locked = await lockedNames();
  const isTheirs = (id) => id !== tab.id && id !== tab.held && locked.has(DRAFTS + id);
  attempt(() => draftKeys().filter((key) => !isTheirs(idOf(key))).forEach((key) => localStorage.removeItem(key)));
}

async function lockedNames() {
  const { held } = (await navigator.locks?.query()) ?? { held: [] };
  return new Set(held.map(({ name }) => name));
}

function newestFirst() {
  const keys = attempt(draftKeys) ?? [];
  const found = keys.filter(isOurs).map((key) => ({ id: idOf(key), kept: read(key) }));
  return found.sort((one, other) => other.kept.at - one.kept.at);
}

function isOurs(key) {
  return key.startsWith(`${DRAFTS}${tab.owner}.`) && read(key) !== null;
}

// A draft that is kept, unless there is none, it is too old, or something else wrote there.
function read(key) {
  const kept = attempt(() => JSON.parse(localStorage.getItem(key)), null);
  const isDraft = typeof kept?.draft === "object" && kept.draft !== null && typeof kept.at === "number";
  return isDraft && Date.now() - kept.at < KEPT_MS ? kept : null;
}

function keyOf(id) {
  return `${DRAFTS}${tab.owner}.${id}`;
}

function idOf(key) {
  return key.split(".").at(-1);
}

function newId() {
  return crypto.randomUUID();
}

// A browser may refuse its storage, or have no room in it.
function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}
