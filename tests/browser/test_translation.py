"""A browser that translates the page: lines that change say what is so now, and nothing breaks.

What Chrome's and Google's translators do to a page: each text node is taken out, and two nested <font> elements with
another text stand in its place; what changes later is translated again.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

import core.ui.components
from core.ui.components.component import bundle
from tests.browser.conftest import Visit
from tests.browser.states import plan
from tests.support.dashboards.dashboard import Dashboard

ROOM = Path(core.ui.components.__file__).parent
TRANSLATE = """() => {
  const isKept = (node) => node.parentElement?.closest("script, style, font, textarea, code, [translate=no]");
  const translate = (text) => {
    if (!text.parentNode || !/[a-z]/i.test(text.data) || isKept(text)) return;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = text.data.replace(/[a-z]+/gi, (word) => `«${word}»`);
    outer.append(inner);
    text.parentNode.insertBefore(outer, text);
    text.remove();
  };
  const all = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return translate(root);
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    found.forEach(translate);
  };
  new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "characterData") all(target);
      for (const node of addedNodes) if (node.isConnected) all(node);
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
  all(document.body);
}"""


# What React does to texts that are gone, on a page with `p` made of the texts "one ", "two" and a bold one behind.
REACT = """([translate, writes]) => {
  const p = document.createElement("p");
  const [one, two] = [document.createTextNode("one "), document.createTextNode("two")];
  const bold = document.createElement("b");
  p.append(one, two, bold);
  document.body.replaceChildren(p);
  new Function("p", "one", "two", translate)(p, one, two);
  const says = [];
  return Promise.resolve().then(() => {
    if (writes) [one.nodeValue, two.nodeValue] = ["1 ", "2 "];
    says.push(p.textContent);
    p.insertBefore(document.createElement("i"), one);
    p.insertBefore(one, bold);
    says.push(p.textContent);
    p.appendChild(two);
    says.push(p.textContent);
    p.removeChild(two);
    says.push(p.textContent);
    p.removeChild(one);
    says.push(p.textContent);
    p.removeChild(bold);
    return [...says, p.innerHTML];
  });
}"""
FONT = "const font = document.createElement('font'); font.innerHTML = '<font>eins zwei</font>';"
TRANSLATORS = {
    "none": "",
    "a stand-in before each": "for (const t of [one, two]) { FONT p.insertBefore(font, t); t.remove(); }",
    "a stand-in behind each": "for (const t of [one, two]) { FONT t.after(font); p.removeChild(t); }",
    "each replaced": "for (const t of [one, two]) { FONT t.replaceWith(font); }",
    "one stand-in for both": "FONT one.replaceWith(font); two.remove();",
    "each wrapped": "for (const t of [one, two]) { FONT p.insertBefore(font, t); font.replaceChildren(t); }",
    "each shown anew": (
        "for (const t of [one, two]) { FONT t.replaceWith(font); p.insertBefore(t, font); font.remove(); }"
    ),
}


def test_what_react_changes_is_there_whatever_a_translator_has_put_in_its_place(chromium: Browser) -> None:
    page = chromium.new_page()
    script = bundle(ROOM / "whole_page" / "whole_page.js").replace(
        "export default function", "window.prepare = function"
    )
    page.add_script_tag(content=script)
    page.evaluate("prepare()")
    for name, steps in TRANSLATORS.items():
        said = page.evaluate(REACT, [steps.replace("FONT", FONT), True])
        assert said == ["1 2 ", "2 1 ", "1 2 ", "1 ", "", "<i></i>"], name
        assert page.evaluate(REACT, [steps.replace("FONT", FONT), False])[-1] == "<i></i>", name
    page.close()


def test_translated_lines_change_with_the_work_and_pages_come_and_go(studio: Dashboard, visit: Visit) -> None:
    tab = visit(studio).open("/")
    tab.page.evaluate(TRANSLATE)
    expect(tab.main).to_contain_text("«Nothing» «planned» «yet»")
    plan(tab, "Cinematic", "Ada in a linen shirt, three-quarter view")
    expect(tab.main).to_contain_text("«Read»: «Ada» · «three»-«quarter»")
    tab.page.get_by_role("button", name=re.compile("^«Generate»")).click()
    expect(tab.downloads).to_have_count(2)
    expect(tab.main).not_to_contain_text("«Cancel»")
    expect(tab.page.locator(".stage .foot").first).to_contain_text(re.compile(r"\d s · free"))
    tab.type_prompt("an old man")
    expect(tab.main).to_contain_text("«Read»: «man» · 65")
    tab.tile("Tone", "Noir").click()
    expect(tab.main).not_to_contain_text("«contrast»")
    for name, says in (
        ("History", "«newest» «first»"),
        ("References", "«pictures» «in»"),
        ("Labels", "«portraits» «have» «a» «label»"),
        ("Generate", "«Read»: «man» · 65"),
    ):
        tab.page.get_by_role("link", name=f"«{name}»").click()
        expect(tab.main).to_contain_text(says)
        tab.settled()
    expect(tab.main).not_to_contain_text("Error")
    assert tab.page.evaluate("document.documentElement.lang") == "en"
