// The tab's title: what the page calls itself, and before it what is to be told about it for a while.
//
// Streamlit writes the title anew with every run of a page: whatever it writes is what the page calls itself.

let pageTitle = document.title;
let words = "";

const watcher = new MutationObserver(() => {
  if (document.title === titled()) return;
  pageTitle = document.title;
  write();
});

/** Tells this in the title until it is told something else; nothing leaves the page's own. */
export function tellInTitle(/** @type {string} */ text) {
  if (text === words) return;
  if (!words) {
    pageTitle = document.title;
    watcher.observe(document.head, { childList: true, characterData: true, subtree: true });
  }
  words = text;
  if (!words) watcher.disconnect();
  write();
}

function titled() {
  return words ? `${words} · ${pageTitle}` : pageTitle;
}

function write() {
  document.title = titled();
}
