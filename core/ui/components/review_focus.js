// The review desk in the browser. A key acts at once: the decision goes into an outbox and the next picture is shown,
// and the outbox is sent until the server has said of each decision that it is kept. A copy in the session storage
// survives a reload. Decisions carry random ids, so sending one twice does no harm.

const AHEAD = 6; // pictures decoded before they are needed
const GATHER_MS = 150; // fast keys travel together
const RESEND_MS = 4000;
const STRIP = 16;

const desks = new Map(); // by the component's key: what a person is in the middle of outlives a redraw

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".desk");
  const desk = desks.get(data.key) ?? open(data.key);
  desk.send = (message) => setStateValue("outbox", message);
  if (desk.root !== root) {
    desk.root = root;
    furnish(desk);
  }
  take(desk, data);
  paint(desk);
  flush(desk);
  return () => {
    if (!root.isConnected) clearInterval(desk.timer);
  };
}

function open(key) {
  const desk = { key, queue: null, items: new Map(), order: [], at: 0, editing: null, drafts: new Map() };
  Object.assign(desk, { outbox: [], decided: new Map(), undone: new Set(), turn: 0, ahead: new Map(), goal: null });
  try {
    const kept = JSON.parse(sessionStorage.getItem(stored(desk)) ?? "null");
    if (Array.isArray(kept?.outbox)) desk.outbox = kept.outbox;
  } catch {
    // a damaged copy is no copy
  }
  desks.set(key, desk);
  return desk;
}

function stored(desk) {
  return `studio.review.${desk.key}`;
}

// What the server says: new items join at the end, known ones are renewed, kept decisions leave the outbox.
function take(desk, data) {
  desk.data = data;
  if (desk.queue !== data.queue) {
    Object.assign(desk, { queue: data.queue, items: new Map(), order: [], at: 0, editing: null });
    desk.drafts.clear();
    desk.decided.clear();
  }
  const kept = new Set(data.kept);
  const known = new Set(desk.order);
  desk.outbox = desk.outbox.filter((decision) => !kept.has(decision.id));
  for (const item of data.items) {
    desk.items.set(item.id, item);
    if (!known.has(item.id)) desk.order.push(item.id);
    // the server offers an undone item again
    if (desk.decided.has(item.id) && kept.has(desk.decided.get(item.id).undo)) desk.decided.delete(item.id);
  }
  for (const decision of desk.outbox) {
    if (decides(decision) && !desk.decided.has(decision.item)) desk.decided.set(decision.item, decision);
  }
  for (const lost of data.conflicts) desk.decided.delete(lost.item);
  remember(desk);
  if (desk.goal && desk.items.has(desk.goal)) {
    desk.at = desk.order.indexOf(desk.goal);
    desk.goal = null;
  } else if (desk.decided.has(desk.order[desk.at])) {
    forward(desk);
  }
}

function remember(desk) {
  try {
    if (desk.outbox.length) sessionStorage.setItem(stored(desk), JSON.stringify({ outbox: desk.outbox }));
    else sessionStorage.removeItem(stored(desk));
  } catch {
    // without storage only the reload is unprotected
  }
}

function flush(desk) {
  clearTimeout(desk.gathering);
  clearInterval(desk.timer);
  if (!desk.outbox.length) return;
  const post = () => {
    desk.turn += 1;
    desk.send({ turn: `${desk.turn} ${Math.random()}`, decisions: desk.outbox });
  };
  if (desk.outbox.some((decision) => !decision.posted)) {
    desk.gathering = setTimeout(() => {
      for (const decision of desk.outbox) decision.posted = true;
      post();
    }, GATHER_MS);
  }
  desk.timer = setInterval(post, RESEND_MS);
}

// ---- what a person does

function current(desk) {
  return desk.items.get(desk.order[desk.at]);
}

function decide(desk, kind) {
  const item = current(desk);
  if (!item || desk.decided.has(item.id)) return;
  const draft = desk.drafts.get(item.id) ?? {};
  const isCorrection = kind === "accept" && Object.keys(draft).length > 0;
  post(desk, {
    kind: isCorrection ? "correct" : kind,
    item: item.id,
    seen: item.seen,
    values: kind === "skip" ? {} : draft,
  });
  desk.editing = null;
  forward(desk);
  paint(desk);
}

