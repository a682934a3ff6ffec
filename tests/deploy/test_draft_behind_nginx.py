"""A draft behind nginx: the replica it was written on goes away, and the next press meets the other one."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from core.storage.embedded.server import EmbeddedS3
from tests.deploy.test_nginx import Site, nginx_before
from tests.support.browser.chromium import chromium
from tests.support.dashboards.dashboard import Dashboard, Tab, Visitor
from tests.support.processes.programs import ROOT
from tests.support.processes.servers import serving
from tests.support.timeouts import until


def test_the_first_press_on_another_replica_orders_what_the_screen_shows(tmp_path: Path) -> None:
    owner = EmbeddedS3.open(tmp_path / "s3", ROOT / "samples" / "refs")  # one S3, of neither replica
    settings = {"DATA_DIR": str(tmp_path / "s3")}
    with (
        chromium() as browser,
        serving(tmp_path / "one", settings, forked=True) as one,
        serving(tmp_path / "two", settings, forked=True) as two,
    ):
        one.ready()
        two.ready()
        with nginx_before(tmp_path, (one.port, two.port)) as (url, trust):
            context = browser.new_context(ignore_https_errors=True, viewport={"width": 1440, "height": 900})
            visitor = Visitor(context, url, is_restarted=True)
            tab = visitor.open("/")
            compose(tab)
            site = Site(url, trust, (one, two))
            drew = [bool(each.metric('studio_rerun_seconds_count{page="generate"}')) for each in site.replicas]
            assert sorted(drew) == [False, True], "one of them holds this tab's connection"
            mine = drew.index(True)
            site.replicas[mine].end()
            app = expect(tab.page.get_by_test_id("stApp"))
            app.not_to_have_attribute("data-test-connection-state", "CONNECTED")
            app.to_have_attribute("data-test-connection-state", "CONNECTED", timeout=120_000)
            tab.prompt.press("Control+Enter")
            comparison = tab.shown_comparison
            other = site.replicas[1 - mine]
            until(lambda: other.events("comparison_ordered"), "the other replica was asked")
            assert [event["comparison"] for event in other.events("comparison_ordered")] == [comparison]
            assert site.replicas[mine].events("comparison_ordered") == []
            record = Dashboard(url, tmp_path / "s3", tmp_path / "none").record(comparison)
            asked = record["wishes"]
            assert (asked["prompt"], asked["tone"], asked["angle"]) == ("Ada by a window", "noir", "profile")
            assert json.dumps(asked["pins"]).count("refs/") == 1
            tab.page.close()
            context.close()
    owner.close()


def compose(tab: Tab) -> None:
    """A draft with picks and a pin, none of it sent."""
    tab.tile("Tone", "Noir").click()
    tab.tile("Angle", "Profile").click()
    tab.type_prompt("Ada by a window")
    expect(tab.main.get_by_text("Read: Ada")).to_be_visible()
    tab.main.get_by_role("button", name="Pin", exact=True).first.click()
    expect(tab.main.get_by_role("button", name="Unpin").first).to_be_visible()
    tab.settled()
