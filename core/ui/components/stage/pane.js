// A side of a take on the stage: its picture or its message, its name, its progress.

import { button, element, icon, setAttributes, setText } from "../dom.js";
import { elapsedSince } from "../elapsed.js";
import { clamp, spanOf } from "../geometry.js";
/** @import { StageData, StageSide } from "../shapes.js" */
/** @import { Place } from "../geometry.js" */

const WORDS = {
  queued: "Waiting",
  running: "Making the picture",
  failed: "Failed",
  done: "Done",
  cancelled: "Cancelled",
  empty: "Nothing here yet",
};
export const SIGNS = {
  queued: "M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17",
  running: "",
  failed: "M12 9.5v4.2M12 16.6v.4M12 3.8 2.8 20h18.4z",
  done: "M4 4.5h16v15H4zM4 16l4.5-4.5 4 4M14 14l2-2 4 4M3 3l18 18", // whose picture is missing
  cancelled: "M6.2 6.2l11.6 11.6M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17",
  empty: "M7 12h10",
};

export class Pane {
  url = /** @type {string | null} */ (null);
  img = /** @type {HTMLImageElement | null} */ (null);
  isBroken = false;
  ticket = 0; // which load is the newest
  told = "";

  /**
   * @param {StageSide} side
   * @param {number} number of its take, from 1; 0 where there is but one
   * @param {{ data: Pick<StageData, "made_with">, say(text: string): void, layout(): void }} stage
   */
  constructor(side, number, stage) {
    this.side = side;
    this.number = number;
    this.stage = stage;
    this.message = element("div", "message");
    this.frame = element("div", "frame", this.message);
    this.chip = element("div", "chip");
    this.seconds = element("span", "seconds"); // where the words stand just now: on the plate or on the picture
    this.note = element("div", "note");
    this.made = element("div", "note");
    this.notes = element("div", "notes", this.made, this.note);
    this.bar = element("i");
    this.line = element("div", { class: "line", role: "progressbar" }, this.bar);
    this.node = element("div", { class: "pane", role: "group" }, this.frame, this.chip, this.notes, this.line);
    this.take(side);
  }

  get title() {
    return [this.side.title, this.number && `take ${this.number}`].filter(Boolean).join(" · ");
  }

  get label() {
    return this.title ? `${this.side.name}, ${this.title}` : this.side.name;
  }

  get headline() {
    return this.side.headline || WORDS[this.side.state];
  }

  /** What to do where the picture did not load. */
  get adviceWhenMissing() {
    return "It was made and is kept. Check the connection, then try again.";
  }

  /** Whether there is nothing yet to say in place of the picture. */
  get isLoading() {
    return this.side.state === "done" && !this.isBroken;
  }

  get size() {
    return { width: this.side.width_px, height: this.side.height_px, isThere: this.img !== null };
  }

  /** Takes the side's new facts; answers what is worth saying aloud, or "". */
  update(/** @type {StageSide} */ side) {
    const before = this.side;
    if (JSON.stringify(before) === JSON.stringify(side)) return "";
    this.take(side);
    if (before.state === side.state) return "";
    const advice = side.state === "failed" && side.detail ? ` ${side.detail}` : "";
    return `${this.label}: ${side.state === "done" ? WORDS.done : this.headline}.${advice}`;
  }

  take(/** @type {StageSide} */ side) {
    this.side = side;
    const url = side.state === "done" || side.state === "running" ? side.picture_url : null;
    if (url !== this.url) this.load(url);
    else if (this.img) this.img.alt = side.alt;
    this.draw();
  }

  /** Decodes beside the stage, then swaps: what was on it stays until the next picture can be painted. */
  async load(/** @type {string | null} */ url) {
    const ticket = ++this.ticket;
    this.url = url;
    this.isBroken = false;
    if (!url) {
      this.drop();
      return;
    }
    const img = element("img", { draggable: false, decoding: "sync", src: url });
    const isDecoded = await img.decode().then(() => true, () => false);
    if (ticket !== this.ticket) return;
    if (isDecoded) {
      img.alt = this.side.alt;
      this.drop();
      this.frame.prepend(img);
      this.img = img;
    } else if (this.side.state === "done") {
      this.isBroken = true;
      this.drop();
      this.stage.say(`${this.label}: the picture did not load.`);
    }
    this.draw();
    this.stage.layout();
  }

  drop() {
    this.img?.remove();
    this.img = null;
  }

  discard() {
    this.ticket += 1;
    this.node.remove();
  }

