// Roles: a selectable grid is a multi-select listbox, whose keys (arrows, Space, Shift, Ctrl+A) are the ones
// built here; any other is a list of buttons. role="grid" would need rows, and rows change with the window.

const COLUMNS = [2, 3, 4, 5, 6, 10, 12, 15, 20]; // they divide 60, so that a full page has no ragged last row
const DEBOUNCE_MS = 150;
const DIALOG_WAIT_MS = 30_000;
const LEAST_SHARE_SHOWN = 0.75; // a picture that would lose more to the frame is shown whole
const RETRY_AFTER_MS = 10_000;

// The view outlives its elements: Streamlit mounts a component anew when it moves on the page.
const views = new Map();
const grids = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  let grid = grids.get(parentElement);
  if (!grid) {
    grid = new Grid(parentElement);
    grids.set(parentElement, grid);
  }
  grid.update(data, component);
  return () => {
    // Streamlit also calls this for a call that a newer one replaced; the elements are still in use then.
    if (!parentElement.isConnected) {
      grid.dispose();
      grids.delete(parentElement);
    }
  };
}

function viewOf(key) {
  if (!views.has(key)) {
    views.set(key, {
      selected: new Set(),
      before: new Set(), // the selection a range is added to
      anchor: null,
      isWalking: false, // with Shift and arrows
      active: null,
      activeIndex: 0,
      epoch: 0,
      turn: 0,
      unsent: false,
    });
  }
  return views.get(key);
}

class Grid {
  constructor(parent) {
    this.parent = parent;
    this.entries = new Map();
    this.cards = [];
    this.columns = 2;
    this.root = element("div", "grid");
    this.status = element("div", "status");
    this.status.setAttribute("role", "status");
    parent.append(this.root, this.status);

    this.root.addEventListener("click", (event) => this.onClick(event));
    this.root.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("focusin", (event) => this.onFocus(event));
    this.root.addEventListener("mousedown", (event) => {
      if (event.shiftKey) event.preventDefault(); // or the browser selects the text in between
    });
    // A button elsewhere must find the selection on the server: what is unsent leaves before its click does.
    this.beforeOthers = (event) => {
      if (!event.composedPath().includes(this.root) || !this.owns(event)) this.flush();
    };
    window.addEventListener("pointerdown", this.beforeOthers, true);
    window.addEventListener("keydown", this.beforeOthers, true);
    this.resize = new ResizeObserver(() => this.layOut());
    this.resize.observe(this.root);
  }

  dispose() {
    clearTimeout(this.timer);
    this.stopWatching?.();
    this.resize.disconnect();
    window.removeEventListener("pointerdown", this.beforeOthers, true);
    window.removeEventListener("keydown", this.beforeOthers, true);
  }

  // ---- from the server

  update(data, { setStateValue, setTriggerValue }) {
    const isNew = this.view === undefined || this.data.key !== data.key;
    this.view = viewOf(data.key);
    this.data = data;
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;

    const { root, view } = this;
    root.dataset.aspect = data.aspect;
    root.dataset.click = data.click;
    root.toggleAttribute("data-selectable", data.selectable);
    root.setAttribute("role", data.selectable ? "listbox" : "list");
    root.setAttribute("aria-label", data.label);
    if (data.selectable) root.setAttribute("aria-multiselectable", "true");
    else root.removeAttribute("aria-multiselectable");

    for (const [id, epoch] of Object.entries(data.dropped)) {
      if (epoch <= view.epoch) continue;
      view.selected.delete(id);
      view.before.delete(id);
    }
    view.epoch = data.epoch;

    this.place(data.cards);
    this.layOut();
    this.paintSelection();
    // Mounted anew, after a visit to another page for instance: the server has forgotten the selection.
    if (isNew && (view.unsent || (data.turn !== view.turn && view.selected.size > 0))) this.send();
  }

