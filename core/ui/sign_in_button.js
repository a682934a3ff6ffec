// Dresses the sign-in button, which streamlit-oauth draws in a frame of its own, like the page's other buttons.
//
// The frame is served from the same origin, so its document can be reached. If it cannot, the button stays plain.

const DRESS = (style) => `
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

export default function ({ parentElement }) {
  const timer = setInterval(() => dress(parentElement), 50);
  return () => clearInterval(timer);
}

function dress(element) {
  const told = getComputedStyle(element.host ?? element);
  const style = {
    accent: told.getPropertyValue("--studio-accent") || "#2f6bdc",
    hover: told.getPropertyValue("--studio-accent-hover") || "#2459bd",
    ink: told.getPropertyValue("--studio-on-accent") || "#ffffff",
    radius: "4px",
    font: told.getPropertyValue("--st-font") || "sans-serif",
  };
  for (const frame of document.querySelectorAll('.st-key-door iframe[src*="authorize_button"]')) {
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
