"""Accessibility: what axe-core finds wrong with a page as people have it before them.

The rules of WCAG 2.2, levels A and AA, and axe's own best practices: https://dequeuniversity.com/rules/axe/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe

from tests.support.dashboards.dashboard import Tab

RULES: Final = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS: Final = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # those that look at colours
_axe = Axe()


def inaccessible(tab: Tab, rules: Mapping[str, Any] = RULES) -> list[str]:
    """What is wrong, rule by rule and element by element, once the page stands still."""
    found: list[str] = []

    def is_fine() -> bool:
        found[:] = _complaints(tab, rules)
        return not found

    tab.still()
    if not is_fine():  # a colour may have been on its way
        tab.still()
        is_fine()
    return found


def _complaints(tab: Tab, rules: Mapping[str, Any]) -> list[str]:
    # without resultTypes axe tells of every element that is as it should be, too
    results = _axe.run(tab.page, options={"runOnly": rules, "resultTypes": ["violations"]})
    return [
        f"{violation['id']}: {node['html'][:160]}: {' '.join(node['failureSummary'].split())}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]
