"""The collector's rounds: off while a server starts, and on for the rest of its life."""

from __future__ import annotations

import gc

import pytest

from core.concurrency.garbage import hold, settle, without_rounds


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


def test_no_rounds_while_rows_are_made_and_rounds_after_them_whatever_happens() -> None:
    with without_rounds():
        assert not gc.isenabled()
        with without_rounds():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no rows"), without_rounds():
        raise ValueError("no rows")
    assert gc.isenabled()


def test_a_server_that_starts_meanwhile_settles_all_the_same() -> None:
    try:
        hold()
        with without_rounds():
            settle()
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
