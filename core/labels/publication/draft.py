"""Publication drafts: the label file with reviews folded in, portrait by portrait, as people can judge it."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Final

from core.labels.decisions.reviews import Decisions, Reviews, overlaid, reviewed_label, value_in, was_unpublished
from core.labels.publication.updates import Correction, LabelUpdate, PublishedValues, update_of
from core.labels.published.label_file import ParsedFile, numbered_lines, parse_whole, version_of
from core.labels.published.schema import Label, LabelField, LabelSource, line_of
from core.references.index import ReferenceIndex
from core.references.key import file_name, parent


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the reviews is published: everything, or what one person said, in one group."""

    person: str | None = None
    group: str | None = None


EVERYTHING: Final = Selection()


@dataclass(frozen=True)
class PublicationDraft:
    """A file that could be published, as it is to be shown before that.

    `number` is that of the last save in it, `left_out` are reviewed pictures that are not in the library any more,
    and `announced` names the publication that S3 knew when it was made.
    """

    before: bytes
    after: bytes
    updates: tuple[LabelUpdate, ...]
    number: int
    left_out: tuple[str, ...] = ()
    selection: Selection = EVERYTHING
    announced: str | None = None

    @cached_property
    def version(self) -> str:
        """What the new file's version will be."""
        return version_of(self.after)

    @cached_property
    def before_version(self) -> str:
        """The version of the file as it is."""
        return version_of(self.before)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing new."""
        return self.before == self.after

    @cached_property
    def corrections(self) -> tuple[LabelUpdate, ...]:
        """The portraits whose labels change, those to look at most closely first."""
        return tuple(sorted((each for each in self.updates if each.corrections), key=lambda each: -each.weight))

    @cached_property
    def acceptances(self) -> tuple[LabelUpdate, ...]:
        """The portraits whose labels people found right: no value of these changes."""
        return tuple(sorted((each for each in self.updates if not each.corrections), key=lambda each: -each.weight))

    @property
    def added(self) -> int:
        """How many portraits have no line in the file yet."""
        return sum(each.before is None for each in self.updates)

    @property
    def changed(self) -> int:
        """How many lines of the file will say something else; one that is accepted says the same."""
        return sum(each.before is not None and bool(each.corrections) for each in self.updates)

    @cached_property
    def unseen(self) -> dict[tuple[LabelField, str], int]:
        """The values that no published label has, each with how many portraits would have it."""
        return dict(Counter((unseen.field, unseen.value) for each in self.updates for unseen in each.unseen))

    def without(self, etags: Collection[str]) -> PublicationDraft:
        """The same but for these pictures: as it is shown to somebody whose own look at them is to come."""
        hidden = {each.key for each in self.updates if each.etag in etags}
        if not hidden:
            return self
        before, after = (_without_lines(data, hidden) for data in (self.before, self.after))
        updates = tuple(each for each in self.updates if each.key not in hidden)
        return replace(self, before=before, after=after, updates=updates)

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody whose word is in it, in order."""
        return tuple(sorted({person for each in self.updates for person in each.reviewers}))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups it speaks of, in order."""
        return tuple(sorted({each.group for each in self.updates}))

    @property
    def diff(self) -> str:
        """What changes, as a unified diff in which a line's old form stands above its new one."""
        before, after = map(_text_lines, (self.before, self.after))
        lines = difflib.unified_diff(before, after, "personas.jsonl", "personas.jsonl (new)", n=0)
        hunks = groupby(lines, key=lambda line: not line.startswith(("-{", "+{")))
        return "".join("".join(hunk if is_heading else sorted(hunk, key=_place)) for is_heading, hunk in hunks)


