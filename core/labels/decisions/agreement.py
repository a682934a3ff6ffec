"""Agreement: how often machines say what people decided, how far they are from it, and whether people agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Final

import krippendorff
import numpy as np

from core.labels.decisions.reviews import Reviews, Value, value_in
from core.labels.decisions.second_looks import COMPARED, Publishing, TwoLooks, two_looks, word_of
from core.labels.machine.labeler import Proposal
from core.labels.published.schema import AGE_RANGES, Label, LabelField, LabelSource, age_range_of
from core.shares import Share

NOT_BLIND: Final = (
    "when they were made the first decision had been published, so that it was on the screen, or may have been."
)


@dataclass(frozen=True, slots=True)
class AgeError:
    """Years between the middles of two ranges; `bias` is above zero where the machine says older."""

    age_range: str
    count: int
    mean_error: float
    median_error: float
    bias: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """One side's word against another's. An age is right when both middles lie in the same range.

    `confusion` counts (theirs, said) for every compared field.
    """

    said_by: str
    against: str
    pictures: int
    fields: Mapping[LabelField, Share]
    ages: tuple[AgeError, ...]
    confusion: Mapping[LabelField, Mapping[tuple[str, str], int]]


@dataclass(frozen=True, slots=True)
class BetweenReviewers:
    """Krippendorff's alpha over the pictures that two people looked at: 1 is full agreement, 0 is chance.

    None where it is not defined: nobody looked twice, or everybody said the same one thing.
    Second looks that were not blind are left out.
    Krippendorff, K. (2011): Computing Krippendorff's alpha-reliability. University of Pennsylvania.
    """

    pictures: int
    same: Share
    alpha: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """All trust numbers. `nominal` are distances to what a renderer was told, which is no accuracy.

    `second_looks_left_out` are the portraits whose second reviewer saw the first one's word, or may have.
    """

    reviewed: int
    accuracy: tuple[Measurement, ...]
    nominal: tuple[Measurement, ...]
    labelers: tuple[Measurement, ...]
    reviewers: Mapping[LabelField, BetweenReviewers]
    second_looks_left_out: int


def agreement_of(
    proposals: Mapping[str, Sequence[Proposal]],
    reviews: Reviews,
    published: Iterable[Label],
    *,
    shown_answers: frozenset[str] = frozenset(),
    publishing: Publishing | None = None,
) -> Agreement:
    """Every number from everything that is known.

    `shown_answers` are the etags of worked examples: a labeler that was shown the answers is not judged on them.
    `publishing` is when labels were last published: older second looks may have been shown what was published.
    """
    machines = _by_labeler(proposals, shown_answers)
    people = {etag: values for etag in reviews.etags if (values := reviews.of_picture(etag).values)}
    nominal = {label.etag: _values(label) for label in published if label.source is LabelSource.NOMINAL}
    names = sorted(machines)
    looks = [look for etag in reviews.etags if (look := two_looks(reviews.of_picture(etag))) is not None]
    blind = [look for look in looks if look.was_blind(publishing)]
    return Agreement(
        reviewed=len(people),
        accuracy=tuple(compare(name, machines[name], "reviews", people) for name in names),
        nominal=tuple(compare(name, machines[name], "nominal", nominal) for name in names) if nominal else (),
        labelers=tuple(
            compare(one, machines[one], other, machines[other])
            for at, one in enumerate(names)
            for other in names[at + 1 :]
        ),
        reviewers={field: between_reviewers(blind, field) for field in COMPARED},
        second_looks_left_out=len(looks) - len(blind),
    )


def compare(
    said_by: str,
    said: Mapping[str, Mapping[LabelField, Value]],
    against: str,
    theirs: Mapping[str, Mapping[LabelField, Value]],
) -> Measurement:
    """One side against another, over the pictures and fields that both have an opinion on."""
    both = [(said[etag], theirs[etag]) for etag in sorted(said.keys() & theirs.keys())]
    fields, confusion = {}, {}
    for field in COMPARED:
        pairs = [
            (word_of(one[field]), word_of(other[field]))
            for one, other in both
            if one.get(field) is not None and field in other
        ]
        fields[field] = Share.of(sum(one == other for one, other in pairs), len(pairs))
        confusion[field] = dict(sorted(Counter((other, one) for one, other in pairs).items()))
    ages = [
        (one[LabelField.AGE], other[LabelField.AGE])
        for one, other in both
        if isinstance(one.get(LabelField.AGE), tuple) and isinstance(other.get(LabelField.AGE), tuple)
    ]
    return Measurement(said_by, against, len(both), fields, tuple(_age_errors(ages)), confusion)


def between_reviewers(looks: Iterable[TwoLooks], field: LabelField) -> BetweenReviewers:
    """Whether two people who looked at the same picture said the same; the second was not shown the first's word."""
    pairs = [words[field] for look in looks if field in (words := look.words)]
    said = [(word_of(one.value), word_of(other.value)) for one, other in pairs]
    same = Share.of(sum(one == other for one, other in said), len(said))
    return BetweenReviewers(len(said), same, _alpha(said))


def _alpha(words: Sequence[tuple[str, str]]) -> float | None:
    codes = {word: code for code, word in enumerate(sorted({word for pair in words for word in pair}))}
    if len(codes) < 2:
        return None
    coded = np.array([[codes[one] for one, _ in words], [codes[other] for _, other in words]], dtype=float)
    return float(krippendorff.alpha(reliability_data=coded, level_of_measurement="nominal"))


def _age_errors(ages: Sequence[tuple[Value, Value]]) -> Iterable[AgeError]:
    """Errors by the range that theirs lies in, then over all."""
    by_range: dict[str, list[float]] = {name: [] for name, _, _ in AGE_RANGES}
    for one, other in ages:
        if isinstance(one, tuple) and isinstance(other, tuple):
            by_range[age_range_of(*other)].append(sum(one) / 2 - sum(other) / 2)
    every = [error for errors in by_range.values() for error in errors]
    for name, errors in [*by_range.items(), ("all", every)]:
        if errors:
            sizes = [abs(error) for error in errors]
            yield AgeError(name, len(errors), round(mean(sizes), 2), median(sizes), round(mean(errors), 2))


def _by_labeler(
    proposals: Mapping[str, Sequence[Proposal]], shown_answers: frozenset[str]
) -> dict[str, dict[str, dict[LabelField, Value]]]:
    machines: dict[str, dict[str, dict[LabelField, Value]]] = {}
    for etag, rows in proposals.items():
        for proposal in rows:
            label = proposal.label
            if not (label.shots and etag in shown_answers):
                shots = None if label.shots is None else f"{label.shots}-shot"
                parts = (label.source.value, label.model, label.prompt_version, shots)
                name = " ".join(part for part in parts if part is not None)
                machines.setdefault(name, {}).setdefault(etag, _values(label))
    return machines


def _values(label: Label) -> dict[LabelField, Value]:
    said = {field: value_in(label, field) for field in COMPARED}
    return {field: value for field, value in said.items() if value is not None}