function post(desk, decision) {
  decision.id = crypto.randomUUID();
  desk.outbox.push(decision);
  if (decides(decision)) desk.decided.set(decision.item, decision);
  remember(desk);
  flush(desk);
}

// To take something back, or to have seen that a race was lost, leaves the picture to be decided about.
function decides(decision) {
  return decision.kind !== "undo" && decision.kind !== "seen";
}

// To the next picture that waits for a decision; at the end, to the first that was left.
function forward(desk) {
  const waiting = (id) => !desk.decided.has(id);
  const next = desk.order.findIndex((id, index) => index > desk.at && waiting(id));
  const first = next < 0 ? desk.order.findIndex(waiting) : next;
  desk.at = first < 0 ? desk.order.length : first;
  desk.editing = null;
}

function step(desk, by) {
  desk.at = Math.min(Math.max(desk.at + by, 0), Math.max(desk.order.length - 1, 0));
  desk.editing = null;
  paint(desk);
}

// What may be undone: what the server keeps of this person, then what is still on its way to it.
function undoable(desk) {
  const server = desk.data.undoable.filter((each) => !desk.undone.has(each.decision));
  const known = new Set(desk.data.undoable.map((each) => each.decision));
  const own = desk.outbox.filter((decision) => decides(decision) && !desk.undone.has(decision.id));
  const on = own.filter((decision) => !known.has(decision.id));
  const settled = [...desk.decided.values()].filter(
    (decision) => !known.has(decision.id) && !desk.undone.has(decision.id) && !own.includes(decision),
  );
  return [...server, ...[...settled, ...on].map((decision) => ({ decision: decision.id, item: decision.item }))];
}

function undo(desk) {
  const last = undoable(desk).at(-1);
  if (!last) return;
  desk.undone.add(last.decision);
  const taken = desk.decided.get(last.item);
  const unsent = desk.outbox.find((decision) => decision.id === last.decision && !decision.posted);
  desk.decided.delete(last.item);
  if (taken && Object.keys(taken.values ?? {}).length) desk.drafts.set(last.item, { ...taken.values });
  if (unsent) {
    desk.outbox = desk.outbox.filter((decision) => decision !== unsent);
    remember(desk);
  } else {
    post(desk, { kind: "undo", item: last.item, undoes: last.decision, seen: "", values: {} });
  }
  if (desk.items.has(last.item)) desk.at = desk.order.indexOf(last.item);
  else desk.goal = last.item;
  desk.editing = null;
  paint(desk);
}

function edit(desk, name) {
  desk.editing = desk.editing === name ? null : name;
  paint(desk);
  const open = desk.root.querySelector(`[data-field="${CSS.escape(name)}"] input`);
  if (desk.editing && open) {
    open.focus();
    open.select();
  }
}

function setValue(desk, name, value) {
  const item = current(desk);
  if (!item || desk.decided.has(item.id)) return;
  const draft = { ...(desk.drafts.get(item.id) ?? {}) };
  if (value === (item.values[name]?.value ?? null)) delete draft[name];
  else draft[name] = value;
  if (Object.keys(draft).length) desk.drafts.set(item.id, draft);
  else desk.drafts.delete(item.id);
  desk.editing = null;
  paint(desk);
  desk.root.focus({ preventScroll: true });
}

function settle(desk, conflict, mine) {
  const item = desk.items.get(conflict.item);
  desk.at = desk.order.indexOf(conflict.item);
  if (mine && item) desk.drafts.set(conflict.item, { ...conflict.mine });
  else desk.drafts.delete(conflict.item);
  post(desk, { kind: "seen", item: conflict.item, seen: "", values: {}, undoes: conflict.decision });
  desk.data.conflicts = desk.data.conflicts.filter((each) => each !== conflict);
  if (mine && item) decide(desk, "accept");
  paint(desk);
  desk.root.focus({ preventScroll: true }); // the button that had it is gone
}