  draw() {
    const { side } = this;
    setAttributes(this.node, { "data-state": side.state, "aria-label": this.label });
    this.node.classList.toggle("plain", !this.img);
    this.chip.replaceChildren(element("b", { translate: "no" }, side.name));
    if (this.title) this.chip.append(" ", element("span", "", this.title));

    const isRunning = side.state === "running";
    this.note.hidden = !(isRunning && this.img && side.headline);
    if (!this.note.hidden) {
      this.note.replaceChildren(side.headline, this.seconds, side.usually && element("span", "part", ` · ${side.usually}`));
    }
    const isLoading = this.isLoading && !this.img;
    const progress = isRunning && side.progress !== null ? clamp(side.progress, 0, 1) : null;
    this.line.hidden = !isRunning && !isLoading;
    this.line.classList.toggle("unknown", progress === null);
    this.line.classList.toggle("loading", isLoading);
    setAttributes(this.line, {
      "aria-label": `${isLoading ? "Loading" : "Progress of"} ${this.label}`,
      "aria-valuenow": progress && Math.round(progress * 100),
    });
    this.bar.style.transform = progress === null ? "" : `scaleX(${progress})`;
    this.mark(this.stage.data.made_with);
    this.tell();
    this.tick();
  }

  /** The words in place of a picture; rebuilt only when they change, so that a selection in them survives. */
  tell() {
    const { side } = this;
    const facts = JSON.stringify([side.state, side.headline, side.usually, side.detail, side.request_id]);
    const told = this.img || this.isLoading ? "" : facts;
    this.message.hidden = !told;
    if (told === this.told) return;
    this.told = told;
    this.message.replaceChildren();
    if (!told) return;
    if (SIGNS[side.state]) this.message.append(icon(SIGNS[side.state], { class: "mark" }));
    if (side.state === "done") {
      this.message.append(
        element("p", "headline", "The picture did not load"),
        element("p", "detail", this.adviceWhenMissing),
        button("small reload", "Try again", () => {
          this.load(side.picture_url);
          this.draw();
        }),
      );
      return;
    }
    const isTimed = side.since_ms !== null;
    this.message.append(element("p", "headline", this.headline, isTimed ? this.seconds : ""));
    for (const line of [side.usually, side.detail]) if (line) this.message.append(element("p", "detail", line));
    if (side.request_id) this.message.append(this.request(side.request_id));
  }

  /** How long it has been at it, by now. */
  tick() {
    const { since_ms } = this.side;
    setText(this.seconds, since_ms === null ? "" : ` · ${elapsedSince(since_ms)}`);
  }

  /** Says what the picture was made with, where something else is planned by now. */
  mark(/** @type {string} */ madeWith) {
    const words = madeWith && `Made with ${madeWith}`;
    this.made.hidden = !words || !this.img;
    setText(this.made, words);
    setAttributes(this.made, { title: words || null });
  }

  request(/** @type {string} */ id) {
    const code = element("code", { translate: "no" }, id);
    const copy = button("small", "Copy", async () => {
      try {
        await navigator.clipboard.writeText(id);
        copy.textContent = "Copied";
        this.stage.say("Request id copied.");
        setTimeout(() => { copy.textContent = "Copy"; }, 1500);
      } catch {
        // Without https there is no clipboard: leave the id selected for Ctrl+C.
        getSelection()?.selectAllChildren(code);
      }
    });
    setAttributes(copy, { "aria-label": `Copy the request id of ${this.side.name}` });
    return element("div", "request", element("span", "", "Request"), code, copy);
  }

  /**
   * Another take of its side lies over it: it stays painted, so that turning to it is a matter of compositing.
   * @param {Place} at
   * @param {{ isChosen: boolean, isShown: boolean, isSliding: boolean, isSecond: boolean }} how
   */
  place(at, { isChosen, isShown, isSliding, isSecond }) {
    const { left, right, top, bottom } = spanOf(at);
    put(this.node, { left: at.room.x, width: at.room.width });
    put(this.frame, { width: at.width, height: at.height });
    this.frame.style.transform = `translate(${at.x}px, ${at.y}px)`;
    this.node.classList.toggle("aside", !isChosen);
    this.node.classList.toggle("shown", isShown);
    this.node.inert = !isShown;
    const isOnRight = isSliding && isSecond;
    const sides = { left: isOnRight ? null : left + 8, right: isOnRight ? at.room.width - right + 8 : null };
    const maxWidth = Math.max(40, (right - left) * (isSliding ? 0.5 : 1) - 16);
    put(this.chip, { ...sides, maxWidth, top: top + 8 });
    put(this.notes, { ...sides, maxWidth, bottom: at.room.height - bottom + 18 });
    put(this.line, { left: left + 8, width: Math.max(0, right - left - 16), top: bottom - 11 });
  }
}

/**
 * @param {HTMLElement} node
 * @param {Partial<Record<"left" | "right" | "top" | "bottom" | "width" | "height" | "maxWidth", number | null>>} lengths
 */
export function put(node, lengths) {
  for (const [side, value] of Object.entries(lengths)) {
    node.style.setProperty(side === "maxWidth" ? "max-width" : side, value === null ? "auto" : `${value}px`);
  }
}
