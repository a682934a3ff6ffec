"""Which of two sides people prefer: how often the estimate decides wrongly, how wide it is, and how fast insights are.

`python -m bench.preference` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import numpy as np

from bench.listing import machine
from bench.results import write_section
from core.injection.request.wishes import Varies
from core.votes.evidence import Marks, evidence_of
from core.votes.insights.insights import insights_of
from core.votes.records.judgements import JudgedPair, Judgement, SideFacts, SideLetter, Winner
from core.votes.selection import Filters
from core.votes.statistics.confidence import LOG_STAKE, Floats, bets_on, interval_of
from core.votes.statistics.grouping import Ints

Scored: TypeAlias = Callable[[np.random.Generator], Floats]

HEADING = "## Preference"
SETS = 2000
SCENES = 300
FIRST_LOOK = 10
WIDTH_AT = 200
DECIDED_BY = 150
VOTERS, TAKES = 9, 4
ROUNDS = 9  # of what is timed
AT_ONCE = 250  # studios side by side
VOTES, COMPARISONS, PEOPLE = 100_000, 20_000, 40


@dataclass(frozen=True, slots=True)
class Studio:
    """How people vote. `preference` is the true mean over scenes; scenes, takes and people differ around it.

    `votes` a scene on average, at least one, on up to four takes. Of nine people each votes less than the one before
    (as 1, ½, ⅓ …); each is somewhat careless, says now and then that neither is better, and prefers the left picture
    more or less. `taste` is by how much people differ in which side they prefer at all.
    """

    preference: float
    votes: float = 3.0
    taste: float = 0.0

    def cast(self, chance: np.random.Generator) -> Votes:
        """The votes of one studio."""
        activity = 1 / np.arange(1, VOTERS + 1)
        activity /= activity.sum()
        careless, ties = chance.uniform(0, 0.5, VOTERS), chance.uniform(0, 0.3, VOTERS)
        left_bias, tastes = chance.uniform(0, 0.15, VOTERS), chance.normal(0, self.taste, VOTERS)
        heard = float(activity @ ((1 - careless) * (1 - ties)))  # of a preference so much is left in the votes' mean
        shifted = 0.5 + (self.preference - 0.5) / heard
        by_scene = chance.beta(3 * shifted, 3 * (1 - shifted), SCENES)
        by_take = chance.beta(6 * by_scene[:, None], 6 * (1 - by_scene[:, None]), (SCENES, TAKES))
        scene = np.repeat(np.arange(SCENES), 1 + chance.poisson(self.votes - 1, SCENES))
        take, voter = chance.integers(TAKES, size=len(scene)), chance.choice(VOTERS, len(scene), p=activity)
        likes_b = 0.5 + (1 - careless[voter]) * (by_take[scene, take] - 0.5) + tastes[voter]
        likes_b += left_bias[voter] * chance.choice((-1, 1), len(scene))  # sides stand left by lot
        said = (chance.random(len(scene)) < likes_b).astype(float)
        said[chance.random(len(scene)) < ties[voter]] = 0.5
        return Votes(scene, take, said)


@dataclass(frozen=True, slots=True)
class Votes:
    """Scene, take and score of each vote."""

    scene: Ints
    take: Ints
    said: Floats

    def scores(self) -> Floats:
        """Of every scene with all its votes, as `scores_of` makes them: votes within takes, then takes."""
        pair = self.scene * TAKES + self.take
        votes = np.bincount(pair, minlength=SCENES * TAKES)
        means = np.bincount(pair, self.said, minlength=SCENES * TAKES) / np.maximum(votes, 1)
        return means.reshape(SCENES, TAKES).sum(axis=1) / (votes.reshape(SCENES, TAKES) > 0).sum(axis=1)

    def in_order(self, order: Ints) -> Votes:
        """The same votes in another order."""
        return Votes(self.scene[order], self.take[order], self.said[order])


def mixed(chance: np.random.Generator) -> Votes:
    """The votes of all scenes in one mixed order: nearly every one changes a scene that was counted already."""
    votes = Studio(0.5).cast(chance)
    return votes.in_order(chance.permutation(len(votes.said)))


def rounds(chance: np.random.Generator) -> Votes:
    """Nine people, one after the other, on all scenes, which do not differ at all: later votes matter most then."""
    scene = np.tile(np.arange(SCENES), VOTERS)
    return Votes(scene, np.zeros_like(scene), (chance.random(len(scene)) < 0.5).astype(float))


class LateVotes:
    """Studios side by side whose votes come one by one, with every scene's score as it is then."""

    def __init__(self, studios: list[Votes]) -> None:
        self._studios = studios
        self._place = np.full((len(studios), SCENES), -1)
        self._sums = np.zeros((len(studios), SCENES, TAKES))
        self._votes = np.zeros((len(studios), SCENES, TAKES))
        self.scenes = np.zeros(len(studios), dtype=np.int64)
        self.scores = np.zeros((len(studios), SCENES))

    def take(self, number: int) -> None:
        """Count the vote of this number in every studio that has so many."""
        at = np.array([each for each, votes in enumerate(self._studios) if number < len(votes.said)])
        scene, take, said = (
            np.array([getattr(self._studios[each], name)[number] for each in at]) for name in ("scene", "take", "said")
        )
        new = self._place[at, scene] < 0
        self._place[at[new], scene[new]] = self.scenes[at[new]]
        self.scenes[at[new]] += 1
        here = self._place[at, scene]
        self._sums[at, here, take] += said
        self._votes[at, here, take] += 1
        votes = self._votes[at, here]
        self.scores[at, here] = (self._sums[at, here] / np.maximum(votes, 1)).sum(axis=1) / (votes > 0).sum(axis=1)

    def are_decided(self) -> Marks:
        """Whether ½ is outside each studio's interval now."""
        until = is_decided(self.scores[:, : self.scenes.max()])
        now = np.take_along_axis(until, self.scenes[:, None] - 1, axis=1)[:, 0]
        return np.asarray(now & (self.scenes >= FIRST_LOOK))