function onKey(desk, event) {
  const undoKey = event.key.toLowerCase() === "z" && !event.altKey && !event.shiftKey;
  if (event.target.matches("input")) {
    if (event.key === "Escape") edit(desk, desk.editing);
    else if (event.key === "Enter") setValue(desk, desk.editing, event.target.value.trim() || null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    desk.root.focus({ preventScroll: true });
    return;
  }
  if (event.altKey || ((event.ctrlKey || event.metaKey) && !undoKey)) return;
  if (event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.key === "Enter" && event.target.closest("button")) return; // that button's own
  const acted = undoKey ? undo(desk) ?? true : act(desk, event.key);
  if (!acted) return;
  event.preventDefault();
  event.stopPropagation();
}

function act(desk, key) {
  const fields = desk.data.fields;
  const digit = /^[1-9]$/.test(key) ? Number(key) - 1 : -1;
  if (digit >= 0 && desk.editing) {
    const choice = choices(fields.find((field) => field.name === desk.editing))[digit];
    if (choice) setValue(desk, desk.editing, choice.value);
  } else if (digit >= 0 && fields[digit]) edit(desk, fields[digit].name);
  else if (key === "a" || key === "A" || key === "Enter") decide(desk, "accept");
  else if (key === "s" || key === "S") decide(desk, "skip");
  else if (key === "ArrowRight" || key === "ArrowLeft") step(desk, key === "ArrowRight" ? 1 : -1);
  else if (key === "Escape" && desk.editing) edit(desk, desk.editing);
  else return false;
  return true;
}

// ---- what is drawn

function furnish(desk) {
  const { root } = desk;
  root.tabIndex = 0;
  root.setAttribute("role", "application");
  root.setAttribute("aria-label", "Label review. A accepts, S skips, Z undoes, digits edit a field, arrows look around.");
  root.addEventListener("keydown", (event) => onKey(desk, event));
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const { do: what, name, value } = button.dataset;
    if (what === "edit") edit(desk, name);
    else if (what === "set") setValue(desk, name, value === "" ? null : value);
    else if (what === "go") Object.assign(desk, { at: Number(value), editing: null }), paint(desk);
    else if (what === "undo") undo(desk);
    else if (what === "mine" || what === "theirs") settle(desk, desk.data.conflicts[Number(value)], what === "mine");
    else decide(desk, what);
  });
  desk.parts = {
    picture: node("img", { className: "picture", decoding: "sync" }),
    plate: node("div", { className: "plate" }),
    strip: node("div", { className: "strip" }),
    side: node("div", { className: "side" }),
    notes: node("div", { className: "notes" }),
    words: node("div", { className: "words" }),
    fields: node("div", { className: "fields" }),
    foot: node("div", { className: "foot" }),
    live: node("div", { className: "live" }),
  };
  const { picture, plate, strip, side, notes, words, fields, foot, live } = desk.parts;
  live.setAttribute("aria-live", "polite");
  picture.addEventListener("error", () => plate.classList.add("broken"));
  picture.addEventListener("load", () => plate.classList.remove("broken"));
  plate.append(picture, node("p", { className: "missing", textContent: "This picture cannot be shown" }));
  const left = node("div", { className: "left" });
  left.append(plate, strip);
  side.append(notes, words, fields, foot);
  root.replaceChildren(left, side, live);
  // keys act from the first moment, unless a person is typing somewhere else
  if (document.activeElement === document.body) root.focus({ preventScroll: true });
}

