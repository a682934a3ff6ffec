// The prompt box: a text area that tells the server what is typed while it is typed.
//
// Every message carries a number. The server echoes the newest number it has seen together with the text it
// holds: only when it has seen everything, a different text is its own doing (a recalled comparison) and wins.

const PAUSE_MS = 300;
const boxes = new WeakMap(); // by mount point: what is known of the text area in it

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".prompt");
  let box = boxes.get(root);
  if (!box) {
    box = { area: root.querySelector("textarea"), seen: data.echo, timer: 0 };
    boxes.set(root, box);
    box.area.value = data.text;
    box.area.addEventListener("input", () => {
      clearTimeout(box.timer);
      box.timer = setTimeout(() => send(box), PAUSE_MS);
      tellDraft(box);
    });
    box.area.addEventListener("blur", () => box.timer && send(box));
    box.area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(box.timer);
      box.timer = 0;
      box.seen += 1;
      tellDraft(box);
      box.submit({ text: box.area.value, number: box.seen });
    });
  }
  box.part = data.part;
  box.tell = (message) => setStateValue("typed", message);
  box.submit = (message) => setTriggerValue("submitted", message);
  box.area.setAttribute("aria-label", data.label);
  box.area.placeholder = data.placeholder;
  box.area.style.height = `${data.height}px`;
  const settled = !box.timer && data.echo === box.seen;
  if (settled && box.area.value !== data.text) box.area.value = data.text;
  tellDraft(box);
}

function send(box) {
  clearTimeout(box.timer);
  box.timer = 0;
  box.seen += 1;
  tellDraft(box);
  box.tell({ text: box.area.value, number: box.seen });
}

function tellDraft(box) {
  shows(box.part, box.area.value, box.seen, Boolean(box.timer));
}
