// What is selected, how much of it is not on this page, and what can be done with it. The clipboard and a form's
// download are the browser's own: the server hears of neither.

import { action, around, element, icon, keptUnder, setAttributes, setText } from "../dom.js";
/** @import { Mount } from "../dom.js" */
/** @import { SelectedPicture, SelectionBarData } from "../shapes.js" */

const SAID_MS = 4000;
const ZIP_FRAME = "studio-originals";

/** @type {WeakMap<ShadowRoot, Bar>} */
const bars = new WeakMap();

/** @param {Mount<SelectionBarData>} mount */
export default function ({ parentElement, data, setTriggerValue }) {
  const bar = keptUnder(bars, parentElement, () => new Bar(parentElement));
  bar.tell = (what, id = "") => setTriggerValue("pressed", { what, id });
  bar.show(data);
  return () => {
    if (!parentElement.isConnected) bars.delete(parentElement);
  };
}

class Bar {
  /** @type {SelectionBarData | null} */
  data = null;
  /** @type {(what: "use" | "clear" | "drop", id?: string) => void} */
  tell = () => {};
  isOpen = false;
  timer = 0;

  constructor(/** @type {ShadowRoot} */ mount) {
    this.count = element("span", "count");
    this.said = element("span", { class: "said", role: "status" });
    this.elsewhere = action("show", { class: "elsewhere", "aria-expanded": false });
    this.pictures = element("ul", { class: "pictures", "aria-label": "Selected and not on this page", hidden: true });
    this.use = action("use", { class: "main" }, "Use in Generate");
    this.zip = action("zip", { title: "Download the originals as one ZIP" }, "ZIP");
    this.copy = action("copy", { title: "Copy the S3 addresses" }, "Copy");
    const clear = action("clear", { title: "Clear selection", "aria-label": "Clear selection" }, "Clear");
    const words = element("div", "words", this.count, this.elsewhere, this.said);
    const acts = element("div", "acts", this.use, this.zip, this.copy, clear);
    const bar = element("div", { class: "bar", role: "region", "aria-label": "Selection" });
    bar.append(this.pictures, words, acts);
    bar.addEventListener("click", (event) => this.press(event));
    mount.append(bar);
  }

  show(/** @type {SelectionBarData} */ data) {
    this.data = data;
    setText(this.count, `${data.ids.length} selected`);
    setText(this.elsewhere, data.elsewhere ? `${data.elsewhere} not on this page` : "");
    this.elsewhere.hidden = data.elsewhere === 0;
    setAttributes(this.zip, {
      "aria-disabled": data.zip_problem ? true : null,
      title: data.zip_problem || "Download the originals as one ZIP",
    });
    this.pictures.replaceChildren(...data.pictures.map(selected));
    const more = data.elsewhere - data.pictures.length;
    if (more > 0) this.pictures.append(element("li", "more", `and ${more} more`));
    this.open(this.isOpen && data.elsewhere > 0);
  }

  open(/** @type {boolean} */ isOpen) {
    this.isOpen = isOpen;
    this.pictures.hidden = !isOpen;
    setAttributes(this.elsewhere, { "aria-expanded": isOpen });
  }

  press(/** @type {MouseEvent} */ event) {
    const pressed = around(event, "[data-do]");
    const what = pressed?.dataset.do;
    if (what === "show") this.open(!this.isOpen);
    else if (what === "copy") this.copyAddresses();
    else if (what === "zip") this.loadZip();
    else if (what === "drop") this.tell("drop", pressed?.dataset.id);
    else if (what === "use" || what === "clear") this.tell(what);
  }

  say(/** @type {string} */ text) {
    clearTimeout(this.timer);
    setText(this.said, text);
    this.timer = setTimeout(() => setText(this.said, ""), SAID_MS);
  }

  async copyAddresses() {
    const lines = this.data?.copied ?? [];
    const what = lines.length === 1 ? "S3 address" : `${lines.length} S3 addresses`;
    this.say((await copied(lines.join("\n"))) ? `Copied ${what}` : "Your browser keeps the clipboard to itself");
  }

  loadZip() {
    const { ids = [], zip_url = "", zip_field = "", zip_problem = "" } = this.data ?? {};
    if (zip_problem) {
      this.say(zip_problem);
      return;
    }
    // A download loads no document into the frame: what does is an answer that says why there is none.
    document.querySelector(`iframe[name="${ZIP_FRAME}"]`)?.remove();
    const frame = element("iframe", { name: ZIP_FRAME, title: "Download", hidden: true });
    const form = element("form", { method: "post", action: zip_url, target: ZIP_FRAME, hidden: true });
    form.append(...ids.map((id) => element("input", { type: "hidden", name: zip_field, value: id })));
    document.body.append(frame, form);
    form.submit();
    form.remove();
    frame.addEventListener("load", () => {
      if (frame.contentDocument?.URL !== "about:blank") this.say("No ZIP came: try again in half a minute");
    });
    this.say(`Loading ${ids.length === 1 ? "1 original" : `${ids.length} originals`}`);
  }
}

function selected(/** @type {SelectedPicture} */ { id, picture_url, name }) {
  const image = element("img", { src: picture_url, alt: "", loading: "lazy", draggable: false });
  const cross = icon("M7 7l10 10M17 7L7 17");
  const drop = action("drop", { "data-id": id, title: `Let go of ${name}`, "aria-label": `Let go of ${name}` }, cross);
  return element("li", { title: name }, image, drop);
}

/** Puts a text onto the clipboard, and says whether that could be done. */
async function copied(/** @type {string} */ text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedAsSelection(text); // a page without TLS has no clipboard, or the person has refused it
  }
}

function copiedAsSelection(/** @type {string} */ text) {
  const field = element("textarea", { readonly: true, style: "position: fixed; opacity: 0" });
  const before = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return isCopied;
}
