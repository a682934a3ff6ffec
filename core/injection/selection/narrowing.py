"""Narrowings: the wishes a model reference has to meet, and what is near when nothing meets them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.injection.request.slots import ANYTHING, Loosen, NearMiss, Rule, Trail
from core.injection.request.wishes import SettledWishes, SideName, Wish, WishedFrom
from core.labels.published.label_file import FoundLabel
from core.labels.published.label_index import Claim
from core.labels.published.schema import AGE_RANGES
from core.references.index import ReferenceIndex
from core.references.key import fold
from core.references.reference import AttributeGroup, Reference, ReferenceFolder
from core.references.vocabulary import Role

_VALUES_MAX: Final = 6  # of one wish: a choice, not a list of everybody


class LabelLookup(Protocol):
    """What the plan needs of the labels."""

    def find(self, key: str, etag: str) -> FoundLabel:
        """What is published about these bytes."""

    def select(self, claim: Claim, pictures: Sequence[Reference]) -> tuple[Reference, ...]:
        """Those whose current label makes the claim: a stale one says nothing about these bytes."""


_Among = Callable[[AttributeGroup, Sequence[Reference]], tuple[Reference, ...]]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One wish, how the trail words it, and which pictures of a group meet it; None: all, if its tag does."""

    rule: Rule
    wish: Wish
    step: str
    among: _Among | None = None

    def keeps(self, group: AttributeGroup) -> bool:
        """Whether the group's tags meet the wish, if it is about tags."""
        if self.rule is Rule.OTHER_ANGLE:
            return group.tags.angle != self.wish.value
        return self.among is not None or tag_of(group, self.rule) == self.wish.value

    def left_of(self, group: AttributeGroup, references: Sequence[Reference]) -> Sequence[Reference]:
        """The references of a group that meet the wish."""
        if self.among is not None:
            return self.among(group, references)
        return references if self.keeps(group) else ()

    def note(self, trail: Trail, left: int) -> None:
        """Write this wish down as a step, with where it comes from."""
        trail.note(self.rule, self.step, left, self.wish.value, source=self.wish.source.value)


def tag_of(group: AttributeGroup, rule: Rule) -> str | None:
    """The group's tone or its angle."""
    return group.tags.tone if rule is Rule.TONE else group.tags.angle


def _of_persona(persona: str) -> _Among:
    def among(group: AttributeGroup, references: Sequence[Reference]) -> tuple[Reference, ...]:
        theirs = group.people.get(fold(persona), ())
        if references is group.usable:
            return theirs
        kept = {ref.key for ref in references}
        return tuple(ref for ref in theirs if ref.key in kept)

    return among


def _claiming(labels: LabelLookup, claim: Claim) -> _Among:
    """Both sides ask the same of the same groups: the second is answered from the first."""
    last: dict[str, tuple[Sequence[Reference], tuple[Reference, ...]]] = {}

    def among(group: AttributeGroup, references: Sequence[Reference]) -> tuple[Reference, ...]:
        asked, found = last.get(group.path, (None, ()))
        if asked is not references:
            found = labels.select(claim, references)
            last[group.path] = references, found
        return found

    return among


def narrowings(settled: SettledWishes, labels: LabelLookup) -> tuple[Narrowing, ...]:
    """Every wish model references have to meet, in the order of the trail; `narrowings_on` says which count where.

    What the prompt says of the person does not count where the designer has pinned one.
    """
    tags = ((Rule.TONE, settled.tone), (Rule.ANGLE, settled.angle))
    found = [Narrowing(rule, wish, f"tagged {wish.value}") for rule, wish in tags if wish]
    if wish := settled.persona:
        found.append(Narrowing(Rule.PERSONA, wish, _persona_words(settled, wish), _of_persona(wish.value)))
    if (wish := settled.gender) and not _is_passed_over(settled, wish):
        among = _claiming(labels, Claim(gender=wish.value))
        found.append(Narrowing(Rule.GENDER, wish, f"labelled {wish.value}", among))
    if (wish := settled.age) and (ages := settled.ages) and not _is_passed_over(settled, wish):
        among = _claiming(labels, Claim(ages=(ages.low, ages.high)))
        found.append(Narrowing(Rule.AGE, wish, f"labelled {ages} years", among))
    return tuple(found)


def _is_passed_over(settled: SettledWishes, wish: Wish) -> bool:
    return settled.is_person_pinned and wish.source is WishedFrom.PROMPT


def _persona_words(settled: SettledWishes, persona: Wish) -> str:
    """Whose picture it has to be; of a pinned person also what of the prompt gives way to them."""
    if not settled.is_person_pinned:
        return f"of {persona.value}"
    asked = [wish.value for wish in (settled.gender, settled.age) if wish and _is_passed_over(settled, wish)]
    if settled.named is not None and fold(settled.named) != fold(persona.value):
        asked.insert(0, settled.named)
    before = f", which counts before the prompt’s {', '.join(asked)}" if asked else ""
    return f"of {persona.value}, pinned by you{before}"