  place(cards) {
    const focused = this.parent.activeElement?.closest?.(".card")?.dataset.id;
    this.cards = cards;
    const shown = new Set(cards.map((card) => card.id));
    for (const [id, entry] of this.entries) {
      if (shown.has(id)) continue;
      entry.item.remove();
      this.entries.delete(id);
    }
    let next = this.root.firstElementChild;
    cards.forEach((card, index) => {
      let entry = this.entries.get(card.id);
      if (!entry) {
        entry = newEntry(card.id);
        this.entries.set(card.id, entry);
      }
      if (entry.item === next) next = next.nextElementSibling;
      else this.root.insertBefore(entry.item, next);
      entry.index = index;
      fill(entry, card, this.data);
    });

    const { view } = this;
    if (!shown.has(view.active)) {
      view.active = cards[Math.min(view.activeIndex, cards.length - 1)]?.id ?? null;
    }
    this.rove(view.active);
    // Moving a node in the document takes the focus from it, and so does removing it.
    if (focused !== undefined && !this.parent.activeElement) this.focus(view.active, { preventScroll: true });
  }

  layOut() {
    const style = getComputedStyle(this.root);
    const width = this.root.clientWidth - 2 * parseFloat(style.paddingLeft);
    if (width <= 0) return;
    const gap = parseFloat(style.columnGap);
    const cardWidth = (count) => (width - gap * (count - 1)) / count;
    const min = this.data.minCardPx;
    this.columns = COLUMNS.findLast((count) => cardWidth(count) >= min)
      ?? (cardWidth(2) >= Math.min(min, Math.max(140, 0.6 * min)) ? 2 : 1); // a phone shows two
    this.root.style.setProperty("--columns", this.columns);
  }

  paintSelection() {
    let count = 0;
    for (const [id, { button }] of this.entries) {
      const isSelected = this.view.selected.has(id);
      count += isSelected;
      if (this.data.selectable) button.setAttribute("aria-selected", isSelected);
      else button.removeAttribute("aria-selected");
    }
    this.root.toggleAttribute("data-selecting", this.data.selectable && count > 0);
    return count;
  }

  // ---- to the server

