// The draft in the browser: what the parts of the composer show, and the names it is kept under.
//
// Stands before every script that has to do with it. Those are modules of their own, so what they share lies here.

const DRAFTS = "studio.draft."; // in localStorage, with the person's pseudonym and the draft's id behind it
const TAB = "studio.tab-draft"; // in sessionStorage: the id of this tab's draft
const LEFT = "studio.left"; // in localStorage: changes when somebody signs out, which every tab hears
const screen = (globalThis.studioScreen ??= Object.assign(new EventTarget(), { parts: {} }));

// What a part shows. `number` counts what it has told the server; `waits` while it has yet to tell.
function shows(part, value, number, waits) {
  screen.parts[part] = { value, number, waits };
  screen.dispatchEvent(new Event("change"));
}

function draftKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(DRAFTS));
}

// After a sign-out nothing of this person stays, and no tab of theirs writes any more.
function forgetDrafts() {
  screen.dispatchEvent(new Event("left"));
  try {
    draftKeys().forEach((key) => localStorage.removeItem(key));
    sessionStorage.removeItem(TAB);
    localStorage.setItem(LEFT, String(Date.now() + Math.random()));
  } catch {
    // a browser that keeps nothing has nothing to forget
  }
}
