"""Pairings: the comparisons whose two sides have pictures, with what drawing and insights need of each.

<app>/votes/pairings/v1/2026-11.jsonl.gz    the rows of a month: made of records and outcomes, and made again of them

A comparison lies in one listing with its pictures, so what is new is found by the listing alone; its record and its
outcomes are read once, and again when a retry has added something.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from typing import Any, Final, NamedTuple

from core.errors import NotFound
from core.generation.records.attempt import AttemptId, attempt_file
from core.generation.records.comparison import Comparison, SideTake
from core.generation.records.outcome import Outcome
from core.generation.records.side_titles import side_title
from core.injection.request.wishes import SideName, Varies
from core.objects.objects import ObjectStore, StoredObject
from core.record_index.listing import RecordListing
from core.record_index.month_file import day_of, month_format
from core.record_index.source import Fetched
from core.references.key import file_name, persona_of
from core.references.listing.list_page import ListPageSource
from core.references.vocabulary import Role

_SIDES: Final = 2


class PairPicture(NamedTuple):
    """One picture of a pair: its file in the comparison's folder, its etag, and what is known of how it was made.

    `fidelity` is from 0 to 100; `seconds`, `usd` and `failures` are of all attempts at it. None where nobody knows.
    """

    file: str
    etag: str
    fidelity: float | None
    seconds: float | None
    usd: float | None
    failures: int


class PicturePair(NamedTuple):
    """One take of both sides."""

    take: int
    a: PairPicture
    b: PairPicture

    @property
    def etags(self) -> tuple[str, str]:
        """Which pictures these are."""
        return self.a.etag, self.b.etag


class Pairing(NamedTuple):
    """A comparison that can be voted on. `etag` changes with its pictures and outcomes.

    `persona` is who its person references show, None without any; `a` and `b` are its sides and `titles` what they
    are called by what varies.
    """

    id: str
    etag: str
    person: str
    prompt: str
    tone: str | None
    angle: str | None
    persona: str | None
    model: str
    varies: str
    controlled: bool
    a: str
    b: str
    titles: tuple[str, str]
    pairs: tuple[PicturePair, ...]


class PairingListing(RecordListing):
    """Lists comparisons that have an outcome and a picture on both sides, each with an etag of all of these."""

    def __init__(self, store: ObjectStore, root: str, list_pages: ListPageSource | None) -> None:
        super().__init__(store, root, list_pages, suffix="/comparison.json")

    def below(self, prefix: str, *, start_after: str = "") -> dict[str, str]:
        """The comparisons below a prefix whose pictures can be compared, by id."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for key, etag in self.rows(prefix, start_after=start_after):
            if _is_end(key):
                found[key.rsplit("/", 2)[-2]].append((key, etag))
        return {one: etag_of(files) for one, files in found.items() if self._has_both(one, files)}

    def _has_both(self, comparison_id: str, files: Sequence[tuple[str, str]]) -> bool:
        try:
            folder = f"{self.root}{day_of(comparison_id)}/{comparison_id}/"
        except ValueError:
            return False
        return files[0][0].startswith(folder) and len({of.side for of in finished(files)}) == _SIDES


class PairingSource:
    """The pairings of a bucket, as the record index reads them."""

    name = "pairings"

    def __init__(
        self,
        store: ObjectStore,
        *,
        app_prefix: str,
        list_pages: ListPageSource | None,
        comparison: Callable[[str], Comparison],
    ) -> None:
        """`comparison` reads one record; it raises NotFound, and StorageError for one that makes no sense."""
        self.listing = PairingListing(store, f"{app_prefix}generations/", list_pages)
        self.months_root = f"{app_prefix}votes/pairings/v1/"
        self.month_format = PAIRING_MONTHS
        self._store = store
        self._comparison = comparison

    def fetch(self, record_id: str) -> Fetched[Pairing]:
        """One pairing. Raises NotFound, StorageDenied and StorageUnavailable."""
        folder = self.listing.key_of(record_id).removesuffix("comparison.json")
        rows = {row.key: row for row in self._store.list(folder)}
        files = [(key, row.etag) for key, row in rows.items() if _is_end(key)]
        outcomes = {key: self._store.get(key).data for key, _ in files if key.endswith(".json")}
        etag = etag_of(files)

        def read() -> Pairing:
            comparison = self._comparison(record_id)
            return pairing_of(comparison, etag, files, _outcomes_in(rows, outcomes))

        return Fetched(etag, read)

    def row(self, record: Pairing, etag: str) -> Pairing:
        """A pairing is its own row."""
        return record._replace(etag=etag)


