// Dresses the sign-in button, which streamlit-oauth draws in a frame of its own, like the page's other buttons.
//
// The frame is served from the same origin, so its document can be reached. If it cannot, the button stays plain.
//
// And it offers the sign-in in this tab beneath the button: quietly, until Google's window is blocked, closed, cut off
// from this page by its Cross-Origin-Opener-Policy (for the page that opened it, it is closed then), or silent.

import { setAttributes, setText } from "../components/dom.js";
import { isAnswerOf, isConnected, oauthFrames } from "../components/streamlit_page.js";
/** @import { Mount } from "../components/dom.js" */
/** @import { SignInData } from "../components/shapes.js" */

const DRESS = (/** @type {Record<"accent" | "hover" | "ink" | "radius" | "font", string>} */ style) => `
  @font-face { font-family: Inter; font-weight: 100 900; src: url("/app/static/fonts/inter-latin.woff2"); }
  html, body { background: transparent !important; overflow: hidden; }
  #app { display: none; }
  body > div { padding: 3px; }
  body button {
    box-sizing: border-box;
    width: 100%;
    height: 44px; /* of the 50 that core/ui/style.css gives the frame: the rest is for the focus ring */
    padding: 0 1rem;
    border: 1px solid ${style.accent};
    border-radius: ${style.radius};
    background: ${style.accent};
    color: ${style.ink};
    font: 600 15px ${style.font};
    transition: none;
  }
  body button:hover { background: ${style.hover}; border-color: ${style.hover}; color: ${style.ink}; }
  body button:focus-visible { outline: 2px solid ${style.accent}; outline-offset: 1px; }
  body button span { font-size: inherit; }
  body button .icon { display: none; }`;

const CLOSING_MS = 1500; // the library closes the window itself, and then brings its answer
const PATIENCE_MS = 20_000;
/** @type {Record<string, string>} */
const SAYS = {
  waiting: "Sign in in Google’s window.",
  silent: "Google’s window has not answered yet. If it is stuck, sign in in this tab.",
  blocked: "Your browser blocked Google’s window. Sign in in this tab, or allow pop-ups here and press again.",
  closed: "Google’s window was closed, or cannot answer this page. Sign in in this tab, or press again.",
  unheard: "The dashboard has not answered yet. Press again, or sign in in this tab.",
  lost: "The dashboard was restarted while you signed in: press again.",
};
const OFFERED = new Set(["silent", "blocked", "closed", "unheard"]);
const ON_ITS_WAY = new Set(["waiting", "silent", "answered", "unheard"]);
// The last press of the button. It outlives the button, which a server that was started again draws anew.
/**
 * @type {{
 * attempt: string, became: string, popup?: Window | null, at: number, answeredAt: number, closedAt: number,
 * isAway?: boolean, stop?: () => void,
 * }}
 */
const press = (/** @type {any} */ (window)[Symbol.for("studio.sign-in.press")] ??= {
  attempt: "",
  became: "nothing",
});

/** @param {Mount<SignInData>} mount */
export default function ({ parentElement, data, setTriggerValue }) {
  const heard = (/** @type {MessageEvent} */ event) => {
    if (oauthFrames().some((frame) => isAnswerOf(frame, event))) press.answeredAt = Date.now();
  };
  const turn = () => {
    dress(/** @type {Element} */ (/** @type {Node} */ (parentElement)));
    watch(data.attempt);
    if (hasReturned()) setTriggerValue("returned", true); // so that a server that was started again is noticed
    say(parentElement, data);
  };
  press.stop?.(); // new data come without an end of the old
  addEventListener("message", heard);
  const timer = setInterval(turn, 50);
  press.stop = () => {
    removeEventListener("message", heard);
    clearInterval(timer);
  };
  turn();
  return press.stop;
}

/** Whether the page has just found its server again: in silence, and in a session that may be another. */
function hasReturned() {
  const isHere = isConnected();
  const wasAway = press.isAway;
  press.isAway = !isHere;
  return isHere && wasAway;
}

/** Opens the button's window for it: so it is seen, and can be closed also when the button was drawn anew. */
function watch(/** @type {string} */ attempt) {
  const [frame] = oauthFrames();
  // without a server it is a page of the browser's own
  const inside = /** @type {any} */ (frame?.contentDocument && frame.contentWindow);
  if (!inside || inside.studioWatches === attempt) return;
  inside.studioWatches = attempt;
  /** @param {Parameters<typeof open>} asked */
  inside.open = (...asked) => {
    const popup = open(...asked);
    Object.assign(press, { attempt, popup, at: Date.now(), answeredAt: 0, closedAt: 0, became: "waiting" });
    return popup;
  };
}

/** What became of the last press: `after` is the attempt whose answer the server has taken. */
function became(/** @type {SignInData} */ { attempt, after }) {
  if (!press.attempt) return "nothing";
  if (press.attempt !== attempt) {
    if (press.attempt === after || !(ON_ITS_WAY.has(press.became) || press.became === "lost")) return "nothing";
    press.popup?.close(); // its answer would reach nobody
    return "lost";
  }
  const now = Date.now();
  if (press.answeredAt) return now - press.answeredAt > PATIENCE_MS ? "unheard" : "answered";
  if (!press.popup) return "blocked";
  if (press.popup.closed) {
    press.closedAt ||= now;
    if (now - press.closedAt > CLOSING_MS) return "closed";
  }
  return now - press.at > PATIENCE_MS ? "silent" : "waiting";
}

function say(/** @type {ParentNode} */ mount, /** @type {SignInData} */ data) {
  press.became = became(data);
  const [way, sentence] = mount.querySelectorAll(".studio-way, .studio-way p");
  const link = /** @type {HTMLAnchorElement} */ (way.querySelector("a"));
  setText(sentence, SAYS[press.became] ?? "");
  way.classList.toggle("offered", OFFERED.has(press.became));
  const href = `${data.start}?to=${encodeURIComponent(location.pathname + location.search)}`;
  setAttributes(link, { href });
  link.onclick = () => press.popup?.close();
}

/** @param {Element} mount not in a shadow, see core/ui/sign_in/login.py */
function dress(mount) {
  const told = getComputedStyle(mount);
  const style = {
    accent: told.getPropertyValue("--studio-accent") || "#2f6bdc",
    hover: told.getPropertyValue("--studio-accent-hover") || "#2459bd",
    ink: told.getPropertyValue("--studio-on-accent") || "#ffffff",
    radius: "4px",
    font: told.getPropertyValue("--st-font") || "sans-serif",
  };
  for (const frame of oauthFrames()) {
    const inside = frame.contentDocument;
    if (!inside?.querySelector("button") || inside.getElementById("studio-dress")) continue;
    const sheet = inside.createElement("style");
    sheet.id = "studio-dress";
    sheet.textContent = DRESS(style);
    inside.documentElement.append(sheet); // behind the head, where the frame keeps adding the theme's colours
    inside.documentElement.lang = "en";
    frame.title = "Sign in with Google";
    frame.dataset.dressed = "";
  }
}
