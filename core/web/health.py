"""Health: what a server says of itself to those who operate it: alive, ready, and the figures of the moment."""

from __future__ import annotations

import hmac
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import wraps

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.concurrency.periodic import Pulse
from core.errors import StorageError
from core.generation.spending.budget import DailyLimits
from core.labels.review.review_service import Backlog
from core.settings import Profile, Settings, is_loopback
from core.studio import Studio, get_studio

_NOT_STORED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# What a proxy says about whom it speaks for. Where one of them stands, loopback is only the proxy.
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_FOR_OPERATORS = "This is for operators: set METRICS_TOKEN on the server, and ask with it as a bearer token."
_STALE_ROUNDS = 10  # an index older than so many refreshes has been failing for a while
_STALE_AT_LEAST_S = 60.0
_DISK_FREE_BYTES = 64 * 1024 * 1024  # a comparison's pictures and records, several times over
_SPEND_AGE_S = 60.0


class State(StrEnum):
    """How something that the dashboard depends on is doing."""

    OK = "ok"
    DEGRADED = "degraded"  # people are served, but not as they should be
    FAILED = "failed"  # people cannot be served


@dataclass(frozen=True, slots=True)
class Check:
    """One dependency: how it does, why, and what to do about it."""

    name: str
    state: State
    reason: str = ""
    fix: str = ""


def checks(studio: Studio) -> list[Check]:
    """Every dependency of a running server, from what is known; nothing outside is asked."""
    found = [_settings(studio), _storage(studio), _engine(studio)]
    if found[1].state is not State.FAILED:  # without S3 there is no index, and nothing more to say of it
        found.append(_index(studio))
    found.append(_background(studio))
    if studio.settings.profile is Profile.EMBEDDED:
        found.append(_disk(studio))
    return found


def _settings(studio: Studio) -> Check:
    return Check("settings", State.OK, f"The {studio.settings.profile.value} profile.")


def _storage(studio: Studio) -> Check:
    status = studio.catalog.status
    error = studio.storage.circuit_breaker.reason or status.error
    if error is None:
        return Check("storage", State.OK)
    return Check(
        "storage",
        State.DEGRADED if status.ready else State.FAILED,
        error,
        "Run `python -m core check` on this server: it names the permission, address or credential to mend.",
    )


def _index(studio: Studio) -> Check:
    status, refresh_s = studio.catalog.status, studio.settings.index_refresh_s
    if not status.ready:
        return Check("index", State.FAILED, "The reference library is being listed.", "Wait: it is under way.")
    age_s = status.age_s or 0.0
    if age_s > max(_STALE_AT_LEAST_S, _STALE_ROUNDS * refresh_s):
        reason = f"The index is {age_s:.0f} s old and should be renewed every {refresh_s:g} s."
        return Check("index", State.DEGRADED, reason, "See storage; the last complete index keeps serving.")
    return Check("index", State.OK)


def _engine(studio: Studio) -> Check:
    if studio.settings.profile is Profile.PRODUCTION and not studio.settings.openai_api_key:
        reason = "No OPENAI_API_KEY is set: only the preview engine makes pictures, without AI."
        return Check("engine", State.DEGRADED, reason, "Set OPENAI_API_KEY and start again.")
    return Check("engine", State.OK, f"{', '.join(studio.engines)}.")


def _background(studio: Studio) -> Check:
    pulses = [loop.pulse for loop in studio.loops]
    late = [
        f"`{pulse.name}` has not come round for {pulse.silent_s:.0f} s and should every {pulse.every_s:g} s."
        for pulse in pulses
        if pulse.is_late
    ]
    failing = [
        f"`{pulse.name}` fails: incident {pulse.incident}."
        for pulse in pulses
        if pulse.incident is not None and not pulse.is_late
    ]
    if not late + failing:
        return Check("background", State.OK)
    fix = "Find the incident in the log and report it; it is tried again by itself."
    if late:
        fix = "If storage is well, restart this server: what is on the screens grows old until then."
    return Check("background", State.DEGRADED, " ".join(late + failing), fix)


def _disk(studio: Studio) -> Check:
    where = studio.settings.data_dir
    try:
        free = shutil.disk_usage(where).free
    except OSError as err:
        return Check("disk", State.FAILED, f"DATA_DIR cannot be looked at: {err.strerror}.", f"Mend {where}.")
    if free >= _DISK_FREE_BYTES:
        return Check("disk", State.OK)
    reason = f"DATA_DIR has {free // 2**20} MB left; nothing new can be kept once it is full."
    return Check("disk", State.DEGRADED, reason, f"Free space on the disk of {where}; no restart is needed.")


def is_operator(request: Request, settings: Settings) -> bool:
    """Whether a request comes with METRICS_TOKEN; without one, only the demo that asks nobody answers its own machine.

    In production "comes from this machine" proves nothing: a relay makes everybody come from here. Nor does it where
    the demo asks its machine's users for a start-up token. A proxy's headers, or a Host that is not this machine's own,
    count as somebody else.
    """
    if token := settings.metrics_token:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
    if settings.profile is Profile.PRODUCTION or settings.asks_for_token:
        return False
    if any(name in request.headers for name in _PROXY_HEADERS):
        return False
    return is_loopback(request.client.host if request.client else "") and is_loopback(request.url.hostname or "")


