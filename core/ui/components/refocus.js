// A desk of the review or of the vote page has the keys again after a press of the mouse elsewhere, unless that led to a
// place where keys are wanted.

/**
 * Watches the page's clicks; what is returned ends that.
 * @param {() => HTMLElement} rootOf the desk, which a redraw may move
 * @param {() => void} takeFocus
 */
export function refocusing(rootOf, takeFocus) {
  /** @type {() => void} */
  let unwatch = () => {};

  function takeBack() {
    const there = document.activeElement;
    if (there?.matches('[role="combobox"][aria-expanded="true"]')) watch(there);
    else if (!there || !isBusy(there, rootOf())) takeFocus();
  }

  /** A list closes some time after a press on one of its options; whoever chooses by keyboard stays there. */
  function watch(/** @type {Element} */ list) {
    unwatch();
    const closes = new MutationObserver(() => {
      if (list.getAttribute("aria-expanded") === "true") return;
      unwatch();
      takeBack();
    });
    closes.observe(list, { attributeFilter: ["aria-expanded"] });
    const unwatched = () => unwatch();
    document.addEventListener("keydown", unwatched, true);
    unwatch = () => {
      closes.disconnect();
      document.removeEventListener("keydown", unwatched, true);
    };
  }

  // by the keyboard there is no detail; what a press does to the focus comes first
  const onClick = (/** @type {MouseEvent} */ event) => event.detail && setTimeout(takeBack);
  document.addEventListener("click", onClick, true);
  return () => {
    unwatch();
    document.removeEventListener("click", onClick, true);
  };
}

function isBusy(/** @type {Element} */ there, /** @type {HTMLElement} */ root) {
  const isText = there.matches('textarea, [contenteditable], input:not([role="combobox"])');
  const isOpen = there.matches('[aria-expanded="true"]') || document.querySelector('[role="dialog"]') !== null;
  return isText || isOpen || Boolean(there.shadowRoot?.contains(root));
}
