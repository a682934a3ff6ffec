// Keeps the browser's Back and Forward to what a person did: whatever one act leads to is one entry.
//
// On the way to another page Streamlit writes two: the page that is left without its filters, and the one that is
// shown. On the way back to what Generate shows it writes two as well. The first one of an act is an entry, and the
// next take its place; a filter that a person sets is no entry, and neither is what the server makes of it.

import { entryFor } from "./drawer_entries.js";
import { leadsDeeper, shutsDialog } from "../streamlit_page.js";

export function oneEntryAnAct() {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  // What the loading of a page leads to is the entry it was loaded for, unless somebody was quicker than this script.
  let isWritten = !navigator.userActivation?.hasBeenActive;
  let isLeaving = false; // by a link: what is still said of the page that is left is not the act's own
  let isDeeper = false;
  let isShut = false;
  let isPressed = false; // outside of a dialog, which may be gone by the click
  let isTold = false; // Streamlit's server knows what the next step back leads to
  history.pushState = (state, unused, url) => {
    const [here, there] = [location.href, new URL(url ?? "", location.href).href];
    const known = { below: history.state?.below, isWritten, isDeeper, isShut };
    const { how, below } = entryFor({ here, there, ...known });
    isWritten = true;
    if (how === "back" && below) {
      isTold = true;
      history.go(-below.steps);
    } else {
      (how === "push" ? push : replace)({ ...state, below }, unused, url);
    }
  };
  history.replaceState = (state, ...entry) => {
    replace({ ...state, below: history.state?.below }, ...entry);
    isWritten ||= !isLeaving;
  };
  // The second half of a double click is the same act.
  const acts = (/** @type {UIEvent} */ event) => {
    if (event.detail > 1) return;
    const [met] = event.composedPath();
    isWritten = false;
    isLeaving = met instanceof Element && met.closest("a[href]") !== null;
    isDeeper = leadsDeeper(event);
    isShut = shutsDialog(event) || (isPressed && event.type === "click");
    isPressed = false;
  };
  const arrives = (/** @type {Event} */ event) => {
    isWritten = true;
    if (isTold) event.stopImmediatePropagation();
    isTold = false;
  };
  addEventListener("pointerdown", (event) => (isPressed = shutsDialog(event)), true);
  addEventListener("click", acts, true);
  addEventListener("keydown", acts, true);
  addEventListener("popstate", arrives, true);
}