def for_operators(answer: Callable[[Studio], Response]) -> Callable[[Request], Response]:
    """Serve operators alone, as `is_operator` knows them."""

    @wraps(answer)
    def guarded(request: Request) -> Response:
        studio = get_studio()
        if is_operator(request, studio.settings):
            return answer(studio)
        asks_again = {**_NOT_STORED, "WWW-Authenticate": "Bearer"}
        return Response(_FOR_OPERATORS, status_code=401, media_type="text/plain", headers=asks_again)

    return guarded


async def healthz(_: Request) -> Response:  # on the event loop: threads may all be waiting for a slow S3
    """Whether this process answers at all."""
    return JSONResponse({"status": "ok"}, headers=_NOT_STORED)


def readyz(request: Request) -> Response:
    """Whether it can serve people; operators are told why not and what to do, others only what it is about."""
    studio = get_studio()
    found = checks(studio)
    ready = all(check.state is not State.FAILED for check in found)
    body: dict[str, object] = {"ready": ready, "index_age_s": studio.catalog.status.age_s}
    troubled = [check for check in found if check.state is not State.OK]
    if is_operator(request, studio.settings):
        body["reasons"] = [check.reason for check in troubled if check.state is State.FAILED]
        body["checks"] = [asdict(check) for check in found]
    else:
        body["reasons"] = [f"An operator has to look after this: {check.name}." for check in troubled]
    return JSONResponse(body, status_code=200 if ready else 503, headers=_NOT_STORED)


@for_operators
def metrics(studio: Studio) -> Response:
    """Everything in Prometheus' text format."""
    moment = CollectorRegistry()
    moment.register(_Moment(studio))
    text = generate_latest(studio.metrics.registry) + generate_latest(moment)
    return Response(text, media_type=CONTENT_TYPE_LATEST, headers=_NOT_STORED)


class _Moment(Collector):
    """What is true at this moment."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def collect(self) -> Iterable[Metric]:
        """The gauges; one that nobody knows at the moment is left out."""
        studio, status = self._studio, self._studio.catalog.status
        yield _gauge("studio_ready", "1 while people can be served.", _is_ready(studio))
        failing = status.error is not None or studio.storage.circuit_breaker.reason is not None
        yield _gauge("studio_storage_failing", "1 while S3 cannot be listed, or does not answer.", float(failing))
        if status.ready:
            index = studio.catalog.index
            yield _gauge("studio_index_age_seconds", "Since the served index was built.", status.age_s or 0.0)
            yield _gauge("studio_index_references", "References in the served index.", len(index))
            yield _gauge("studio_index_refresh_seconds", "How long the last complete refresh took.", index.seconds)
            backlog = studio.review_service.backlog()
            if backlog is not None:
                yield _portraits_waiting(backlog)
        yield from _loops([loop.pulse for loop in studio.loops])
        load = studio.runner.load
        yield _gauge("studio_queue_waiting", "Sides that wait for their turn.", load.waiting)
        yield _gauge("studio_queue_running", "Sides at work.", load.running)
        with suppress(StorageError):
            if status.error is None:  # the first look asks S3, which a scrape must not wait for while it is away
                studio.ledger.catch_up_soon(max_age_s=_SPEND_AGE_S)
                today = studio.ledger.used_today()
                yield _gauge("studio_spend_today_usd", "What counts against today's budget, of all servers.", today)
                yield from _budgets(studio.spending_limits.known() or DailyLimits())


def _budgets(limits: DailyLimits) -> Iterable[Metric]:
    """The budgets in force, wherever they were set."""
    if limits.daily_usd is not None:
        yield _gauge("studio_budget_usd", "Everybody's daily budget.", limits.daily_usd)
    if limits.daily_person_usd is not None:
        yield _gauge("studio_budget_person_usd", "Each person's daily budget.", limits.daily_person_usd)


def _is_ready(studio: Studio) -> float:
    return float(all(check.state is not State.FAILED for check in checks(studio)))


def _portraits_waiting(backlog: Backlog) -> Metric:
    """Portraits whose label somebody has to look after, by why."""
    family = GaugeMetricFamily("studio_label_backlog", "Portraits without a label that speaks of them.", labels=["why"])
    for why, count in asdict(backlog).items():
        family.add_metric([why], count)
    return family


def _loops(pulses: Sequence[Pulse]) -> Iterable[Metric]:
    """The rounds and the incidents of each loop, and how long nothing was heard of it."""
    rounds = CounterMetricFamily("studio_loop_rounds", "Rounds of background work.", labels=["loop"])
    incidents = CounterMetricFamily("studio_loop_incidents", "Rounds that ended in an incident.", labels=["loop"])
    silent = GaugeMetricFamily("studio_loop_silent_seconds", "Since anything was heard of it.", labels=["loop"])
    for pulse in pulses:
        rounds.add_metric([pulse.name], pulse.rounds)
        incidents.add_metric([pulse.name], pulse.incidents)
        silent.add_metric([pulse.name], pulse.silent_s)
    yield from (rounds, incidents, silent)


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=value)
