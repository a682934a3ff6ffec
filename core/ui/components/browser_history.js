// Keeps the browser's Back and Forward to what a person did: whatever one act leads to is one entry.
//
// On the way to another page Streamlit writes two: the page that is left without its filters, and the one that is
// shown. On the way back to what Generate shows it writes two as well. The first one of an act is an entry, and the
// next take its place; a filter that a person sets is no entry, and neither is what the server makes of it.

export function oneEntryAnAct() {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  // What the loading of a page leads to is the entry it was loaded for, unless somebody was quicker than this script.
  let isWritten = !navigator.userActivation?.hasBeenActive;
  let isLeaving = false; // by a link: what is still said of the page that is left is not the act's own
  history.pushState = (...entry) => {
    (isWritten ? replace : push)(...entry);
    isWritten = true;
  };
  history.replaceState = (...entry) => {
    replace(...entry);
    isWritten ||= !isLeaving;
  };
  // The second half of a double click is the same act.
  const acts = (/** @type {UIEvent} */ event) => {
    if (event.detail > 1) return;
    const [met] = event.composedPath();
    isWritten = false;
    isLeaving = met instanceof Element && met.closest("a[href]") !== null;
  };
  addEventListener("click", acts, true);
  addEventListener("keydown", acts, true);
  addEventListener("popstate", () => (isWritten = true), true);
}
