"""What the review desk is sent and what it says: the shapes its script knows, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class DecisionKind(StrEnum):
    """What a person did about a label. `settle` is about all pictures of a persona; `seen` puts a message aside."""

    ACCEPT = "accept"
    CORRECT = "correct"
    SKIP = "skip"
    SETTLE = "settle"
    UNDO = "undo"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value a field can take, and its words on screen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FocusField:
    """A field to be decided; `is_free` ones take other words than the choices too, `is_personal` ones are a person's
    and not a picture's, so that one value can be right for all pictures of a persona.
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    is_free: bool = False
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class FocusValue:
    """What is said now, by whom, how sure (0 to 1, None for people), and what others say, in words.

    `wrong` is how likely it is wrong (0 to 1), where that can be said.
    """

    value: str | None
    by: str = ""
    confidence: float | None = None
    others: tuple[str, ...] = ()
    wrong: float | None = None


@dataclass(frozen=True, slots=True)
class PersonaTile:
    """A picture of a persona, the words its label has for each field, and who of people has decided on which."""

    id: str
    alt: str
    thumbnail_url: str
    says: Mapping[str, str | None]
    decided_by: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Persona:
    """A person on pictures, and those pictures; `more` of them are not among these."""

    name: str
    pictures: tuple[PersonaTile, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class FocusItem:
    """A portrait that waits: `reason` says why in a word or two, `detail` in a sentence, `more` in further ones.

    `seen` comes back with the decision and tells what was on the screen, so that a lost race is noticed. `persona`
    names one of the personas that are sent beside the items, or is empty. `lent_to` names who else has it just now,
    until a time in milliseconds since 1970.
    """

    id: str
    title: str
    reason: str
    detail: str
    picture_url: str
    thumbnail_url: str
    original_url: str
    alt: str
    seen: str
    values: Mapping[str, FocusValue]
    more: tuple[str, ...] = ()
    persona: str = ""
    lent_to: str = ""
    lent_until_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class FocusDecision:
    """One decision as the browser tells it: look everything in it up, trust nothing.

    `values` are the corrected fields alone, None for unsure. `undoes` is the decision an undo takes back.
    """

    id: str
    kind: DecisionKind
    item: str
    seen: str
    values: Mapping[str, str | None]
    undoes: str = ""


@dataclass(frozen=True, slots=True)
class Undoable:
    """A kept decision of this person that can still be taken back."""

    decision: str
    item: str


@dataclass(frozen=True, slots=True)
class LostRace:
    """A decision that was not kept; `says` tells why, mostly what somebody else decided first.

    `mine` is what was wanted, of which `fields` are those that were lost. To insist on it is to send it again with
    this `seen`, which is what the message shows; without one nobody could, and there is only the sentence.
    """

    decision: str
    item: str
    says: str
    mine: Mapping[str, str | None] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A field that was settled for all pictures of a persona; `left` are the exceptions, each with its sentence."""

    decision: str
    item: str
    says: str
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of decisions: those that were not kept, and what the kept ones settled. The others are kept."""

    lost: Sequence[LostRace] = ()
    settled: Sequence[Settled] = ()


@dataclass(frozen=True, slots=True)
class FocusData:
    """What the browser draws. `kept` names the newest decisions that need not be sent again.

    What is decided waits in the browser under the name of its `owner`, for nobody else to send. `waiting` counts all
    that wait, shown or not; `passed` those of the queue that its person has been through since it was opened.
    `desk` is the name under which the items of its `hand` are lent to it; what is searched for by name is shown at
    once, whoever has it.
    """

    key: str
    owner: str
    queue: str
    items: Sequence[FocusItem]
    personas: Mapping[str, Persona]
    fields: Sequence[FocusField]
    waiting: int
    passed: int
    desk: str
    hand: Sequence[str]
    is_searched: bool
    kept: Sequence[str]
    undoable: Sequence[Undoable]
    conflicts: Sequence[LostRace]
    settled: Sequence[Settled]
    trouble: str