@dataclass(frozen=True, slots=True)
class Differences:
    """How a draft differs from one that was shown before.

    `new` and `gone` are keys of portraits that it changes otherwise, or does not change any more; `by_hand` says what
    somebody has changed in the file itself meanwhile: a portrait without corrections was added, removed, or changed
    where the label says nothing.
    """

    new: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()
    by_hand: tuple[tuple[str, tuple[Correction, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.by_hand)


def differences(shown: PublicationDraft, now: PublicationDraft) -> Differences:
    """What has come to be different since the first was shown."""
    old, new = ({each.key: each for each in draft.updates} for draft in (shown, now))
    return Differences(
        new=frozenset(key for key, update in new.items() if old.get(key) != update),
        gone=tuple(key for key in old if key not in new),
        by_hand=tuple(_edited(parse_whole(shown.before), parse_whole(now.before))),
    )


def fold_in(
    before: bytes,
    reviews: Reviews,
    index: ReferenceIndex,
    *,
    number: int,
    selection: Selection = EVERYTHING,
    announced: str | None = None,
) -> PublicationDraft:
    """The file with reviews in it: sorted by key, lines that say nothing new byte for byte as they were."""
    parsed = parse_whole(before)
    published = PublishedValues(parsed.labels.values())
    keys_of = _keys_of(index, reviews)
    labels_of: dict[str, list[Label]] = {}
    for label in parsed.labels.values():
        labels_of.setdefault(label.etag, []).append(label)
    updates: list[LabelUpdate] = []
    left_out: list[str] = []
    for etag in reviews.etags:
        decisions = reviews.of_picture(etag)
        for label in labels_of.get(etag, ()):
            group = _group_of(index, label.key)
            after = _folded(label, decisions, selection.person)
            if after != label and selection.group in (None, group):
                updates.append(update_of(label.key, group, label, after, decisions, published))
        if etag in labels_of or not (made := _chosen(decisions, selection.person).deciding):
            continue
        keys = keys_of.get(etag, ())
        if not keys:
            left_out.append(made[-1].event.key)
            continue
        key = made[-1].event.key if made[-1].event.key in keys else keys[0]
        group = _group_of(index, key)
        label_made = overlaid(None, _chosen(decisions, selection.person))
        if label_made is not None and selection.group in (None, group):
            after = label_made.model_copy(update={"key": key})
            updates.append(update_of(key, group, None, after, decisions, published))
    updates.sort(key=lambda each: each.key.encode())
    return PublicationDraft(
        before=before,
        after=_written(before, parsed, updates),
        updates=tuple(updates),
        number=number,
        left_out=tuple(sorted(left_out)),
        selection=selection,
        announced=announced,
    )


def says_still(update: LabelUpdate, reviews: Reviews, selection: Selection) -> bool:
    """Whether these reviews make of its line the same."""
    decisions = reviews.of_picture(update.etag)
    if update.before is not None:
        return _folded(update.before, decisions, selection.person) == update.after
    made = overlaid(None, _chosen(decisions, selection.person))
    return made is not None and made.model_copy(update={"key": update.key}) == update.after


def _folded(label: Label, decisions: Decisions, person: str | None) -> Label | None:
    """What becomes of a label in the file; None if it came into it by decisions that were all undone."""
    if person is not None:
        made = _chosen(decisions, person)
        after = overlaid(label, made)
        if after is None or label.source is not LabelSource.HUMAN or label.time is None or not made:
            return after
        if label.time >= made[-1].time:  # the word of somebody who came later is in the file already
            return after.model_copy(update={"reviewer": label.reviewer, "time": label.time})
        return after
    after = reviewed_label(label, decisions)
    return None if after != label and not decisions.deciding and was_unpublished(after, decisions) else after


def _chosen(decisions: Decisions, person: str | None) -> Decisions:
    """A person's decisions, as far as what they said stands; everybody's where nobody is named."""
    if person is None:
        return decisions
    stands, own = decisions.values, Decisions(made for made in decisions.deciding if made.reviewer == person)
    last = own.values
    kept = []
    for made in own:
        said = tuple(each for each in made.event.changes if stands[each.field] == last[each.field] == each.after)
        if said:
            kept.append(made._replace(event=made.event.model_copy(update={"changes": said})))
    return Decisions(kept)


def _written(before: bytes, parsed: ParsedFile, updates: Sequence[LabelUpdate]) -> bytes:
    if not updates and list(parsed.lines) == sorted(parsed.lines, key=str.encode):
        return before
    lines = {**parsed.lines, **{each.key: line_of(each.after).encode() for each in updates if each.after is not None}}
    for each in updates:
        if each.after is None:
            del lines[each.key]
    return b"".join(line + b"\n" for _, line in sorted(lines.items(), key=lambda row: row[0].encode()))


def _without_lines(data: bytes, keys: Collection[str]) -> bytes:
    return b"".join(line + b"\n" for key, line in parse_whole(data).lines.items() if key not in keys)


def _edited(old: ParsedFile, new: ParsedFile) -> Iterator[tuple[str, tuple[Correction, ...]]]:
    """Every key whose line is another one, with the fields that say something else; nobody knows by whom."""
    for key in sorted(old.lines.keys() | new.lines.keys(), key=str.encode):
        if old.lines.get(key) != new.lines.get(key):
            was, now = (file.labels.get(key) for file in (old, new))
            said = [(field, value_in(was, field), value_in(now, field)) for field in LabelField]
            yield key, tuple(Correction(field, before, after) for field, before, after in said if before != after)


def _keys_of(index: ReferenceIndex, reviews: Reviews) -> Mapping[str, Sequence[str]]:
    """Where the reviewed bytes lie now."""
    wanted = set(reviews.etags)
    found: dict[str, list[str]] = {}
    for ref in index.references:
        if ref.etag in wanted:
            found.setdefault(ref.etag, []).append(ref.key)
    return found


def _group_of(index: ReferenceIndex, key: str) -> str:
    """The group a picture stands in; for one that is in none, or not in the library any more, the folder's name."""
    ref = index.get(key)
    return (ref.group if ref is not None else None) or file_name(parent(key))


def _text_lines(data: bytes) -> list[str]:
    return [f"{line.decode()}\n" for _, line in numbered_lines(data)]


def _place(line: str) -> tuple[bytes, bool]:
    """Where a line of a diff stands: by its key, its old form above its new one."""
    return str(json.loads(line[1:])["key"]).encode(), line.startswith("+")