def wrongly(votes_of: Callable[[np.random.Generator], Votes], sets: int) -> float:
    """How many studios are ever decided where nothing is true, looked at after every single vote."""
    decided = 0
    for first in range(0, sets, AT_ONCE):
        studios = [votes_of(np.random.default_rng(seed)) for seed in range(first, min(first + AT_ONCE, sets))]
        late, ever = LateVotes(studios), np.zeros(len(studios), dtype=np.bool_)
        for number in range(max(len(votes.said) for votes in studios)):
            late.take(number)
            ever |= late.are_decided()
        decided += int(ever.sum())
    return decided / sets


def coins(preference: float) -> Scored:
    """One vote a scene and no ties: of all studios the one that learns least from a scene."""
    return lambda chance: (chance.random(SCENES) < preference).astype(float)


def scored(studio: Studio) -> Scored:
    """Every scene with all its votes."""
    return lambda chance: studio.cast(chance).scores()


def is_decided(scores: Floats) -> Marks:
    """At each look after a scene: whether ½ is outside the interval then; of several studios along the last axis."""
    bets = np.minimum(bets_on(scores), 1) * (scores - 0.5)
    capital = [np.cumsum(np.log1p(side * bets), axis=-1) for side in (1, -1)]
    return np.asarray(np.maximum(*capital) >= LOG_STAKE)


@dataclass(frozen=True, slots=True)
class Found:
    """What so many studios came to, in shares of them; `width` is the half width beside that of a fixed size."""

    decided: float
    decided_in_time: float
    half: float
    width: float


def tried(scores_of_a_set: Scored, sets: int) -> Found:
    """Look after every scene, in so many studios."""
    decided, in_time, halves, widths = 0, 0, [], []
    for seed in range(sets):
        scores = scores_of_a_set(np.random.default_rng(seed))
        seen = is_decided(scores)[FIRST_LOOK - 1 :]
        assert seen[-1] == interval_of(scores).leaves_out(0.5)  # noqa: S101 - what is told here is what pages tell
        decided += bool(seen.any())
        in_time += bool(seen[: DECIDED_BY - FIRST_LOOK + 1].any())
        until = scores[:WIDTH_AT]
        interval = interval_of(until)
        halves.append((interval.high - interval.low) / 2)
        widths.append(halves[-1] / (1.96 * until.std(ddof=1) / np.sqrt(WIDTH_AT)))
    return Found(decided / sets, in_time / sets, statistics.mean(halves), statistics.mean(widths))


