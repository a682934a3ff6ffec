"""`inject`: what would go in, and why."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calls import CAMPAIGN, FAIR
from tests.support.processes.commands import core, started
from tests.support.processes.programs import ROOT
from tests.support.s3.servers import S3Server, environment


def test_a_replay_of_no_history_has_exactly_the_promised_shape(tmp_path: Path) -> None:
    shown = core("inject", "--replay-history", "--json", environ={"DATA_DIR": str(tmp_path)}).json
    assert shown == {"rehearsed": 0, "changed": 0, "comparisons": []}


class TestInject:
    """`inject --json`: what would go in, and why."""

    @pytest.fixture(scope="class")
    @staticmethod
    def report(studio: S3Server) -> Any:
        return core("inject", "--json", *FAIR, "--folder", CAMPAIGN, environ=environment(studio)).json

    def test_it_has_exactly_the_promised_shape(self, report: Any) -> None:
        assert set(report) == {"varies", "balanced", "reading", "controlled", "differences", "sides"}
        assert (report["varies"], report["balanced"], report["controlled"]) == ("angle", True, True)
        assert set(report["reading"]) == {"person", "gender", "age_low", "age_high", "tone", "angle"}
        assert [side["side"] for side in report["sides"]] == ["tone-only", "tone-angle"]
        for side in report["sides"]:
            assert set(side) == {"side", "slots", "prompt"}
            for slot in side["slots"]:
                assert set(slot) == {"role", "key", "group", "wished", "wished_from", "why", "steps"}
                assert slot["why"]
                for step in slot["steps"]:
                    assert set(step) == {"step", "left"}

    def test_it_fills_the_slots_by_the_table(self, report: Any) -> None:
        tone_only, tone_angle = ({s["role"]: s for s in reversed(side["slots"])} for side in report["sides"])
        assert tone_only["tone"]["group"] == tone_angle["tone"]["group"] == "noir"
        assert tone_only["tone"]["key"] == tone_angle["tone"]["key"]
        assert tone_only["angle"]["key"] is None
        assert tone_angle["angle"]["group"] == "low angle"
        groups = {
            side["side"]: [slot["group"] for slot in side["slots"] if slot["role"] == "model" and slot["key"]]
            for side in report["sides"]
        }
        assert set(groups["tone-only"]) <= {"느와르 로우앵글", "느와르 아이레벨", "느와르 쿼터뷰"}
        assert groups["tone-angle"] == ["느와르 로우앵글"]
        assert report["reading"] == {
            "person": True,
            "gender": "masculine",
            "age_low": None,
            "age_high": None,
            "tone": None,
            "angle": None,
        }

    def test_the_same_seed_gives_the_same_plan_and_another_seed_another(self, studio: S3Server) -> None:
        words = ("inject", "--json", "--prompt", "a woman", "--tone", "cinematic", "--mode", "tone-only", "--seed")
        with ThreadPoolExecutor(2) as pool:
            plans = list(pool.map(lambda seed: core(*words, seed, environ=environment(studio)).out, "5512"))
        assert plans[0] == plans[1]
        assert len(set(plans)) > 1

    def test_one_mode_makes_one_side_and_no_verdict(self, studio: S3Server) -> None:
        report = core("inject", "--json", *FAIR, "--mode", "tone-angle", environ=environment(studio)).json
        assert [side["side"] for side in report["sides"]] == ["tone-angle"]
        assert (report["controlled"], report["differences"]) == (None, [])
        assert (report["varies"], report["balanced"]) == (None, None)

    def test_as_each_mode_alone_each_difference_says_what_mends_it(self, studio: S3Server) -> None:
        words = (
            "--prompt",
            "a woman by a window",
            "--tone",
            "cinematic",
            "--angle",
            "low-angle",
            "--seed",
            "171098408",
        )
        report = core("inject", "--json", *words, "--no-balance", environ=environment(studio)).json
        assert (report["balanced"], report["controlled"]) == (False, False)
        assert all(set(each) == {"what", "says", "mend"} for each in report["differences"])
        mends = {each["what"]: each["mend"] for each in report["differences"]}
        assert mends["number of person references"] == mends["angle of the person"] == "Balance both sides"
        balanced = core("inject", "--json", *words, environ=environment(studio)).json
        assert (balanced["balanced"], balanced["controlled"], balanced["differences"]) == (True, True, [])

    def test_of_another_factor_both_sides_hold_the_same_and_b_says_what_varies(self, studio: S3Server) -> None:
        in_words = core("inject", "--json", *FAIR, "--varies", "tone-way", environ=environment(studio)).json
        assert (in_words["varies"], in_words["controlled"]) == ("tone-way", True)
        one, other = ([slot["key"] for slot in side["slots"]] for side in in_words["sides"])
        assert [side["side"] for side in in_words["sides"]] == ["a", "b"]
        assert one[0]
        assert (other[0], other[1:]) == (None, one[1:])
        words = ("--varies", "strength", "--strength-b", "angle=exact")
        stronger = core("inject", "--json", *FAIR, *words, environ=environment(studio)).json
        assert (stronger["varies"], stronger["controlled"]) == ("strength", True)
        one, other = ([slot["key"] for slot in side["slots"]] for side in stronger["sides"])
        assert one == other
        assert stronger["sides"][0]["prompt"] != stronger["sides"][1]["prompt"]

    def test_options_narrow_and_say_that_they_were_picked(self, studio: S3Server) -> None:
        words = ("--prompt", "a street", "--tone", "natural-film", "--person", "yes", "--gender", "masculine")
        report = core("inject", "--json", *words, "--age", "25-34", "--seed", "1", environ=environment(studio)).json
        models = [slot for slot in report["sides"][0]["slots"] if slot["role"] == "model"]
        assert models[0]["wished"] == "natural-film + masculine + 25–34"
        assert models[0]["wished_from"] == "picked"
        assert {Path(slot["key"]).name.split()[0] for slot in models if slot["key"]} <= {"Ben", "Jamal"}

    def test_chance_is_recorded_as_chance(self, studio: S3Server) -> None:
        report = core(
            "inject", "--json", "--prompt", "a street", "--tone", "chance", "--seed", "3", environ=environment(studio)
        ).json
        slot = report["sides"][0]["slots"][0]
        assert (slot["role"], slot["wished_from"]) == ("tone", "chance")
        assert slot["key"]

    def test_a_tone_may_be_given_by_any_of_its_names(self, studio: S3Server) -> None:
        keys = {
            core("inject", "--json", "--prompt", "x", "--tone", tone, "--seed", "1", environ=environment(studio)).json[
                "sides"
            ][0]["slots"][0]["key"]
            for tone in ("noir", "흑백")
        }
        assert len(keys) == 1

    def test_for_people_it_prints_slots_and_verdict(self, studio: S3Server) -> None:
        done = core("inject", *FAIR, environ=environment(studio))
        assert done.code == 0
        assert "Tone + angle" in done.out
        assert "controlled: " in done.out


def test_the_working_directory_does_not_matter(demo: dict[str, str], tmp_path: Path) -> None:
    environ = {**demo, "DATA_DIR": demo["DATA_DIR"]}
    here = core("inject", "--json", *FAIR, environ=environ)
    there = started("inject", "--json", *FAIR, environ=environ, cwd=tmp_path, pythonpath=ROOT)
    assert there.code == 0, there.err
    assert here.out == there.out
    assert list(tmp_path.iterdir()) == []