function paint(desk) {
  const { root, parts, data } = desk;
  const item = current(desk);
  root.classList.toggle("empty", !item);
  parts.notes.replaceChildren(...data.conflicts.map((lost, index) => conflict(lost, index)));
  if (item) {
    if (parts.picture.getAttribute("src") !== item.picture_url) parts.picture.src = item.picture_url;
    parts.picture.alt = item.alt;
    parts.words.replaceChildren(
      node("h3", { textContent: item.reason || "Label" }),
      node("p", { className: "detail", textContent: item.detail }),
      node("p", { className: "path", textContent: item.title, title: item.title }),
    );
    const typed = typedIn(desk, item);
    parts.fields.replaceChildren(...data.fields.map((field, index) => row(desk, item, field, index)));
    typeOn(desk, typed);
  } else {
    parts.words.replaceChildren(
      node("h3", { textContent: data.left ? "More is on its way" : "Nothing waits for a decision" }),
      node("p", { className: "path", textContent: data.left ? "" : "Change the filters to look at other labels." }),
    );
    parts.fields.replaceChildren();
    parts.picture.removeAttribute("src");
    parts.picture.alt = "";
  }
  parts.strip.replaceChildren(...strip(desk));
  parts.foot.replaceChildren(...foot(desk, item));
  const spoken = item ? `${item.reason || "Label"}. ${item.alt}` : "Nothing waits for a decision";
  if (parts.live.textContent !== spoken) parts.live.textContent = spoken;
  decodeAhead(desk);
}

// What a person is typing outlives a redraw: the server may answer in the middle of a word.
function typedIn(desk, item) {
  const input = desk.parts.fields.querySelector("input");
  const isSame = input && desk.typing === `${item.id} ${desk.editing}`;
  desk.typing = `${item.id} ${desk.editing}`;
  if (!isSame) return null;
  return { value: input.value, from: input.selectionStart, to: input.selectionEnd, isFocused: input.matches(":focus") };
}

function typeOn(desk, typed) {
  const input = desk.parts.fields.querySelector("input");
  if (!typed || !input) return;
  input.value = typed.value;
  if (!typed.isFocused) return;
  input.focus({ preventScroll: true });
  input.setSelectionRange(typed.from, typed.to);
}

function conflict(lost, index) {
  const box = node("div", { className: "conflict" });
  const buttons = node("div", { className: "choices" });
  buttons.append(button(lost.can_insist ? "Keep theirs" : "OK", "theirs", { value: index }));
  if (lost.can_insist) buttons.append(button("Use mine", "mine", { value: index }));
  box.append(node("p", { textContent: lost.says }), buttons);
  return box;
}

function row(desk, item, field, index) {
  const draft = desk.drafts.get(item.id) ?? {};
  const machine = item.values[field.name] ?? { value: null, by: "", confidence: null, others: [] };
  const isDrafted = field.name in draft;
  const value = isDrafted ? draft[field.name] : machine.value;
  const box = node("div", { className: "field" });
  box.dataset.field = field.name;
  box.classList.toggle("open", desk.editing === field.name);

  const head = button("", "edit", { name: field.name, className: "head" });
  head.setAttribute("aria-expanded", String(desk.editing === field.name));
  const text = node("span", { className: "text" });
  text.append(
    node("span", { className: "name", textContent: field.label }),
    node("span", { className: value === null ? "value unsaid" : "value", textContent: shown(field, value) }),
  );
  if (isDrafted && machine.value !== null) {
    text.append(node("s", { className: "before", textContent: shown(field, machine.value) }));
  }
  head.append(node("kbd", { textContent: String(index + 1) }), text, surety(machine, isDrafted));
  box.append(head);
  for (const other of machine.others) box.append(node("p", { className: "other", textContent: other }));
  if (desk.editing === field.name) box.append(editor(field, value));
  return box;
}

function shown(field, value) {
  if (value === null) return unsaid(field);
  return field.choices.find((choice) => choice.value === value)?.label ?? value;
}

function surety(machine, isDrafted) {
  const box = node("span", { className: "surety" });
  if (isDrafted) {
    box.append(node("span", { textContent: "you" }));
  } else if (machine.confidence === null) {
    box.append(node("span", { textContent: machine.value === null ? "" : machine.by }));
  } else {
    const percent = Math.round(machine.confidence * 100);
    const isLow = machine.confidence < 0.6;
    const bar = node("span", { className: isLow ? "bar low" : "bar" });
    bar.style.setProperty("--part", `${percent}%`);
    box.append(node("span", { className: isLow ? "percent low" : "percent", textContent: `${percent} %` }), bar);
    box.title = `${machine.by}: ${percent} % sure`;
  }
  return box;
}

function choices(field) {
  return [...field.choices, { value: null, label: unsaid(field) }];
}

