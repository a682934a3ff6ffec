"""Whose comparison it is: who may cancel and retry its sides, and what the record tells of that."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from core.errors import AccessDenied
from core.generation.ownership import is_in_charge, require_charge
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.outcome import Outcome
from core.injection.request.wishes import Mode
from core.viewer import PersonRole, Viewer
from tests.generation.comparisons import TONE_ONLY, PatientEngine, StudioFixture, comparison, side_of
from tests.support.timeouts import LONG_S

OPS = Viewer("ops@studio", PersonRole.OPS)


@pytest.mark.parametrize(
    ("viewer", "may"),
    [
        (Viewer("anna@studio", PersonRole.DESIGNER), True),
        (Viewer("bert@studio", PersonRole.DESIGNER), False),
        (OPS, True),
        (Viewer("boss@studio", PersonRole.ADMIN), True),
    ],
)
def test_the_owner_operations_and_admins_are_in_charge_and_nobody_else(viewer: Viewer, may: bool) -> None:
    for owner in ("anna@studio", "Anna@Studio"):  # older records keep an address as it was written
        wanted = comparison(person=owner)
        assert is_in_charge(viewer, wanted) is may
        if not may:
            with pytest.raises(AccessDenied, match="Only who ordered this comparison, operations and admins"):
                require_charge(viewer, wanted)


def test_a_record_that_names_nobody_is_operations_and_admins_to_manage_and_nobody_elses() -> None:
    wanted = comparison(person="")
    assert not is_in_charge(Viewer("anna@studio", PersonRole.DESIGNER), wanted)
    assert not is_in_charge(Viewer("", PersonRole.DESIGNER), wanted)
    assert is_in_charge(OPS, wanted)


def test_who_cancelled_stands_in_the_record_and_the_first_one_counts(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    before = datetime.now(UTC)
    runner.cancel(wanted.id, TONE_ONLY, person=OPS.email)
    runner.cancel(wanted.id, TONE_ONLY, person="late@studio")
    runner.wait(wanted.id)
    outcome = side_of(studio.history().status(wanted.id)).latest
    assert outcome is not None
    assert outcome.cancelled is not None
    assert outcome.cancelled.person == OPS.email
    assert before <= outcome.cancelled.at <= datetime.now(UTC)


def test_an_outcome_from_before_says_nobody(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner, wanted = studio.runner(engine), comparison(mode=Mode.TONE_ONLY)
    runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    runner.cancel(wanted.id, TONE_ONLY, person=OPS.email)
    side = side_of(runner.wait(wanted.id))
    assert side.latest is not None
    older = json.loads(side.latest.model_dump_json())
    del older["cancelled"]
    read = Outcome.from_json(json.dumps(older).encode())
    assert (AttemptPhase.after(read), read.cancelled) == (AttemptPhase.CANCELLED, None)
