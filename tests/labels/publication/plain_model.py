"""What must stand after anything that reviewers, editors of the file and publishers did: dictionaries and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.labels.decisions.reviews import Value
from core.labels.published.schema import LabelField

Said = dict[LabelField, Value]


@dataclass
class Decided:
    """One decision: who, which values, and whether it was taken back."""

    id: str
    reviewer: str
    said: Said
    is_undone: bool = False


@dataclass
class Portrait:
    """One picture: what its line said before anybody decided, what a machine says, all decisions, and its line.

    A value of the line is there by `review`, or by somebody else.
    """

    group: str
    first: Said | None
    proposed: Said
    decided: list[Decided] = field(default_factory=list)
    line: dict[LabelField, tuple[Value, str]] | None = None

    def __post_init__(self) -> None:
        self.line = None if self.first is None else {each: (value, "file") for each, value in self.first.items()}

    @property
    def standing(self) -> Said:
        """The newest value that stands, by field."""
        return {each: value for made in self.decided if not made.is_undone for each, value in made.said.items()}

    @property
    def is_decided(self) -> bool:
        return any(not made.is_undone for made in self.decided)

    @property
    def unreviewed(self) -> Said | None:
        """Its line without what reviews wrote into it."""
        if self.line is None or self.first is None:
            return None
        return {each: self.first.get(each) if by == "review" else value for each, (value, by) in self.line.items()}

    @property
    def live(self) -> Said | None:
        """What every server says of it."""
        if self.is_decided:
            return {**(self.unreviewed or {}), **self.standing}
        if self.first is None:
            return None if self.line is None else self.proposed  # until the next publication takes the line away
        return self.unreviewed

    def publish(self, person: str | None) -> None:
        """Fold all that stands into the line, or what this person said and nobody has said otherwise."""
        standing = self.standing
        if person is not None:
            said = {
                each: value
                for made in self.decided
                if made.reviewer == person and not made.is_undone
                for each, value in made.said.items()
            }
            said = {each: value for each, value in said.items() if standing[each] == value}
            if said:
                self.line = {**(self.line or {}), **self._written(said)}
            return
        kept = {each: (value, by) for each, (value, by) in (self.line or {}).items() if by != "review"}
        back = {} if self.first is None else {each: (value, "file") for each, value in self.first.items()}
        decided = self._written(standing)
        if self.is_decided or self.first is not None:
            self.line = {**back, **kept, **decided} if self.line is not None else decided if decided else None
        else:
            self.line = None

    def decide(self, decided: Decided) -> None:
        """Somebody decides; before the first one, what the line says is what comes back when all is undone."""
        if not self.decided:
            self.first = self.published
        self.decided.append(decided)

    def edit(self, each: LabelField, value: Value) -> None:
        """Somebody writes a value into the line with an editor."""
        assert self.line is not None
        self.line[each] = (value, "hand")

    def _written(self, said: Said) -> dict[LabelField, tuple[Value, str]]:
        """What reviews write into the line: not what somebody else has written there before."""
        there = self.line or {}
        return {
            each: there[each] if each in there and there[each][0] == value else (value, "review")
            for each, value in said.items()
        }

    @property
    def published(self) -> Said | None:
        """What its line says."""
        return None if self.line is None else {each: value for each, (value, _) in self.line.items()}


def same(one: Mapping[LabelField, Value] | None, other: Mapping[LabelField, Value] | None) -> bool:
    """Whether two say the same in every field; nothing and None are one."""
    if one is None or other is None:
        return one is other
    return all(one.get(each) == other.get(each) for each in LabelField)
