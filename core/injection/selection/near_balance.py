"""Near balance: the one wish to loosen where nobody has a person reference for both sides of a balanced pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from core.injection.request.slots import ANYTHING, Loosen, NearMiss, Rule
from core.injection.request.wishes import WishedFrom
from core.injection.selection.narrowing import LabelLookup, Narrowing, fits_tags, hits, opposite, tag_of, with_value
from core.labels.published.schema import AGE_RANGES, Gender
from core.references.index import ReferenceIndex
from core.references.reference import AttributeGroup, ReferenceFolder
from core.references.vocabulary import Role

_VALUES_MAX: Final = 6  # of one wish: a choice, not a list of everybody


def near_balance(
    index: ReferenceIndex,
    folder: ReferenceFolder,
    labels: LabelLookup,
    wanted: Sequence[Narrowing],
    anybody: Sequence[Narrowing],
) -> tuple[NearMiss, ...]:
    """What to loosen, one wish and one value each, in the order of `near_misses`; the angle is given up last.

    Each counts the pictures of those who then have some on both sides. `wanted` is what tone + angle asks for, and
    `anybody` the same once a pinned person is let go of.
    """
    found = []
    for other in index.folders_of(Role.MODEL):
        pictures = _on_both(other.groups, wanted).total() if other is not folder else 0
        if pictures:
            found.append(NearMiss(Loosen.FOLDER, other.path, pictures))
    for loosened in sorted(wanted, key=lambda narrowing: narrowing.rule is Rule.ANGLE):
        counted = dict(_values(folder.groups, wanted, loosened, anybody, labels))
        ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_VALUES_MAX]
        found += [NearMiss(Loosen(loosened.rule.value), value, pictures) for value, pictures in ranked if pictures]
    return tuple(found)


def _values(
    groups: Sequence[AttributeGroup],
    wanted: Sequence[Narrowing],
    loosened: Narrowing,
    anybody: Sequence[Narrowing],
    labels: LabelLookup,
) -> Iterator[tuple[str, int]]:
    """Other values of one wish, and how many pictures each gives."""
    others = [narrowing for narrowing in wanted if narrowing is not loosened]
    is_picked = loosened.wish.source is WishedFrom.PICKED
    if loosened.rule is Rule.PERSONA:
        if is_picked:
            yield ANYTHING, _on_both(groups, anybody).total()
            return
        yield from _names(groups, _on_both(groups, others)).items()
        return
    if loosened.rule in (Rule.GENDER, Rule.AGE) and is_picked:
        yield ANYTHING, _on_both(groups, others).total()
    for value in _others(groups, loosened):
        asked = [with_value(each, value, labels) if each is loosened else each for each in wanted]
        yield value, _on_both(groups, asked).total()


def _others(groups: Iterable[AttributeGroup], loosened: Narrowing) -> list[str]:
    """The values that a wish could have instead."""
    match loosened.rule:
        case Rule.TONE | Rule.ANGLE:
            tags = {tag_of(group, loosened.rule) for group in groups if group.is_injectable}
            values = sorted(tag for tag in tags if tag is not None)
        case Rule.GENDER:
            values = [gender.value for gender in Gender]
        case _:
            values = [name for name, _, _ in AGE_RANGES]
    return [value for value in values if value != loosened.wish.value]


def _on_both(groups: Sequence[AttributeGroup], wanted: Sequence[Narrowing]) -> Counter[str]:
    """The pictures of everybody who has some for both sides, by folded name."""
    if not any(narrowing.rule is Rule.ANGLE for narrowing in wanted):
        return Counter()
    one, other = (_people(groups, narrowings) for narrowings in (opposite(wanted), wanted))
    return Counter({name: count + other[name] for name, count in one.items() if name in other})


def _people(groups: Iterable[AttributeGroup], wanted: Sequence[Narrowing]) -> Counter[str]:
    counted = Counter[str]()
    for group in groups:
        if fits_tags(group, wanted) and group.usable:
            for name, refs in group.people_among(hits(group, wanted)).items():
                counted[name] += len(refs)
    return counted


def _names(groups: Iterable[AttributeGroup], counted: Mapping[str, int]) -> dict[str, int]:
    """The same by the names as files have them."""
    named = {name: refs[0].persona or name for group in groups for name, refs in group.people.items()}
    return {named[name]: count for name, count in counted.items()}
