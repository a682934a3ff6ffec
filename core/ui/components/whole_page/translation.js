// Keeps the page whole while the browser translates it.
//
// A translator takes a text node out and puts a <font> with its own text in the place. Streamlit's page, which is
// React's, knows nothing of that: it writes into the node that is gone, so that the old line stays, and fails when it is
// to take it away (https://github.com/facebook/react/issues/11538). So before React touches such a node it is put back
// where it was; what it says then is translated anew.

/** @type {WeakMap<Node, Element>} */
const standIns = new WeakMap();
/** @type {WeakMap<Element, Node[]>} the texts that one stands for: a translator may make one sentence of several */
const originals = new WeakMap();

/** From now on; it costs a page that nobody translates a look at what is added to it. */
export function outliveTranslation() {
  const { appendChild, insertBefore, removeChild } = Node.prototype;
  const nodeValue = /** @type {PropertyDescriptor & { set(value: string | null): void }} */ (
    Object.getOwnPropertyDescriptor(Node.prototype, "nodeValue")
  );
  const observer = new MutationObserver(learn);
  observer.observe(document.documentElement, { childList: true, subtree: true });
  const bringBack = (/** @type {Node} */ node) => {
    learn(observer.takeRecords());
    restore(node);
  };

  Node.prototype.removeChild = function (/** @type {any} */ child) {
    if (child.parentNode !== this) bringBack(child);
    return child.parentNode === this ? removeChild.call(this, child) : child;
  };
  Node.prototype.insertBefore = function (/** @type {any} */ node, /** @type {Node | null} */ before) {
    if (isReplaced(node)) bringBack(node);
    if (standIns.get(node) === before && node.parentNode === this) return node; // a translator puts it back itself
    if (before && before.parentNode !== this) bringBack(before);
    const place = before?.parentNode === this ? before : null; // behind all others, where its neighbour is gone
    return insertBefore.call(this, node, place);
  };
  Node.prototype.appendChild = function (/** @type {any} */ node) {
    if (isReplaced(node)) bringBack(node);
    appendChild.call(this, node);
    return node;
  };
  Object.defineProperty(Node.prototype, "nodeValue", {
    ...nodeValue,
    set(value) {
      if (isReplaced(this)) bringBack(this);
      nodeValue.set.call(this, value);
    },
  });
}

/** Whether this is a text that is on no page, or in a translator's hands. */
function isReplaced(/** @type {Node} */ node) {
  return node instanceof Text && (!node.parentNode || node.parentNode instanceof HTMLFontElement);
}

/** Finds in what has changed at once which texts made way for which stand-in. */
function learn(/** @type {MutationRecord[]} */ records) {
  const added = records.flatMap((record) => [...record.addedNodes]);
  const fonts = new Set(added.filter((node) => node instanceof HTMLFontElement));
  if (!fonts.size) return;
  for (const { addedNodes, removedNodes, previousSibling, nextSibling } of records) {
    const beside = [...addedNodes, previousSibling, nextSibling].filter((node) => isOneOf(fonts, node));
    const standIn = beside.find((font) => !originals.has(font)) ?? beside[0];
    if (standIn) for (const node of removedNodes) if (node instanceof Text) stand(standIn, node);
  }
}

/** @param {Set<Node>} fonts @param {Node | null} node @returns {node is HTMLFontElement} */
function isOneOf(fonts, node) {
  return node !== null && fonts.has(node);
}

function stand(/** @type {Element} */ standIn, /** @type {Text} */ text) {
  standIns.set(text, standIn);
  originals.set(standIn, [...(originals.get(standIn) ?? []), text]);
}

/** Puts a text back in its place, with the others that its stand-in stood for. */
function restore(/** @type {Node} */ node) {
  const standIn = standIns.get(node);
  if (!node.parentNode && standIn?.parentNode) {
    standIn.replaceWith(...(originals.get(standIn) ?? []).filter((text) => !text.parentNode));
  }
  while (node.parentNode instanceof HTMLFontElement) node.parentNode.replaceWith(...node.parentNode.childNodes);
}
