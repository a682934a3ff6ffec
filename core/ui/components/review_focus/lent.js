// What is lent: portraits that lie before others, and what this desk tells of those it comes to next.
//
// A server lends a desk what it comes to, so that others get something else first. It hears of that with each decision,
// and of who looks around or goes on typing by a message of its own. A page that is closed gives everything back.

import { element } from "../dom.js";
/** @import { Desk } from "./desk.js" */
/** @import { FocusItem } from "../shapes.js" */

const HAND = 5; // as many as a server lends a desk
const CALM_MS = 700; // who looks around is told of where they stop
const RENEW_MS = 60_000;

/** Whether somebody else has it just now, by this machine's clock. */
export function isLent(/** @type {FocusItem | undefined} */ item) {
  return Boolean(item?.lent_to) && Date.now() < (item?.lent_until_ms ?? 0);
}

/** `with Bo until 14:20`, by the reader's clock. */
export function loanOf(/** @type {FocusItem} */ { lent_to, lent_until_ms }) {
  const until = new Date(lent_until_ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return `with ${lent_to} until ${until}`;
}

export function lentNote(/** @type {FocusItem} */ item) {
  const says = `This portrait is ${loanOf(item)}. You can decide all the same.`;
  return element("p", { class: "lent", role: "status" }, says);
}

/** What lies before this desk's person. */
export class Hand {
  told = "";
  toldAt = Date.now();
  calming = 0;
  ending = 0;

  constructor(/** @type {Desk} */ desk) {
    this.desk = desk;
    window.addEventListener("pagehide", () => this.leave());
  }

  /** The portrait that is looked at, and those that keys come to behind it. */
  get ahead() {
    const { at, order, decided, items } = this.desk;
    return order.filter((id, index) => index >= at && !decided.has(id) && !isLent(items.get(id))).slice(0, HAND);
  }

  /** For a message that is about to be sent. */
  tell() {
    const { ahead } = this;
    this.told = ahead[0] ?? "";
    this.toldAt = Date.now();
    return ahead;
  }

  /** The desk has been drawn: the server hears of a portrait that it does not know is looked at. */
  drawn() {
    const current = this.ahead[0] ?? "";
    if (this.desk.data.desk && current && current !== this.told && !this.desk.data.hand.includes(current)) this.tellSoon();
    const ends = [...this.desk.items.values()].filter(isLent).map((item) => item.lent_until_ms);
    clearTimeout(this.ending);
    if (ends.length) this.ending = setTimeout(() => this.desk.view.paint(), Math.min(...ends) - Date.now() + 500);
  }

  /** Somebody is here: what lies before them stays there. */
  acted() {
    if (this.desk.data.desk && Date.now() - this.toldAt > RENEW_MS) this.tellSoon();
  }

  /** Not while a dialog is open: the page would be run for it, and Streamlit takes away what that run does not draw. */
  tellSoon() {
    clearTimeout(this.calming);
    const isDialogOpen = () => document.querySelector('[role="dialog"]') !== null;
    this.calming = setTimeout(() => (isDialogOpen() ? this.tellSoon() : this.desk.outbox.post()), CALM_MS);
  }

  /** The page goes: nobody waits for what lay here. */
  leave() {
    if (!this.desk.data.desk) return;
    const how = { method: "DELETE", keepalive: true, headers: { "X-Studio-Session": "1" } };
    fetch(`/desk/${this.desk.data.desk}`, how).catch(() => {}); // it ends by itself
  }
}