  changed({ announce = false } = {}) {
    const count = this.paintSelection();
    if (announce) this.status.textContent = count ? `${count} selected` : "Nothing selected";
    this.view.unsent = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), DEBOUNCE_MS);
  }

  flush() {
    if (this.view?.unsent) this.send();
  }

  send() {
    clearTimeout(this.timer);
    const { view } = this;
    view.unsent = false;
    view.turn += 1;
    const ids = this.cards.map((card) => card.id).filter((id) => view.selected.has(id));
    this.setStateValue("selection", { ids, turn: view.turn, epoch: view.epoch });
  }

  open(id) {
    this.flush(); // before, because a later rerun would close the dialog that this one opens
    this.setTriggerValue("opened", id);
    this.watchDialog(id);
  }

  // The shadow root hides the card from the dialog's own way of giving the focus back.
  watchDialog(id) {
    this.stopWatching?.();
    const count = () => document.querySelectorAll('[role="dialog"]').length;
    const before = count();
    let isSeen = false;
    const observer = new MutationObserver(() => {
      if (count() > before) {
        isSeen = true;
        clearTimeout(timeout);
      } else if (isSeen) {
        this.stopWatching();
        setTimeout(() => this.takeFocusBack(id), 50); // after the dialog has tried by itself
      }
    });
    const timeout = setTimeout(() => this.stopWatching(), DIALOG_WAIT_MS);
    observer.observe(document.body, { childList: true, subtree: true });
    this.stopWatching = () => {
      clearTimeout(timeout);
      observer.disconnect();
    };
  }

  takeFocusBack(id) {
    const now = document.activeElement;
    if (now && now !== document.body && now !== this.parent.host) return;
    this.focus(this.entries.has(id) ? id : this.view.active, { preventScroll: true });
  }

  // ---- focus

  rove(id) {
    for (const [other, { button }] of this.entries) button.tabIndex = other === id ? 0 : -1;
  }

  focus(id, options) {
    this.entries.get(id)?.button.focus(options);
  }

  onFocus(event) {
    const id = event.target.closest(".card")?.dataset.id;
    if (id === undefined) return;
    this.view.active = id;
    this.view.activeIndex = this.entries.get(id).index;
    this.rove(id);
  }

  target(key, index) {
    const last = this.cards.length - 1;
    const { columns } = this;
    const rowOf = (i) => Math.floor(i / columns);
    switch (key) {
      case "ArrowLeft": return Math.max(0, index - 1);
      case "ArrowRight": return Math.min(last, index + 1);
      case "Home": return 0;
      case "End": return last;
    }
    const rows = key.startsWith("Page") ? this.rowsInWindow() : 1;
    if (key === "ArrowUp" || key === "PageUp") {
      return index - columns * Math.min(rows, rowOf(index));
    }
    return Math.min(last, index + columns * Math.min(rows, rowOf(last) - rowOf(index)));
  }

  rowsInWindow() {
    const [first, below] = [this.cards[0], this.cards[this.columns]].map((card) => this.entries.get(card?.id));
    if (!below) return 1;
    const height = below.item.offsetTop - first.item.offsetTop;
    return Math.max(1, Math.floor((window.innerHeight - 144) / height));
  }

  // ---- keys and clicks

  // What a key means here, or undefined when it belongs to somebody else.
  meaning(event) {
    if (event.altKey || event.isComposing) return undefined;
    const { selectable } = this.data;
    if (event.ctrlKey || event.metaKey) return selectable && event.key.toLowerCase() === "a" ? "all" : undefined;
    if (/^(Arrow(Left|Right|Up|Down)|Home|End|Page(Up|Down))$/.test(event.key)) return "move";
    if (event.key === "Enter") return "open";
    if (event.key === " ") return selectable ? "select" : "open";
    if (event.key === "Escape" && this.root.hasAttribute("data-selecting")) return "clear";
    return undefined;
  }

  owns(event) {
    return event.type === "pointerdown" || this.meaning(event) !== undefined;
  }

  onKey(event) {
    const id = event.target.closest(".card")?.dataset.id;
    const meaning = id === undefined ? undefined : this.meaning(event);
    if (meaning === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (meaning === "move") {
      const target = this.cards[this.target(event.key, this.entries.get(id).index)].id;
      this.walk(event.shiftKey && this.data.selectable, id, target);
      this.focus(target);
    } else if (meaning === "all") {
      for (const card of this.cards) this.view.selected.add(card.id);
      this.changed({ announce: true });
    } else if (meaning === "clear") {
      this.view.selected.clear();
      this.view.before.clear();
      this.view.anchor = null;
      this.changed({ announce: true });
    } else if (!event.repeat) {
      if (meaning === "open") this.open(id);
      else if (event.shiftKey) this.selectRange(id, id);
      else this.toggle(id);
    }
  }

  onClick(event) {
    const id = event.target.closest(".card")?.dataset.id;
    if (id === undefined) return;
    const { selectable, click } = this.data;
    const previous = this.view.active;
    this.focus(id, { preventScroll: true });
    if (selectable && event.shiftKey) this.selectRange(previous, id);
    else if (selectable && (click === "select" || event.ctrlKey || event.metaKey || event.target.closest(".mark"))) {
      this.toggle(id);
    } else if (event.detail < 2) this.open(id); // a double click opens once
  }

  onDoubleClick(event) {
    const id = event.target.closest(".card")?.dataset.id;
    const isMeant = id !== undefined && !event.target.closest(".mark") && !event.shiftKey;
    if (isMeant && this.data.click === "select") this.open(id);
  }

  toggle(id) {
    const { view } = this;
    if (!view.selected.delete(id)) view.selected.add(id);
    view.anchor = id;
    view.before = new Set(view.selected);
    view.isWalking = false;
    this.changed();
  }

  // A walk with Shift starts where the focus is, not at the card that was last toggled.
  walk(isSelecting, from, to) {
    const { view } = this;
    if (isSelecting && !view.isWalking) view.anchor = null;
    if (isSelecting) this.selectRange(from, to);
    else if (view.isWalking) view.before = new Set(view.selected);
    view.isWalking = isSelecting;
  }

  // From the anchor, or from `start` if there is none. Going back takes cards out again.
  selectRange(start, target) {
    const { view } = this;
    if (!this.entries.has(view.anchor)) {
      view.anchor = start ?? target;
      view.before = new Set(view.selected);
    }
    const ends = [view.anchor, target].map((id) => this.entries.get(id).index);
    view.selected = new Set(view.before);
    for (let i = Math.min(...ends); i <= Math.max(...ends); i++) view.selected.add(this.cards[i].id);
    this.changed({ announce: true });
  }
}

