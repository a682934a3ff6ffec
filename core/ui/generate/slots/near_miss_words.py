"""Near misses in the words of a button: what would be changed, and what that gives."""

from __future__ import annotations

from core.injection.request.slots import ANYTHING, Loosen, NearMiss, Slot
from core.injection.request.wishes import Mode
from core.references.key import parent
from core.references.vocabulary import Vocabulary
from core.ui.frame.words.markdown import Markdown, fill
from core.ui.frame.words.names import GENDERS, MODES
from core.ui.frame.words.quantities import count_of

_ANYTHING = {Loosen.PERSONA: "Anybody", Loosen.GENDER: "Any gender", Loosen.AGE: "Any age"}
# What says it without the value.
_WHOLE = {
    Loosen.PERSON: "With a person",
    Loosen.PIN: "Without the pin",
    Loosen.BALANCED: "As each mode alone",
}


def near_miss_words(miss: NearMiss, slot: Slot, vocabulary: Vocabulary) -> Markdown:
    """As in `Vivid instead of Noir: 7 pictures`."""
    kind = Loosen(miss.loosen)
    pictures = count_of(miss.pictures, "picture")
    if kind in _WHOLE:
        return fill("{}: {}", _WHOLE[kind], pictures)
    to = _name(kind, miss.to, vocabulary)
    asked = next(
        (step.value for step in slot.steps if step.rule and step.rule.value == kind.value and step.value), None
    )
    if asked is None or kind is Loosen.FOLDER:
        return fill("{}: {}", to, pictures)
    return fill("{} instead of {}: {}", to, _name(kind, asked, vocabulary), pictures)


def _name(kind: Loosen, value: str, vocabulary: Vocabulary) -> str:
    if value == ANYTHING:
        return _ANYTHING.get(kind, f"Any {kind.value}")  # records of before choices were acts have any tone, too
    match kind:
        case Loosen.TONE | Loosen.ANGLE:
            return vocabulary.in_names(value)
        case Loosen.FOLDER:
            return " / ".join(filter(None, (parent(value).rpartition("/")[2], value.rpartition("/")[2])))
        case Loosen.MODE:
            return MODES[Mode(value)]
        case _:
            return next((name for gender, name in GENDERS.items() if gender == value), value)
