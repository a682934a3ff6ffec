"""Whether the review queue finds wrong labels first: errors planted among the samples' labels, in several situations.

Eight genders are turned and eight ages moved by 25 years, forty times over. Then the queue is asked for its first 16
and 24 places, beside the order there was before it: the most pressing kind of reason first. With `--seed` other errors
are planted. `python -m bench.label_queue` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.listing import machine
from bench.results import write_section
from core.labels.decisions.reviews import Event, FieldChange, Kind, Reviews, Save, Value, value_in
from core.labels.machine.labeler import Proposal
from core.labels.machine.proposals import load_shipped
from core.labels.published.label_file import FoundLabel, LabelState, load_published
from core.labels.published.schema import AGE_MAX, Gender, Label, LabelField, LabelSource, age_range_of
from core.labels.queue.assessment import Assessment
from core.labels.queue.queue import PortraitFacts, order_of
from core.objects.objects import StoredObject
from core.references.index import build_index
from core.references.reference import Reference
from core.references.vocabulary import load_vocabulary

HEADING = "## Wrong labels in the queue"
ROOT = Path(__file__).parents[1]
EACH = 8  # genders, and as many ages
ERRORS = 2 * EACH
YEARS = 25
PLANTINGS = 40
MANY = 10_000
_FILED = datetime(2026, 11, 1, tzinfo=UTC)
_REVIEWED = 14  # portraits that each of three reviewers has been through
_BOTH = (LabelField.GENDER, LabelField.AGE)


@dataclass(frozen=True, slots=True)
class Library:
    """Portraits with labels, machines' proposals and decisions; `wrong` are the planted errors' etags."""

    references: Mapping[str, Reference]
    labels: Mapping[str, Label]
    proposals: Mapping[str, tuple[Proposal, ...]]  # by etag
    reviews: Reviews = field(default_factory=Reviews)
    wrong: frozenset[str] = frozenset()

    def facts(self) -> list[PortraitFacts]:
        """Everything the queue is made of."""
        return [
            PortraitFacts(
                reference=self.references[key],
                found=FoundLabel(LabelState.CURRENT, label),
                published=label,
                proposals=self.proposals.get(label.etag, ()),
                decisions=self.reviews.of_picture(label.etag),
            )
            for key, label in self.labels.items()
        ]


@dataclass(frozen=True, slots=True)
class Found:
    """How many of the errors stand in the first places, and what was estimated to be wrong."""

    first_16: int
    first_24: int
    old_16: int
    old_24: int
    low: int
    high: int
    wrong: int

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.wrong <= self.high


def samples() -> Library:
    """The samples' portraits as they are published, with what the local labeler says of them."""
    labels = {label.key: label for label in load_published(ROOT / "labels" / "personas.jsonl")}
    rows = [StoredObject(label.key, label.etag, 1, _FILED) for label in labels.values()]
    index = build_index(
        sorted(rows, key=lambda row: row.key.encode()), load_vocabulary(ROOT / "labels/attributes.toml")
    )
    references = {key: ref for key in labels if (ref := index.get(key)) is not None}
    proposals: dict[str, list[Proposal]] = {}
    for proposal in load_shipped(ROOT / "samples" / "machine_labels.jsonl"):
        proposals.setdefault(proposal.label.etag, []).append(proposal)
    return Library(references, labels, {etag: tuple(said) for etag, said in proposals.items()})


def planted(library: Library, chance: random.Random) -> Library:
    """The library with so many wrong genders and ages, each in a portrait of its own."""
    return with_errors(library, chance, chance.sample(sorted(library.labels), ERRORS))