// ---- elements of a card

function newEntry(id) {
  const entry = {
    index: 0,
    card: null,
    item: element("div", "item"),
    button: element("div", "card"),
    picture: element("div", "picture"),
    img: element("img"),
    tile: element("div", "tile"),
    problem: element("div"),
    badge: element("div", "badge"),
    mark: element("div", "mark"),
    title: element("div", "title"),
    subtitle: element("div", "subtitle"),
  };
  const { item, button, picture, img, tile, problem, badge, mark, title, subtitle } = entry;
  button.dataset.id = id;
  button.tabIndex = -1;
  for (const text of [badge, problem, title, subtitle]) text.dir = "auto";
  img.loading = "lazy";
  img.decoding = "async";
  img.draggable = false;
  img.addEventListener("load", () => {
    showWholeIfNeeded(entry);
    picture.classList.add("loaded");
    picture.classList.remove("failed");
  });
  img.addEventListener("error", () => {
    entry.failedAt = performance.now();
    picture.classList.add("failed");
    picture.classList.remove("loaded");
  });
  mark.setAttribute("aria-hidden", "true");
  mark.append(drawing("0 0 20 20", "M5.6 10.3l2.9 2.9 5.9-6.2"));
  tile.append(drawing("0 0 24 24", "M5 5.5h14v13H5zM3.5 20L20.5 4"), problem);
  tile.firstChild.setAttribute("aria-hidden", "true");
  picture.append(img, tile, badge, mark);
  button.append(picture, title, subtitle);
  item.append(button);
  return entry;
}

function fill(entry, card, { selectable, fit, aspect }) {
  const { item, button, picture, img, problem, badge, title, subtitle } = entry;
  item.setAttribute("role", selectable ? "none" : "listitem");
  button.setAttribute("role", selectable ? "option" : "button");
  setText(title, card.title);
  setText(subtitle, card.subtitle);
  setText(badge, card.badge);
  setText(problem, card.problem || "Picture cannot be shown");
  title.title = card.title;
  subtitle.title = card.subtitle;
  badge.title = card.badge;
  if (img.alt !== card.alt) img.alt = card.alt;
  // One name for the whole card: picture, title and subtitle would be read one after the other, twice the same.
  button.setAttribute("aria-label", [card.title, card.subtitle, card.badge].filter(Boolean).join(", "));

  if (card.picture_url === null) {
    img.removeAttribute("src");
    picture.classList.add("failed");
    picture.classList.remove("loaded");
  } else if (card.picture_url !== entry.card?.picture_url) {
    picture.classList.remove("failed", "loaded");
    img.src = card.picture_url;
  } else if (picture.classList.contains("failed") && performance.now() - entry.failedAt > RETRY_AFTER_MS) {
    entry.failedAt = performance.now();
    img.src = card.picture_url; // it may be there by now
  }
  entry.card = card;
  entry.fit = fit;
  entry.boxRatio = { portrait: 4 / 5, square: 1, landscape: 3 / 2 }[aspect];
  showWholeIfNeeded(entry);
}

function showWholeIfNeeded({ picture, img, fit, boxRatio }) {
  const ratio = img.naturalWidth / img.naturalHeight || boxRatio;
  const share = Math.min(ratio / boxRatio, boxRatio / ratio);
  picture.classList.toggle("whole", fit === "contain" || share < LEAST_SHARE_SHOWN);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function element(tag, className = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  return node;
}

function drawing(viewBox, d) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", viewBox);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}
