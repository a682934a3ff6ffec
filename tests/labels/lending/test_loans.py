"""Loans: nobody else's portrait is lent, everything ends, and there are never many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.labels.lending.loans import DESKS_MAX, HAND_MAX, LENT_S, Loans

NOW = datetime(2026, 11, 22, 14, 15, tzinfo=UTC)
PORTRAITS = tuple("abcdefghijkl")
Act = tuple[str, str, Sequence[str], int]

acts = st.lists(
    st.tuples(
        st.sampled_from(["lend", "lend", "give back"]),
        st.sampled_from(["ann", "bo", "cy"]),
        st.permutations(PORTRAITS),
        st.integers(0, 400),  # seconds since the last
    ),
    max_size=20,
)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@given(acts, st.integers(-5, 5))
def test_no_portrait_lies_before_two_people_whatever_they_do_and_however_clocks_differ(
    done: list[Act], behind_s: int
) -> None:
    """Each of two servers writes by its own clock, and both agree on who has what but for those seconds."""
    loans, passed = Loans(), 0
    for number, (act, reviewer, wanted, pause) in enumerate(done):
        passed += pause
        now = after(passed + (behind_s if number % 2 else 0))
        if act == "give back":
            loans = loans.give_back(f"desk of {reviewer}", reviewer, now)
        else:
            loans = loans.lend(f"desk of {reviewer}", reviewer, reviewer.title(), wanted, now)
        lent = [etag for loan in loans.standing(now) for etag in loan.etags]
        assert len(lent) == len(set(lent))
        assert all(len(loan.etags) <= HAND_MAX for loan in loans.loans)


def test_two_desks_get_what_comes_first_and_what_comes_next() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, NOW).lend("2", "bo", "Bo", PORTRAITS, NOW)
    assert [loan.etags for loan in loans.loans] == [tuple("abcde"), tuple("fghij")]
    assert loans.of_others("bo", NOW)["a"].name == "Ann"
    assert "f" not in loans.of_others("bo", NOW)


def test_who_moves_on_leaves_what_was_before_it_to_others() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, NOW).lend("1", "ann", "Ann", PORTRAITS[3:], after(1))
    assert loans.of_others("bo", after(1)).keys() == set("defgh")


def test_a_loan_ends_by_leaving_and_by_time() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, NOW)
    assert loans.give_back("1", "ann", NOW) == Loans()
    assert loans.of_others("bo", after(LENT_S - 1))
    assert not loans.of_others("bo", after(LENT_S))


def test_nobody_gives_back_what_somebody_else_has() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, NOW)
    assert loans.give_back("1", "bo", NOW) is loans


def test_what_changes_nothing_is_not_written_and_a_loan_in_use_is_renewed() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, NOW)
    assert loans.lend("1", "ann", "Ann", PORTRAITS, after(30)) is loans
    renewed = loans.lend("1", "ann", "Ann", PORTRAITS, after(90))
    assert renewed.loans[0].until == after(90 + LENT_S)


def test_two_tabs_of_one_person_are_not_in_each_others_way() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, NOW).lend("2", "ann", "Ann", PORTRAITS, NOW)
    assert [loan.etags for loan in loans.loans] == [tuple("abcde")] * 2
    assert not loans.of_others("ann", NOW)


def test_a_clock_that_is_hours_ahead_lends_nothing_for_hours() -> None:
    loans = Loans().lend("1", "ann", "Ann", PORTRAITS, after(3 * 3600))
    assert not loans.of_others("bo", NOW)


def test_there_are_at_most_so_many_however_many_come() -> None:
    loans = Loans()
    for number in range(DESKS_MAX + 20):
        loans = loans.lend(f"{number}", f"person {number}", "", [f"{number}"], after(number / 100))
    assert len(loans.loans) == DESKS_MAX
    assert loans.loans[-1].desk == f"{DESKS_MAX + 19}"
    assert len(loans.model_dump_json()) < 64_000
