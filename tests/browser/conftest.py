"""A real dashboard and a real Chromium for every test of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.fakes.openai_server import FakeOpenAI
from tests.support.browser.chromium import Contexts
from tests.support.browser.chromium import chromium as launched_chromium
from tests.support.dashboards.dashboard import Dashboard, Tab, Visitor, dashboard

HERE = Path(__file__).parent
StartDashboard = Callable[..., Dashboard]
Visit = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The dashboard most tests share: they look for what they made themselves and change no reference."""
    with dashboard(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture
def start_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDashboard]:
    """Start a dashboard of one's own, with settings; it ends with the test."""
    with ExitStack() as running:

        def start(settings: Mapping[str, str] = {}) -> Dashboard:
            return running.enter_context(dashboard(tmp_path_factory.mktemp("fresh"), settings))

        yield start


@pytest.fixture(scope="module")
def openai(chromium: Browser) -> Iterator[FakeOpenAI]:
    """OpenAI, for a dashboard whose settings point to it. (The browser is started first: its loop is the outer one.)"""
    del chromium
    with FakeOpenAI().serving() as fake:
        yield fake


class SharedBrowser:
    """A worker's browser with its contexts, until a test of another folder comes.

    Playwright cannot be started twice in a thread, nor can `asyncio.run` be called while it runs; others do both.
    """

    def __init__(self) -> None:
        self._running = ExitStack()
        self._contexts: Contexts | None = None

    def contexts(self) -> Contexts:
        if self._contexts is None:
            self._contexts = Contexts(self._running.enter_context(launched_chromium()))
        return self._contexts

    def close(self) -> None:
        self._contexts = None
        self._running.close()


_shared = SharedBrowser()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        _shared.close()


@pytest.fixture(scope="module")
def contexts() -> Contexts:
    """The browser's contexts, used again from test to test and from file to file."""
    return _shared.contexts()


@pytest.fixture(scope="module")
def chromium(contexts: Contexts) -> Browser:
    """The browser, for contexts that nobody else is given."""
    return contexts.browser


@contextmanager
def visiting(contexts: Contexts, of: Dashboard, *, anew: bool = False, **looks: Any) -> Iterator[Visitor]:
    """A browser context on a dashboard; afterwards it is for somebody else."""
    options = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "reduced_motion": "reduce"}
    options["ignore_https_errors"] = True  # of requests that are made beside its pages
    context = contexts.take(anew=anew, **(options | looks))
    visitor = Visitor(context, of.url, is_restarted=not isinstance(of, Dashboard))
    yield visitor
    visitor.leave()
    contexts.give_back(context, visitor.home, next(iter(visitor.before + visitor.pages), None))


@pytest.fixture
def visit(contexts: Contexts) -> Iterator[Visit]:
    """Open a browser context on a dashboard. What its console complained about fails the test in the end.

    `anew` is for who looks at the browser's cache, or changes more of it than pages.
    """
    visitors: list[Visitor] = []
    with ExitStack() as visits:

        def visit_as_somebody_new(of: Dashboard, *, anew: bool = False, **looks: Any) -> Visitor:
            visitors.append(visits.enter_context(visiting(contexts, of, anew=anew, **looks)))
            return visitors[-1]

        yield visit_as_somebody_new
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def tab(studio: Dashboard, visit: Visit) -> Tab:
    """A tab of the shared dashboard, on no page yet."""
    visitor = visit(studio)
    return Tab(visitor.page(), studio.url)