// Of a picture one can be unsure; that nobody has noted anything is certain.
function unsaid(field) {
  return field.choices.length ? "unsure" : "none";
}

function editor(field, value) {
  const box = node("div", { className: "choices" });
  choices(field).forEach((choice, index) => {
    const each = button("", "set", { name: field.name, value: choice.value ?? "" });
    if (index < 9) each.append(node("kbd", { textContent: String(index + 1) }));
    each.append(choice.label);
    each.setAttribute("aria-pressed", String(choice.value === value));
    box.append(each);
  });
  if (field.is_free) {
    const input = node("input", { value: value ?? "", placeholder: "other, then Enter", maxLength: 60 });
    input.setAttribute("aria-label", field.label);
    box.append(input);
  }
  return box;
}

function strip(desk) {
  const from = Math.max(0, Math.min(desk.at - 3, desk.order.length - STRIP));
  return desk.order.slice(from, from + STRIP).map((id, offset) => {
    const item = desk.items.get(id);
    const index = from + offset;
    const decision = desk.decided.get(id);
    const each = button("", "go", { value: index, className: "tile" });
    const mark = { skip: "skipped", correct: "corrected", accept: "accepted" }[decision?.kind];
    each.classList.toggle("done", Boolean(decision));
    each.setAttribute("aria-label", mark ? `${item.alt}, ${mark}` : item.alt);
    if (index === desk.at) each.setAttribute("aria-current", "true");
    const picture = node("img", { src: item.thumbnail_url, alt: item.alt, decoding: "async" });
    picture.addEventListener("error", () => each.classList.add("broken"));
    each.append(picture);
    if (decision) each.append(node("span", { className: "tick", textContent: decision.kind === "skip" ? "–" : "✓" }));
    return each;
  });
}

function foot(desk, item) {
  const isDone = Boolean(item && desk.decided.has(item.id));
  const isDrafted = Boolean(item && desk.drafts.has(item.id));
  const accept = button(isDrafted ? "Save correction" : "Accept", "accept", { className: "primary", hint: "A" });
  const skip = button("Skip", "skip", { hint: "S" });
  const back = button("Undo", "undo", { hint: "Z" });
  accept.disabled = !item || isDone;
  skip.disabled = !item || isDone;
  back.disabled = undoable(desk).length === 0;
  const buttons = node("div", { className: "buttons" });
  buttons.append(accept, skip, back);
  const status = node("div", { className: "status" });
  const digits = desk.data.fields.length;
  const waiting = desk.outbox.length;
  const kept = desk.data.trouble
    ? `${waiting} kept in this browser · ${desk.data.trouble}`
    : waiting
      ? `saving ${waiting}…`
      : "all saved";
  const ahead = desk.outbox.filter((decision) => ["accept", "correct"].includes(decision.kind)).length;
  const left = Math.max(0, desk.data.left - ahead);
  status.append(
    node("span", { textContent: `1–${digits} edit a field · ← → look around` }),
    node("span", {
      className: desk.data.trouble ? "trouble" : "",
      textContent: `${kept} · ${left.toLocaleString("en")} left`,
    }),
  );
  return [buttons, status];
}

// The next pictures are decoded while this one is looked at; those behind are let go.
function decodeAhead(desk) {
  const wanted = desk.order.slice(desk.at, desk.at + 1 + AHEAD).map((id) => desk.items.get(id).picture_url);
  for (const url of [...desk.ahead.keys()]) if (!wanted.includes(url)) desk.ahead.delete(url);
  for (const url of wanted) {
    if (desk.ahead.has(url)) continue;
    const picture = new Image();
    picture.src = url;
    picture.decode().catch(() => {}); // said when it is shown
    desk.ahead.set(url, picture);
  }
}

function button(text, what, { className = "", name, value, hint } = {}) {
  const made = node("button", { type: "button", className });
  made.dataset.do = what;
  if (name !== undefined) made.dataset.name = name;
  if (value !== undefined) made.dataset.value = String(value);
  if (text) made.append(text);
  if (hint) made.append(node("kbd", { textContent: hint }));
  return made;
}

function node(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
