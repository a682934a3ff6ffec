// What scripts rely on in Streamlit's own page, all of it; core/ui/style.css holds what the styles do. A test holds both
// against the Streamlit that is installed.

const APP = '[data-testid="stApp"]';
const SCROLLED = '[data-testid="stMain"]';
const PAGE = '[data-testid="stMainBlockContainer"]';
const WRAPPER = '[data-testid^="stElementContainer"]';
// of streamlit-oauth, in the column of core/ui/sign_in/login.py
const OAUTH_FRAME = '.st-key-door iframe[src*="authorize_button"]';
const DIALOG = '[role="dialog"]';
const CLOSE = '[aria-label="Close"]'; // a dialog's own button
const DEEPER = '[class*="st-key-drawer-deeper"]'; // of core/ui/frame/drawer.py

function app() {
  return /** @type {HTMLElement | null} */ (document.querySelector(APP));
}

/** Whether the page has a server just now. */
export function isConnected() {
  return app()?.dataset.testConnectionState === "CONNECTED";
}

/**
 * Calls whenever the page finds a server again. Streamlit itself tells that one nothing before somebody presses
 * something.
 */
export function onReturn(/** @type {() => void} */ act) {
  const node = app();
  let isAway = false;
  const watcher = new MutationObserver(() => {
    const wasAway = isAway;
    isAway = !isConnected();
    if (wasAway && !isAway) act();
  });
  if (node) watcher.observe(node, { attributeFilter: ["data-test-connection-state"] });
}

/** What holds everything on the page that a component stands in. */
export function pageAround(/** @type {Element} */ host) {
  return host.closest(PAGE);
}

/** How far what a component stands in is scrolled, in pixels. */
export function scrolledBy(/** @type {Element} */ host) {
  return host.closest(SCROLLED)?.scrollTop ?? 0;
}

/** Streamlit keeps the height a component was given; where it needs less, the page gets the rest. */
export function setHeight(/** @type {Element} */ host, /** @type {number} */ height_px) {
  const wrapper = /** @type {HTMLElement | null} */ (host.closest(WRAPPER));
  if (wrapper) Object.assign(wrapper.style, { height: `${height_px}px`, flexBasis: "auto" });
}

/** Where streamlit-oauth draws its button: of one, as long as it is not drawn anew. */
export function oauthFrames() {
  return [.../** @type {NodeListOf<HTMLIFrameElement>} */ (document.querySelectorAll(OAUTH_FRAME))];
}

/** Whether a component of the old kind tells its value in this message. */
export function isAnswerOf(/** @type {HTMLIFrameElement} */ frame, /** @type {MessageEvent} */ { source, data }) {
  const isAnswer = data?.isStreamlitMessage && data.type === "streamlit:setComponentValue";
  return isAnswer && source === frame.contentWindow;
}

/** How many dialogs are open. */
export function dialogs() {
  return document.querySelectorAll(DIALOG).length;
}

/** Whether an act was met where one drawer leads on to another, within a component as well. */
export function leadsDeeper(/** @type {Event} */ event) {
  return event.composedPath().some((node) => node instanceof Element && node.matches(DEEPER));
}

/** Whether an act is a way out of the dialog that is open: Escape, its own button, or what lies around it. */
export function shutsDialog(/** @type {UIEvent} */ event) {
  const [met] = event.composedPath();
  if (dialogs() === 0 || !(met instanceof Element)) return false;
  if (event instanceof KeyboardEvent) return event.key === "Escape";
  return met.closest(DIALOG) === null || met.closest(CLOSE) !== null;
}
