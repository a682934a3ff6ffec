// The tile picker in the browser. It answers at once and tells the server afterwards: every pick
// carries a number ("turn"), and data that is older than the newest pick never takes it back.

const views = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".picker");
  let view = views.get(root);
  if (!view) {
    view = { root, turn: 0, picked: null, focused: null, shape: "" };
    views.set(root, view);
    root.addEventListener("click", (event) => onClick(view, event));
    root.addEventListener("keydown", (event) => onKey(view, event));
    root.addEventListener("focusin", (event) => onFocus(view, event));
  }
  view.data = data;
  view.send = setStateValue;
  if (data.turn >= view.turn) {
    view.turn = data.turn;
    view.picked = data.picked;
  }
  build(view);
  paint(view);
  shows(data.part, view.picked, view.turn, false);
}

// Draws the elements only when the set of tiles has changed, so pictures are never loaded again.
function build(view) {
  const { label, columns, lines, tiles } = view.data;
  const shape = JSON.stringify([label, columns, lines, tiles]);
  if (shape === view.shape) return;
  view.shape = shape;

  const header = element("div", "header");
  const title = element("span", "label", label);
  title.id = "label";
  view.note = element("span", "note");
  header.append(title, view.note);

  view.group = element("div", "tiles");
  view.group.setAttribute("role", "group");
  view.group.setAttribute("aria-labelledby", "label");
  view.group.style.setProperty("--columns", columns);
  view.group.classList.toggle("narrow", columns > 4);
  view.buttons = tiles.map((tile, index) => button(tile, lines[Math.floor(index / columns)]));
  view.group.append(...view.buttons);
  view.root.replaceChildren(header, view.group);
}

function button(tile, lines) {
  const node = element("button", "tile");
  node.type = "button";
  node.dataset.id = tile.id;
  if (tile.disabled_reason) {
    // Not `disabled`: the keyboard must be able to reach the reason.
    node.setAttribute("aria-disabled", "true");
    node.setAttribute("aria-description", tile.disabled_reason);
  }
  node.title = tile.disabled_reason ?? tile.name;

  const frame = element("span", "frame");
  if (tile.picture_url) {
    const picture = element("img", "picture");
    picture.alt = tile.alt;
    picture.draggable = false;
    picture.decoding = "async";
    picture.addEventListener("error", () => picture.replaceWith(element("span", "plate", tile.name)));
    picture.src = tile.picture_url;
    frame.append(picture);
  } else {
    frame.append(element("span", "plate", tile.name));
  }
  frame.append(element("span", "mark", "proposed"));

  const name = element("span", "name", tile.name);
  name.style.setProperty("--lines", lines);
  node.append(frame, name);
  return node;
}

function paint(view) {
  const { tiles, note, proposed } = view.data;
  if (view.note.textContent !== note) view.note.textContent = note;
  const ids = tiles.map((tile) => tile.id);
  const home = [view.focused, view.picked, proposed, ids[0]].find((id) => ids.includes(id));
  view.buttons.forEach((node, index) => {
    const tile = tiles[index];
    const isPicked = tile.id === view.picked;
    const isProposed = tile.id === proposed && view.picked === null;
    node.setAttribute("aria-pressed", String(isPicked));
    node.setAttribute("aria-label", isProposed ? `${tile.name}, proposed` : tile.name);
    node.classList.toggle("proposed", isProposed);
    node.tabIndex = tile.id === home ? 0 : -1;
  });
}

function onClick(view, event) {
  const node = event.target.closest(".tile");
  if (!node || node.getAttribute("aria-disabled") === "true") return;
  view.picked = node.dataset.id === view.picked ? null : node.dataset.id;
  view.turn += 1;
  paint(view);
  shows(view.data.part, view.picked, view.turn, false);
  view.send("answer", { turn: view.turn, picked: view.picked });
}

function onKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const last = view.buttons.length - 1;
  const from = view.buttons.indexOf(event.target.closest(".tile"));
  const columns = view.data.columns;
  const to = {
    ArrowLeft: from - 1,
    ArrowRight: from + 1,
    ArrowUp: from - columns,
    ArrowDown: from + columns,
    Home: 0,
    End: last,
  }[event.key];
  if (from < 0 || to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (to >= 0 && to <= last) view.buttons[to].focus();
}

// The tile that had the focus last is where Tab comes back to.
function onFocus(view, event) {
  const node = event.target.closest(".tile");
  if (!node) return;
  view.focused = node.dataset.id;
  view.buttons.forEach((other) => (other.tabIndex = other === node ? 0 : -1));
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
