"""The start: what must hold before a server listens, each refused in one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from core.errors import ConfigError, StudioError

EXIT_BAD_START = 2  # what PM2 and systemd are told not to start again after


def give_up(err: StudioError) -> NoReturn:
    """Say why the dashboard cannot start, and end at once: any exception would come with a traceback."""
    print(f"The dashboard cannot start: {err.message}", file=sys.stderr, flush=True)
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
        f"PM2 would spread its sessions over several processes ({what}): start ecosystem.config.js as it is, "
        "in fork mode, and set REPLICAS for more servers, each on a port of its own.",
        setting=setting,
    )
