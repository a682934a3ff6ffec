"""Shares: so many of so many, against a published example and at the ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.shares import Share


def test_wilsons_interval_is_the_one_in_the_textbook() -> None:
    """81 of 263, from Newcombe (1998), Statistics in Medicine 17, table I: 0.2553 to 0.3662."""
    share = Share.of(81, 263)
    assert (share.low, share.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_a_share_of_nothing_has_no_interval() -> None:
    assert (Share.of(0, 0).share, Share.of(0, 0).low) == (None, None)


@given(count=st.integers(1, 10**6), right=st.integers(0, 10**6))
def test_the_share_is_inside_and_the_interval_within_nothing_and_all(count: int, right: int) -> None:
    found = Share.of(min(right, count), count)
    assert found.share is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.share <= found.high <= 1