def narrowings_on(side: SideName, wanted: Sequence[Narrowing]) -> tuple[Narrowing, ...]:
    """The wishes that count on a side: the angle on one only."""
    return tuple(each for each in wanted if each.rule is not Rule.ANGLE or side is SideName.TONE_ANGLE)


def with_value(narrowing: Narrowing, value: str, labels: LabelLookup) -> Narrowing:
    """The same wish with another value: a tag's id, a name, a gender, or one of the named ranges of years."""
    wish = Wish(value, narrowing.wish.source)
    match narrowing.rule:
        case Rule.PERSONA:
            among = _of_persona(value)
        case Rule.GENDER:
            among = _claiming(labels, Claim(gender=value))
        case Rule.AGE:
            low, high = next((low, high) for name, low, high in AGE_RANGES if name == value)
            among = _claiming(labels, Claim(ages=(low, high)))
        case _:
            return Narrowing(narrowing.rule, wish, f"tagged {value}")
    return Narrowing(narrowing.rule, wish, value, among)


def opposite(wanted: Sequence[Narrowing]) -> tuple[Narrowing, ...]:
    """The same wishes, but for any other angle than the wished one: what tone only shows of a balanced pair."""
    return tuple(
        Narrowing(Rule.OTHER_ANGLE, each.wish, f"another angle than {each.wish.value}")
        if each.rule is Rule.ANGLE
        else each
        for each in wanted
    )


def other_gender(settled: SettledWishes, labels: LabelLookup) -> Callable[[Reference], bool] | None:
    """Tells pictures labelled with another gender than the wished one; None when no gender is wished."""
    wish = settled.gender
    if wish is None:
        return None

    def tells(ref: Reference) -> bool:
        label = labels.find(ref.key, ref.etag).label  # even a stale label is a reason to keep away
        return label is not None and label.gender_presentation not in (None, wish.value)

    return tells


def fits_tags(group: AttributeGroup, wanted: Sequence[Narrowing]) -> bool:
    """Whether a group's tags meet every wish that is about tags."""
    return all(narrowing.keeps(group) for narrowing in wanted)


def hits(group: AttributeGroup, wanted: Sequence[Narrowing]) -> Sequence[Reference]:
    """The pictures of a group that meet every wish."""
    if not fits_tags(group, wanted):
        return ()
    left: Sequence[Reference] = group.usable
    for narrowing in wanted:
        left = narrowing.left_of(group, left)
    return left


def near_misses(
    index: ReferenceIndex,
    folder: ReferenceFolder,
    labels: LabelLookup,
    wanted: Sequence[Narrowing],
    anybody: Sequence[Narrowing],
) -> tuple[NearMiss, ...]:
    """What to loosen, one wish and one value each: another folder, then tone, person, gender and age, last the angle.

    `anybody` is what has to be met once a pinned person is let go of.
    """
    found = []
    for other in index.folders_of(Role.MODEL):
        pictures = sum(len(hits(group, wanted)) for group in other.groups) if other is not folder else 0
        if pictures:
            found.append(NearMiss(Loosen.FOLDER, other.path, pictures))
    for loosened in sorted(wanted, key=lambda narrowing: narrowing.rule is Rule.ANGLE):
        picked = loosened.wish.source is WishedFrom.PICKED
        if loosened.rule is Rule.PERSONA and picked:
            pictures = sum(len(hits(group, anybody)) for group in folder.groups)
            found += [NearMiss(Loosen.PERSONA, ANYTHING, pictures)] if pictures else []
            continue
        others = [narrowing for narrowing in wanted if narrowing is not loosened]
        pairs = [(group, ref) for group in folder.groups for ref in hits(group, others)]
        values = Counter(value for group, ref in pairs if (value := _value(loosened.rule, group, ref, labels)))
        ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))[:_VALUES_MAX]
        found += [NearMiss(Loosen(loosened.rule.value), value, pictures) for value, pictures in ranked]
        says_more = len(pairs) > max(values.values(), default=0)
        if says_more and picked and loosened.rule in (Rule.GENDER, Rule.AGE):
            found.append(NearMiss(Loosen(loosened.rule.value), ANYTHING, len(pairs)))
    return tuple(found)


def _value(rule: Rule, group: AttributeGroup, ref: Reference, labels: LabelLookup) -> str | None:
    """What this picture has where the wish asked for something else."""
    if rule in (Rule.TONE, Rule.ANGLE):
        return tag_of(group, rule)
    if rule is Rule.PERSONA:
        return ref.persona
    label = labels.find(ref.key, ref.etag).current
    if label is None:
        return None
    if rule is Rule.GENDER:
        return label.gender_presentation
    return next((name for name, low, high in AGE_RANGES if label.fits_age(low, high)), None)
