"""The lifespan of a server: what must hold before it listens, each refused in one sentence."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NoReturn

import structlog

from core.concurrency.garbage import hold, settle
from core.errors import ConfigError, StudioError
from core.identity.start_token import start_address, start_token
from core.logs.foreign_logs import adopt_foreign_logs
from core.logs.logs import Discretion, configure_logs
from core.setting_names import unknown_names
from core.settings import known_secrets, load_settings
from core.storage.local.data_dir import ADDRESS_FILE
from core.storage.local.disk import publish
from core.studio import get_studio
from core.web.server.connections import bound_connections
from core.web.server.malloc import bound_arenas
from core.web.server.stop import Stop

_log = structlog.get_logger(__name__)

EXIT_BAD_START = 2  # what PM2 and systemd are told not to start again after


@asynccontextmanager
async def lifespan(_app: object, *, own_url: Callable[[], str] = lambda: "") -> AsyncIterator[None]:
    """Open the studio before the first request and close it after the last.

    What cannot start says why in one sentence and ends the process with exit code 2. Who sits at the terminal is told
    where to open it: at PUBLIC_URL, or at `own_url`.
    """
    hold()
    bound_arenas()
    try:
        refuse_cluster(os.environ)
        settings = load_settings()
        token = start_token() if settings.asks_for_token else ""
        discretion = Discretion([*known_secrets(settings), token], prompts=settings.log_prompts)
        configure_logs(discretion=discretion)
        adopt_foreign_logs()
        for unknown in unknown_names(os.environ):
            _log.warning("unknown_setting", setting=unknown.name, place=unknown.place, nearest=unknown.nearest)
        bound_connections()
        stop = Stop(work_s=settings.generation_stop_s)
        stop.listen()
        studio = await asyncio.to_thread(get_studio)
    except StudioError as err:
        give_up(err)
    settle()
    url, address_file = settings.origin or own_url(), settings.data_dir / ADDRESS_FILE
    if token:
        publish(address_file, f"{start_address(url, token)}\n".encode())
    told = {"address_in": str(address_file)} if token else {}
    _log.info("server_ready", profile=settings.profile.value, engines=[*studio.engines], url=url, **told)
    tell_terminal(f"Open the dashboard: {start_address(url, token) if token else url}")
    try:
        yield
    finally:
        if token:
            address_file.unlink(missing_ok=True)
        await asyncio.to_thread(stop.connections_closed)


def tell_terminal(sentence: str) -> None:
    """Say it in plain words to the person who has started the server, if there is one; no log keeps it."""
    terminal = sys.__stdout__
    if terminal is not None and terminal.isatty():
        print(f"\n  {sentence}\n", file=terminal, flush=True)


def give_up(err: StudioError) -> NoReturn:
    """Say why the dashboard cannot start, and end at once: any exception would come with a traceback."""
    print(f"The dashboard cannot start: {err.message}", file=sys.__stderr__, flush=True)
    os._exit(EXIT_BAD_START)


def refuse_cluster(environ: Mapping[str, str]) -> None:
    """Raise ConfigError where PM2 spreads one port over several processes: Streamlit's sessions live in one.

    PM2 hands a process its own settings in the environment: `exec_mode`, and NODE_APP_INSTANCE, which counts
    the instances of one name from 0. https://pm2.keymetrics.io/docs/usage/environment/
    """
    if environ.get("exec_mode") == "cluster_mode":
        raise _cluster("exec_mode", "exec_mode is cluster")
    if environ.get("NODE_APP_INSTANCE", "0") not in ("", "0"):
        raise _cluster("NODE_APP_INSTANCE", "this is a further instance of the same name")
    if "pm_id" in environ and environ.get("instances", "1") not in ("", "1"):
        raise _cluster("instances", f"instances is {environ['instances']}")


def _cluster(setting: str, what: str) -> ConfigError:
    return ConfigError(
        "PM2 would spread its sessions over several processes ({}): start ecosystem.config.js as it is, "
        "in fork mode, and set REPLICAS for more servers, each on a port of its own.",
        what,
        setting=setting,
    )
