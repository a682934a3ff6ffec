// The review desk in the browser. A key acts at once: the decision goes into an outbox and the next picture is shown.

import { keptUnder } from "../dom.js";
import { Desk } from "./desk.js";
import { refocusing } from "../refocus.js";
/** @import { Mount } from "../dom.js" */
/** @import { FocusData } from "../shapes.js" */

/** @type {Map<string, Desk>} by the component's key: what a person is in the middle of outlives a redraw */
const desks = new Map();

/** @param {Mount<FocusData>} mount */
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".desk"));
  const desk = keptUnder(desks, data.key, () => new Desk(data));
  const { outbox, view } = desk;
  outbox.tell = (message) => setStateValue("outbox", { ...message, ahead: desk.hand.tell() });
  desk.askAgain = () => setTriggerValue("again", { queue: desk.queue });
  view.moveTo(root);
  desk.hear(data);
  view.paint();
  outbox.flush();
  const resized = () => view.fit();
  const stop = refocusing(() => view.root, () => view.takeFocus());
  window.addEventListener("resize", resized);
  return () => {
    window.removeEventListener("resize", resized);
    stop();
    if (!root.isConnected) clearInterval(outbox.resending);
  };
}
