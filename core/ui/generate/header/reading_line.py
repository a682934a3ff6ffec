"""The reading line: what was read from the prompt, and where a pick counts in place of it, in one line."""

from __future__ import annotations

from collections.abc import Iterator

from core.generation.planning import Planned
from core.injection.request.wishes import Mode, PersonWish
from core.references.vocabulary import Vocabulary
from core.ui.frame.words.markdown import Markdown, fill, joined
from core.ui.frame.words.names import MODES
from core.ui.frame.words.quantities import year_span

_GENDERS = {"feminine": "woman", "masculine": "man"}
HELP = "What was read from the prompt. What you pick counts before it: struck out is what a pick stands in place of."


def reading_line(planned: Planned, vocabulary: Vocabulary) -> Markdown:
    """What the prompt says about person, gender, age, tone and angle, each with what was picked instead, if so."""
    parts = list(_person(planned))
    settled, reading = planned.injection.settled, planned.injection.reading
    if reading.tone:
        picked = settled.tone.value if settled.tone else reading.tone
        parts.append(_part(vocabulary.name(reading.tone).lower(), _other(vocabulary, picked, reading.tone)))
    if reading.angle:
        picked = settled.angle.value if settled.angle else reading.angle
        mode = planned.injection.wishes.mode
        instead = MODES[mode] if mode is Mode.TONE_ONLY else _other(vocabulary, picked, reading.angle)
        parts.append(_part(vocabulary.name(reading.angle).lower(), instead))
    return fill("Read: {}", joined(" · ", parts))


def _person(planned: Planned) -> Iterator[Markdown]:
    """Who is meant: a name or only that somebody is, then gender and age."""
    settled, reading, wishes = planned.injection.settled, planned.injection.reading, planned.injection.wishes
    gender = _GENDERS.get(reading.gender or "", "")
    read = settled.named or gender or ("a person" if reading.person else "no person")
    if wishes.person is PersonWish.NO:
        yield _part(read, "no person" if read != "no person" else "")
        return
    pinned = settled.persona.value if settled.is_person_pinned and settled.persona else settled.named
    other_gender = _GENDERS.get(settled.gender.value, "") if settled.gender and gender else gender
    picked_gender = other_gender if other_gender != gender else ""
    if pinned != settled.named:
        yield _part(read, pinned or "")
    elif read == gender:
        yield _part(gender, picked_gender)
    else:
        yield _part(read, "a person" if settled.person and read == "no person" else "")
    if settled.named and gender:
        yield _part(gender, picked_gender)
    if reading.age_low is not None and reading.age_high is not None:
        ages = settled.ages
        read_ages = _years(reading.age_low, reading.age_high)
        picked_ages = _years(ages.low, ages.high) if ages is not None else read_ages
        yield _part(read_ages, picked_ages if picked_ages != read_ages else "")


def _years(low: int, high: int) -> str:
    """Years of age: `30s`, `34` or `30–34`."""
    return f"{low}s" if low % 10 == 0 and high == low + 9 else year_span(low, high)


def _other(vocabulary: Vocabulary, picked: str, read: str) -> str:
    return vocabulary.name(picked) if picked != read else ""


def _part(read: str, picked: str) -> Markdown:
    return fill("~~{}~~ → you picked {}", read, picked) if picked else fill("{}", read)