def with_errors(library: Library, chance: random.Random, keys: Sequence[str]) -> Library:
    """The library with a wrong gender in the first half of these portraits, and a wrong age in the others."""
    labels = dict(library.labels)
    for key in keys[: len(keys) // 2]:
        labels[key] = with_gender(labels[key], turned(labels[key].gender_presentation))
    for key in keys[len(keys) // 2 :]:
        low, high = labels[key].ages or (0, 0)
        years = YEARS if low < YEARS or (high + YEARS <= AGE_MAX and chance.random() < 0.5) else -YEARS
        labels[key] = with_age(labels[key], low + years, high + years)
    return replace(library, labels=labels, wrong=library.wrong.union(labels[key].etag for key in keys))


def turned(gender: Gender | None) -> Gender:
    """The other one."""
    return Gender.FEMININE if gender is Gender.MASCULINE else Gender.MASCULINE


def with_gender(label: Label, gender: Gender) -> Label:
    """The label with this gender."""
    return label.model_copy(update={"gender_presentation": gender})


def with_age(label: Label, low: int, high: int) -> Label:
    """The label with these years."""
    return label.model_copy(update={"age_low": low, "age_high": high, "age_range": age_range_of(low, high)})


# ---- situations


def plain(chance: random.Random) -> Library:
    """The samples as they are."""
    return planted(samples(), chance)


def half_wrong(chance: random.Random) -> Library:
    """With a second labeler, sure of everything and wrong in half of it."""
    library = samples()
    proposals = dict(library.proposals)
    for label in library.labels.values():
        said = with_gender(label, turned(label.gender_presentation)) if chance.random() < 0.5 else label
        if chance.random() < 0.5:
            low = chance.randint(5, 80)
            said = with_age(said, low, low + 9)
        machine = {"source": LabelSource.OPENAI, "model": "half", "confidence": dict.fromkeys(_BOTH, 0.95)}
        proposal = Proposal(label=said.model_copy(update={**machine, "tone": None, "angle": None}))
        proposals[label.etag] = (proposal, *proposals.get(label.etag, ()))
    return planted(replace(library, proposals=proposals), chance)


def reviewed(chance: random.Random) -> Library:
    """Three have reviewed portraits before: two with care, the third accepts whatever is shown.

    Errors are as frequent among what the careful ones saw, who mended them; so many are left elsewhere.
    """
    true = samples()
    keys = chance.sample(sorted(true.labels), len(true.labels))
    careful, careless, rest = keys[: 2 * _REVIEWED], keys[2 * _REVIEWED : 3 * _REVIEWED], keys[3 * _REVIEWED :]
    seen = chance.sample(careful, round(ERRORS * len(careful) / len([*careless, *rest]) / 2) * 2)
    library = with_errors(true, chance, seen)
    library = with_errors(library, chance, chance.sample([*careless, *rest], ERRORS))
    saves = []
    for number, key in enumerate([*careful, *careless], 1):
        shown, reviewer = library.labels[key], "cy" if key in careless else ("ann", "bo")[number % 2]
        right = shown if key in careless else true.labels[key]
        said = {each: value for each in LabelField if (value := value_in(right, each)) is not None}
        saves.append(decided(number, reviewer, shown, said))
    mended = {true.labels[key].etag for key in careful}
    return replace(library, reviews=Reviews.of(saves), wrong=library.wrong - mended)


def accepted(number: int, reviewer: str, label: Label) -> Save:
    """Somebody says that all of a label is right."""
    said = {each: value_in(label, each) for each in LabelField}
    return decided(number, reviewer, label, {each: value for each, value in said.items() if value is not None})


def decided(number: int, reviewer: str, label: Label, values: Mapping[LabelField, Value]) -> Save:
    """Somebody says what is right."""
    changes = tuple(FieldChange(field=each, before=value_in(label, each), after=said) for each, said in values.items())
    kind = Kind.ACCEPT if all(change.before == change.after for change in changes) else Kind.CORRECT
    event = Event(id=f"{number}", kind=kind, key=label.key, etag=label.etag, changes=changes)
    return Save(number=number, reviewer=reviewer, time=_FILED, events=(event,))


def single(chance: random.Random) -> Library:
    """Every picture is of a persona of its own."""
    library = samples()
    names = chance.sample(range(10**6), len(library.references))
    alone = {
        key: replace(ref, key=f"{key.rpartition('/')[0]}/{_letters(name)}.jpg")
        for (key, ref), name in zip(library.references.items(), names, strict=True)
    }
    return planted(replace(library, references=alone), chance)


def _letters(number: int) -> str:
    """A name without digits, which would be a running number."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


SITUATIONS: dict[str, Callable[[random.Random], Library]] = {
    "the samples as they are": plain,
    "and a labeler that is wrong half of the time": half_wrong,
    "three reviewers, one of them careless": reviewed,
    "every picture of a persona of its own": single,
}


# ---- the order there was before


def old_order(facts: PortraitFacts) -> tuple[int, int, float, bytes]:
    """The most pressing kind of reason, the number of reasons, the least sure, the key."""
    label = facts.published
    kinds = sorted(_old_reasons(facts)) or [_LAST]
    sure = min(label.confidence.values(), default=1.0) if label else 0.0
    return kinds[0], -len(kinds), sure, facts.reference.key.encode()


_DISAGREE, _FOLDER, _UNSURE, _NOT_REVIEWED, _LAST = range(5)


def _old_reasons(facts: PortraitFacts) -> Iterable[int]:
    label = facts.published
    if facts.decisions.deciding or label is None:
        return
    said = [*(proposal.label for proposal in facts.proposals), label]
    apart = any(_old_apart([value for one in said if (value := value_in(one, each)) is not None]) for each in _BOTH)
    tags = ((LabelField.TONE, facts.reference.tone), (LabelField.ANGLE, facts.reference.angle))
    folders = sum(tag is not None and any(value_in(one, each) not in (None, tag) for one in said) for each, tag in tags)
    sure = label.confidence or (facts.proposals[0].label.confidence if facts.proposals else {})
    unsure = any(sure.get(each, 1.0) < 0.6 for each in _BOTH) or any(each.problem for each in facts.proposals[:1])
    found = [*[_DISAGREE] * apart, *[_FOLDER] * folders, *[_UNSURE] * unsure]
    yield from found or [_NOT_REVIEWED]


def _old_apart(values: Sequence[Value]) -> bool:
    return any(_differ(values[0], value) for value in values[1:])


def _differ(one: Value, other: Value) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return max(one[0], other[0]) - min(one[1], other[1]) > 5
    return one != other


# ---- measuring


def found_in(library: Library) -> Found:
    """What the queue finds in a library with errors."""
    facts = library.facts()
    book = Assessment()
    book.keep(facts)
    queue = [item.reference.etag for item in sorted(book.items.values(), key=lambda item: order_of(item, ""))]
    old = [each.reference.etag for each in sorted(facts, key=old_order)]
    remaining = book.outlook.remaining
    (first, second), (old_first, old_second) = (
        [len(library.wrong.intersection(order[:places])) for places in (ERRORS, 24)] for order in (queue, old)
    )
    return Found(first, second, old_first, old_second, remaining.low, remaining.high, len(library.wrong))


def runs_of(situation: Callable[[random.Random], Library], seed: int, plantings: int) -> list[Found]:
    """Many plantings of one situation."""
    return [found_in(situation(random.Random(f"{seed} {number}"))) for number in range(plantings)]


def seconds_after_a_review() -> tuple[list[float], list[float]]:
    """How long the new order of very many labels takes after a review, nine times: the clock's and the processor's."""
    chance, book, reviews = random.Random(0), Assessment(), Reviews()
    facts = {each.reference.etag: each for each in _many(chance).facts()}
    book.keep(facts.values())
    list(book.items)
    seconds, processor = [], []
    for number, (etag, known) in enumerate(chance.sample(sorted(facts.items(), key=lambda each: each[0]), 9), 1):
        if known.published is None:
            raise SystemExit("a portrait has no label")
        reviews |= Reviews.of([accepted(number, "ann", known.published)])
        newer = replace(known, decisions=reviews.of_picture(etag))
        begun, at_work = time.perf_counter(), time.process_time()
        book.renew([etag], lambda _, newer=newer: newer)  # type: ignore[misc]
        sorted(book.items.values(), key=lambda item: order_of(item, ""))
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - at_work)
    return seconds, processor


def _many(chance: random.Random) -> Library:
    """Very many portraits: the samples' over and over, of personas of other names and with a second labeler."""
    library, labels, references, proposals = samples(), {}, {}, {}
    for number in range(MANY):
        round_, key = number // len(library.labels), list(library.labels)[number % len(library.labels)]
        label, ref = library.labels[key], library.references[key]
        folder, _, name = key.rpartition("/")
        etag, key = f"{number:032x}", f"{folder}/{_letters(round_)}{name}"
        labels[key] = label.model_copy(update={"key": key, "etag": etag})
        references[key] = replace(ref, key=key, etag=etag)
        said = library.proposals.get(label.etag, ())
        other = label.model_copy(update={"source": LabelSource.OPENAI, "model": "second"})
        proposals[etag] = (*said, Proposal(label=with_gender(other, turned(None)) if chance.random() < 0.1 else other))
    return Library(references, labels, proposals)


def row(name: str, runs: Sequence[Found]) -> str:
    """A situation's line."""

    def mean(values: Iterable[float]) -> str:
        return f"{statistics.mean(values):.1f}"

    holds = sum(run.holds for run in runs) / len(runs)
    places = [mean(getattr(run, part) for run in runs) for part in ("first_16", "first_24", "old_16", "old_24")]
    worst = min(run.first_16 for run in runs)
    width = f"{mean(run.low for run in runs)} to {mean(run.high for run in runs)}"
    return f"| {name} | {places[0]} ({worst}) | {places[1]} | {places[2]} | {places[3]} | {width} | {holds:.0%} |"


def report(rows: Sequence[str], speed: tuple[list[float], list[float]], seed: int) -> str:
    """The section as Markdown."""
    seconds, processor = speed
    head = "| | of 16 in the first 16 (worst) | in the first 24 | before: in 16 | in 24 | said wrong, 90 % | it holds |"
    lines = [
        HEADING,
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. "
        f"`python -m bench.label_queue` makes this section. Load average: {os.getloadavg()[0]:.1f}.",
        "",
        f"{PLANTINGS} plantings (seed {seed}) of {EACH} turned genders and {EACH} ages moved by {YEARS} years among "
        "the samples' 82 labels: how many of the 16 stand in the first 16 and 24 places on average (chance: 3.1, 4.7; "
        "targets: 13 and 15), beside the order before; and how many labels are said to be still wrong, with how often "
        "that interval holds the truth (target: 90 %).",
        "",
        head,
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"{MANY:,} labels, two labelers: the new order is there {statistics.median(seconds):.2f} s after a review "
        f"(worst {max(seconds):.2f} s; target 1 s), {statistics.median(processor):.2f} s of processor time.",
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure all, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plantings", type=int, default=PLANTINGS)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    rows = [row(name, runs_of(situation, asked.seed, asked.plantings)) for name, situation in SITUATIONS.items()]
    section = report(rows, seconds_after_a_review(), asked.seed)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