def judgements() -> list[Judgement]:
    """100,000 votes of 20,000 comparisons, two takes each, in 8,000 scenes, with everything that can be known."""
    chance = random.Random(21)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    winners, letters = list(Winner), list(SideLetter)
    pairs = {
        (comparison, take): JudgedPair(
            scene=f"scene {comparison % 8_000}",
            comparison=f"01J{comparison:023d}",
            controlled=comparison % 20 > 0,
            take=1 + take,
            varies=Varies.ANGLE,
            tone=f"tone {comparison % 7}",
            angle=f"angle {comparison % 10}",
            persona=f"person {comparison % 60}",
            model="gpt-image-2",
            a=SideFacts("Tone only", chance.uniform(40, 90), 0.04, 21.0, 0),
            b=SideFacts("Tone + angle", chance.uniform(40, 90), 0.05, 24.0, 0),
        )
        for comparison in range(COMPARISONS)
        for take in range(2)
    }
    made = []
    for number in range(VOTES):
        comparison = chance.randrange(COMPARISONS)
        made.append(
            Judgement(
                pair=pairs[comparison, chance.randrange(2)],
                voter=f"voter{min(int(chance.expovariate(0.1)), PEOPLE - 1)}@studio.example",
                winner=chance.choices(winners, (34, 46, 15, 5))[0],
                left=chance.choice(letters),
                blind=chance.random() < 0.95,
                time=began + timedelta(seconds=number * 90),
                reasons=("tone",) if chance.random() < 0.3 else (),
                seconds=chance.uniform(1, 9),
            )
        )
    return made


def timed(work: Callable[[], object]) -> str:
    """Median seconds, worst, and processor time, as the cells of a row."""
    walls, processor = [], []
    for _ in range(ROUNDS):
        began, worked = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - began)
        processor.append(time.process_time() - worked)
    return f"{statistics.median(walls):.2f} | {max(walls):.2f} | {statistics.median(processor):.2f}"


def speed() -> list[str]:
    """How long insights take."""
    votes = judgements()
    evidence = evidence_of(votes)
    return [
        "| | median, s | worst, s | processor, s |",
        "|---|---|---|---|",
        f"| open: columns and everything on the page | {timed(lambda: insights_of(evidence_of(votes), Filters()))} |",
        f"| filter: one tone | {timed(lambda: insights_of(evidence, Filters(tone='tone 3')))} |",
        f"| filter: half of the days | {timed(lambda: insights_of(evidence, Filters(since=date(2026, 2, 22))))} |",
        f"| filter: none, all votes | {timed(lambda: insights_of(evidence, Filters()))} |",
    ]


def simulated(sets: int) -> list[str]:
    """The table of studios, and what it does not cover."""
    rows = {
        "½, one vote a scene": coins(0.5),
        "½, unequal voters and takes": scored(Studio(0.5)),
        "0.65, one vote a scene": coins(0.65),
        "0.65, unequal voters and takes": scored(Studio(0.65)),
        "½, people whose tastes differ (sd 0.1)": scored(Studio(0.5, taste=0.1)),
    }
    lines = [
        f"| true preference | ever decided in {SCENES} scenes | by {DECIDED_BY} | half width at {WIDTH_AT} | "
        "beside a fixed-size one |",
        "|---|---|---|---|---|",
    ]
    for name, scores in rows.items():
        found = tried(scores, sets)
        lines.append(
            f"| {name} | {found.decided:.1%} | {found.decided_in_time:.1%} | {found.half:.3f} | {found.width:.2f} |"
        )
    in_order, in_rounds = wrongly(mixed, sets), wrongly(rounds, sets)
    return [
        *lines,
        "",
        "The theorem covers looks between scenes whose votes are all there, and there 2.5 % at most. Looked at after "
        f"every single vote where ½ is true: ever decided in {in_order:.1%} with the votes of all scenes in one mixed "
        f"order (unequal voters and takes), and in {in_rounds:.1%} with nine people one after the other on "
        "300 scenes that do not differ at all, the worst that was found.",
    ]


def report(sets: int) -> str:
    """The section as Markdown."""
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. "
            "`python -m bench.preference` makes this section.",
            "",
            f"{sets:,} simulated studios a row, looked at after every scene from {FIRST_LOOK} on. Targets: where ½ is "
            f"true at most 5 % ever decided; where 0.65 is, half by {DECIDED_BY} scenes; a half width at {WIDTH_AT} "
            "scenes of at most 1.7 times 1.96 standard errors, which hold for one look. Unequal voters and takes: nine "
            "people of whom each votes less than the one before, careless, left-leaning and undecided in their own "
            "ways; one to four takes, three votes a scene on average.",
            "",
            *simulated(sets),
            "",
            "The last row is outside the promise: where two people do half of the voting and tastes differ, the mean "
            "of their votes is not that of all people. Insights show what is left without the busiest one.",
            "",
            f"{VOTES:,} votes of {COMPARISONS:,} comparisons by {PEOPLE} people, {ROUNDS} times each (targets: 1 s to "
            f"open, 0.3 s for a filter). Load average at the end: {os.getloadavg()[0]:.1f}.",
            "",
            *speed(),
            "",
        ]
    )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    print(section := report(asked.sets))
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
