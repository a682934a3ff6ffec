"""The collector's rounds: off while a server starts, and on for the rest of its life."""

from __future__ import annotations

import gc

from core.web.server.garbage import hold, settle


def test_a_server_that_has_started_collects_garbage_and_leaves_out_what_it_keeps() -> None:
    frozen_before = gc.get_freeze_count()
    try:
        hold()
        assert not gc.isenabled()
        settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen_before
    finally:
        gc.enable()
        gc.unfreeze()
