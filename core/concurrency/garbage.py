"""Garbage: what the process needs to its end is taken out of the collector's rounds.

A full round walks every object that may be part of a cycle, and those of the imported modules alone are several
hundred thousand: a quarter of a second in which nobody is served (`python -m bench.reference_page`).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def hold() -> None:
    """No rounds until `settle`: what a start builds, it keeps, and looking through it takes a sixth of a second."""
    gc.disable()


def settle() -> None:
    """Leave what is there out of every later round.

    A round before that would hold the start up for a fifth of a second, to free some three thousand objects.
    To be called before the first session, whose own objects must stay collectable.
    Source: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.freeze()
    gc.enable()


@contextmanager
def without_rounds() -> Iterator[None]:
    """No rounds meanwhile, for a second at most: a hundred thousand rows are made, which are kept and form no cycle.

    Each round walks those that are there already, and finds nothing: that is half of the time it takes to make them
    (`python -m bench.ballots`). Where rounds are off already they stay off, so any number of threads may do this.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