def pairing_of(
    comparison: Comparison, etag: str, files: Iterable[tuple[str, str]], outcomes: Sequence[Outcome]
) -> Pairing:
    """What can be voted on of a comparison, from its record, the keys and etags of its files, and its outcomes.

    Raises NotFound for one without two sides.
    """
    if len(comparison.sides) != _SIDES or comparison.legacy is not None:
        raise NotFound("Comparison `{key}` has no two sides.", key=comparison.id)
    a, b = (side.side for side in comparison.sides)
    newest = _newest_pictures(files)
    pairs = tuple(
        PicturePair(take, *(_picture(newest[place], outcomes) for place in (SideTake(a, take), SideTake(b, take))))
        for take in range(1, comparison.takes + 1)
        if SideTake(a, take) in newest and SideTake(b, take) in newest
    )
    return Pairing(
        id=comparison.id,
        etag=etag,
        person=comparison.person,
        prompt=comparison.wishes.prompt,
        tone=comparison.tone,
        angle=comparison.angle,
        persona=_persona(comparison),
        model=comparison.render_of(a).model,
        varies=comparison.varies.value,
        controlled=comparison.controlled is True,
        a=a.value,
        b=b.value,
        titles=(side_title(comparison, a), side_title(comparison, b)),
        pairs=pairs,
    )


def _is_end(key: str) -> bool:
    """Whether a key is that of an attempt's picture or outcome."""
    named = attempt_file(key)
    return named is not None and named[1] in (".png", ".json")


def etag_of(files: Iterable[tuple[str, str]]) -> str:
    """One etag for several objects, each a key and an etag."""
    return hashlib.sha256("\n".join(f"{file_name(key)} {etag}" for key, etag in sorted(files)).encode()).hexdigest()[
        :32
    ]


def finished(files: Iterable[tuple[str, str]]) -> dict[AttemptId, tuple[str, str]]:
    """The attempts whose picture and outcome are both there, each with its picture's key and etag."""
    named = [(attempt_file(key), key, etag) for key, etag in files]
    ended = {of[0] for of, _, _ in named if of is not None and of[1] == ".json"}
    return {of[0]: (key, etag) for of, key, etag in named if of is not None and of[1] == ".png" and of[0] in ended}


def _newest_pictures(files: Iterable[tuple[str, str]]) -> dict[SideTake, tuple[AttemptId, str, str]]:
    done = finished(files)
    return {of.place: (of, *done[of]) for of in sorted(done, key=lambda of: of.attempt)}


def _picture(newest: tuple[AttemptId, str, str], outcomes: Iterable[Outcome]) -> PairPicture:
    of, key, etag = newest
    mine = [outcome for outcome in outcomes if outcome.id.place == of.place and outcome.attempt <= of.attempt]
    made = next((outcome.picture for outcome in mine if outcome.id == of), None)
    charged = [outcome.cost.usd for outcome in mine if outcome.cost is not None]
    known = [usd for usd in charged if usd is not None]
    return PairPicture(
        file=file_name(key),
        etag=etag,
        fidelity=made.fidelity if made else None,
        seconds=sum(outcome.seconds for outcome in mine) if mine else None,
        usd=sum(known) if charged and len(known) == len(charged) else None,
        failures=sum(outcome.picture is None for outcome in mine),
    )


def _persona(comparison: Comparison) -> str | None:
    """Who the person references of both sides show; several by name, in order."""
    keys = (slot.key for side in comparison.sides for slot in side.slots if slot.role is Role.MODEL and slot.key)
    return ", ".join(sorted({name for key in keys if (name := persona_of(key))})) or None


def _outcomes_in(rows: Mapping[str, StoredObject], outcomes: Mapping[str, bytes]) -> list[Outcome]:
    found = ((rows[key], attempt_file(key), data) for key, data in outcomes.items())
    return [Outcome.read(data, row, of[0]) for row, of, data in found if of is not None]


def _cells(row: Pairing) -> tuple[Any, ...]:
    return tuple(row)


def _row_in(cells: list[Any]) -> Pairing:
    """A row of its cells. Raises ValueError, TypeError or KeyError for what is none."""
    record_id, etag, person, prompt, tone, angle, persona, model, varies, controlled, a, b, titles, pairs = cells
    day_of(record_id)
    one, other = titles
    "".join((etag, prompt, one, other, tone or "", angle or "", persona or ""))  # a TypeError, unless all are text
    return Pairing(
        intern(record_id),  # as votes' rows do: each draw looks all of them up there
        etag,
        intern(person),
        prompt,
        intern(tone) if tone else None,
        intern(angle) if angle else None,
        intern(persona) if persona else None,
        intern(model),
        Varies(varies).value,
        bool(controlled),
        SideName(a).value,
        SideName(b).value,
        (intern(one), intern(other)),
        tuple(PicturePair(int(take), PairPicture(*first), PairPicture(*second)) for take, first, second in pairs),
    )


PAIRING_MONTHS: Final = month_format(_cells, _row_in)
