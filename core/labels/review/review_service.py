"""Review service: what reviewers ask and decide; everything it knows comes from S3 and the published file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from core.concurrency.periodic import Periodic
from core.errors import InputError
from core.labels.decisions.reviews import (
    Decisions,
    Event,
    HistoryLine,
    Kind,
    Reviews,
    Save,
    Value,
    check_value,
    history_of,
    undoable_of,
    value_in,
)
from core.labels.lending.lending import Lending
from core.labels.lending.loans import Loan
from core.labels.published.label_file import LabelState
from core.labels.published.schema import LabelField
from core.labels.queue.outlook import Outlook
from core.labels.queue.progress import ReviewProgress, progress_of
from core.labels.queue.queue import PersonaPicture, QueueFilter, QueueItem, ReviewState, order_of, passes
from core.labels.queue.queue_rows import QueueRows, QueueSources
from core.labels.review.settling import check_settling, plan_settling
from core.labels.review.verdicts import (
    ID_MAX,
    ReviewConflict,
    Verdict,
    awaits_second_look,
    conflicts_of,
    event_of,
    new_verdicts,
    press_of,
    undo_of,
)
from core.references.vocabulary import Vocabulary
from core.unicode import searchable
from core.viewer import Capability, Viewer

SECOND_LOOK_FIRST: Final = (
    "This portrait waits for your second look, at its whole label: open it in Focus, then accept or correct it."
)


@dataclass(frozen=True, slots=True)
class SaveReceipt:
    """What a save came to: its number in the log, the events that are new, and the ids that were there already.

    `left` are the pictures of a bulk edit that wait for a second look at their whole label.
    """

    number: int
    events: tuple[str, ...]
    already: tuple[str, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settling a persona's field comes to: the pictures that have the value then, and those that are left.

    `left` are those about which a person decided otherwise, and those that wait for a second look; they are named,
    and never changed by it.
    """

    pictures: tuple[PersonaPicture, ...]
    left: tuple[PersonaPicture, ...]
    receipt: SaveReceipt


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """The library's portraits in numbers; `waiting` are those that wait for this person.

    `disagreements` are those whose two looks differ, and wait for a third person.
    """

    portraits: int
    labelled: int
    waiting: int
    disagreements: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Portraits that somebody has to look after: without a label, with one of other bytes, and reported as wrong."""

    missing: int
    stale: int
    reported: int


class ReviewService:
    """Queue, verdicts, history and progress. Every method that takes a viewer asks what they may: AccessDenied if not.

    Reading serves what is known; `refresh` asks S3. Writing raises StorageError, and ReviewConflict when somebody
    else decided otherwise in between: then nothing of that save is written.
    """

    def __init__(self, sources: QueueSources, vocabulary: Vocabulary, lending: Lending) -> None:
        self._log = sources.log
        self._lending = lending
        self._rows = QueueRows(sources)
        self._terms = {
            LabelField.TONE: {term.id for term in vocabulary.tones},
            LabelField.ANGLE: {term.id for term in vocabulary.angles},
        }

    @property
    def loop(self) -> Periodic:
        """What keeps the queue up in the background."""
        return self._rows.loop

    def backlog(self) -> Backlog | None:
        """What there is to do, for the server's own figures: as of the last look, None before there was one.

        It names nobody and nothing, so nobody has to be asked for.
        """
        facts = self._rows.facts()
        if facts is None:
            return None
        states = Counter(each.found.state for each in facts)
        reported = sum(each.report is not None for each in facts)
        return Backlog(states[LabelState.MISSING], states[LabelState.STALE], reported)

    def refresh(self, viewer: Viewer) -> None:
        """Look for what others have saved. Raises StorageError."""
        viewer.require(Capability.REVIEW)
        self._log.refresh()

    def queue(self, viewer: Viewer, wanted: QueueFilter) -> list[QueueItem]:
        """The portraits to look at, the most pressing first; `wanted.everything` has the others behind them.

        To look is everybody's. Raises StorageError while there is no index.
        """
        viewer.require(Capability.BROWSE)
        text, lent = searchable(wanted.text), self._lending.of_others(viewer)
        found = [
            shown
            for item in self._rows.items()
            if (shown := _as_shown(item, viewer, lent)).reasons or wanted.everything or wanted.state or wanted.reviewer
            if (not text or text in searchable(shown.reference.key)) and passes(shown, wanted)
        ]
        return sorted(found, key=lambda item: order_of(item, viewer.email))

    def known_values(self, viewer: Viewer, field: LabelField) -> list[str]:
        """The words that labels have in a field by now, the most used first."""
        viewer.require(Capability.BROWSE)
        said = Counter(value for item in self._rows.items() if isinstance(value := value_in(item.shown, field), str))
        return [word for word, _ in sorted(said.items(), key=lambda each: (-each[1], each[0]))]

    def ranking(self, viewer: Viewer) -> list[QueueItem]:
        """Every portrait by how likely its label is wrong, as it is to nobody in particular.

        Raises StorageError while there is no index.
        """
        viewer.require(Capability.REVIEW)
        return sorted(self._rows.items(), key=lambda item: (-item.wrong, item.reference.key.encode()))

    def counts(self, viewer: Viewer) -> LabelCounts:
        """How many portraits there are, have a label, and wait for a person. Raises StorageError without an index."""
        viewer.require(Capability.BROWSE)
        items = self._rows.items()
        return LabelCounts(
            portraits=len(items),
            labelled=sum(item.shown is not None for item in items),
            waiting=sum(bool(_as_shown(item, viewer).reasons) for item in items),
            disagreements=sum(item.state is ReviewState.DISAGREEMENT for item in items),
        )

    def reviewers(self, viewer: Viewer) -> list[str]:
        """Everybody who has decided something, in order."""
        viewer.require(Capability.BROWSE)
        return sorted({save.reviewer for save in self._log.saves})

    def item(self, viewer: Viewer, key: str) -> QueueItem:
        """One portrait. Raises InputError for a key that is not in the library."""
        viewer.require(Capability.REVIEW)
        item = self._rows.get(key)
        if item is None:
            raise InputError("`{}` is not in the library any more: reload the page.", key)
        return _as_shown(item, viewer, self._lending.of_others(viewer))

    def lend(self, viewer: Viewer, found: Sequence[QueueItem], *, desk: str, ahead: Sequence[str]) -> list[QueueItem]:
        """Lend this desk what its person is at, and order what was found by what is lent to others now.

        `ahead` are the keys of the portraits the desk comes to next, as it last said, the one that is looked at first;
        what it does not say is the first that was found. No portrait is kept from anybody who asks for it by name.
        """
        etags = {item.reference.key: item.reference.etag for item in found}
        told = [etags[key] for key in ahead if key in etags]
        unskipped = [item.reference.etag for item in found if viewer.email not in item.skipped_by]
        self._lending.lend(viewer, desk, [*told, *unskipped])
        lent = self._lending.of_others(viewer)
        now = [replace(item, lent=lent.get(item.reference.etag)) for item in found]
        return sorted(now, key=lambda item: order_of(item, viewer.email))

    def give_back(self, viewer: Viewer, desk: str) -> None:
        """Take back what this desk was lent: its person has left it."""
        self._lending.give_back(viewer, desk)

    def save(self, viewer: Viewer, verdicts: Sequence[Verdict]) -> SaveReceipt:
        """Save verdicts together, each picture once or oftener, as one object.

        Raises InputError for a value that cannot be, ReviewConflict.
        """
        viewer.require(Capability.REVIEW)
        for verdict in verdicts:
            self.check(verdict)

        return self._append(
            viewer,
            lambda reviews: self._events_of(viewer, verdicts, reviews),
            [verdict.id for verdict in verdicts],
        )

    def _events_of(self, viewer: Viewer, verdicts: Sequence[Verdict], reviews: Reviews) -> Sequence[Event]:
        """What is new of these verdicts, as it is kept. Raises ReviewConflict."""
        new = new_verdicts(verdicts, reviews)
        conflicts = [each for verdict in new for each in conflicts_of(verdict, viewer.email, reviews)]
        if any(awaits_second_look(each.etag, viewer.email, reviews) for each in conflicts):
            raise InputError(SECOND_LOOK_FIRST)  # a conflict would say what the first reviewer said
        if conflicts:
            raise ReviewConflict(conflicts)
        return [
            event_of(
                verdict,
                viewer.email,
                reviews,
                machine=self._rows.machine_label(verdict.etag),
                published=self._rows.published_label(verdict.etag),
            )
            for verdict in new
        ]

    def set_field(
        self, viewer: Viewer, items: Sequence[QueueItem], field: LabelField, value: Value, *, id_prefix: str
    ) -> SaveReceipt:
        """Give a field of many portraits one value, in one save; `id_prefix` is this edit's, never used again.

        Those that wait for this person's second look are left: of them the whole label is to be judged.
        """
        reviews = self._log.reviews
        left = {each.reference.etag for each in items if awaits_second_look(each.reference.etag, viewer.email, reviews)}
        verdicts = [
            Verdict(
                id=f"{id_prefix}-{item.reference.etag}",
                kind=Kind.CORRECT,
                key=item.reference.key,
                etag=item.reference.etag,
                seen={field: value_in(item.shown, field)},
                values={field: value},
                whole=False,
            )
            for item in {each.reference.etag: each for each in items if each.reference.etag not in left}.values()
        ]
        if not verdicts:
            raise InputError(SECOND_LOOK_FIRST)
        return replace(self.save(viewer, verdicts), left=tuple(sorted(left)))

    def settle(self, viewer: Viewer, item: QueueItem, field: LabelField, value: Value, *, id_prefix: str) -> Settlement:
        """Give a field of all pictures of a portrait's persona one value, in one save; undo takes its receipt's events.

        `item` is the portrait as it was shown; it gets the value, too. Pictures about which a person decided
        otherwise, also in between, are left and named, and so are those that wait for a second look. `id_prefix` is
        this press's, never used again: sent twice it counts once. Only what belongs to a person can be settled: age,
        gender and hair; InputError for other fields, for a value that cannot be, and for a name that is no persona's.
        Raises ReviewConflict when somebody else decided otherwise about the shown portrait in between: then nothing is
        written.
        """
        viewer.require(Capability.REVIEW)
        check_settling(item, field, value)
        plan = plan_settling(item, field, value, self._log.reviews, prefix=id_prefix)
        for verdict in plan.verdicts:
            self.check(verdict)

        def settle(reviews: Reviews) -> Sequence[Event]:
            nonlocal plan
            if awaits_second_look(item.reference.etag, viewer.email, reviews):
                raise InputError(SECOND_LOOK_FIRST)
            plan = plan_settling(item, field, value, reviews, prefix=id_prefix)
            return self._events_of(viewer, plan.verdicts, reviews)

        receipt = self._append(viewer, settle, [verdict.id for verdict in plan.verdicts])
        return Settlement(plan.pictures, plan.left, receipt)

    def undo(self, viewer: Viewer, events: Sequence[str]) -> SaveReceipt:
        """Take decisions of one's own back, a whole save too; undoing an undo brings the decision back.

        What somebody else decided in a field since then stays. Raises InputError for another person's decision.
        """
        viewer.require(Capability.REVIEW)
        wanted = set(events)

        def settle(reviews: Reviews) -> Sequence[Event]:
            made = {each.event.id: each for each in reviews if each.event.id in wanted}
            for event in events:
                if event not in made:
                    raise InputError("There is nothing to undo: that decision was never saved.")
                if made[event].reviewer != viewer.email:
                    raise InputError("Only {} can undo that; decide anew instead.", made[event].reviewer)
            return [
                undo for event in dict.fromkeys(events) if (undo := undo_of(made[event].event, reviews)) is not None
            ]

        return self._append(viewer, settle)

    def undoable(self, viewer: Viewer, *, limit: int = 50) -> list[Event]:
        """This person's newest decisions that stand, the newest last."""
        viewer.require(Capability.REVIEW)
        return undoable_of(self._log.saves, self._log.reviews, viewer.email, limit=limit)

    def last_save(self, viewer: Viewer) -> Save | None:
        """This person's newest save of which something stands, to be undone as a whole; None without one."""
        viewer.require(Capability.REVIEW)
        last = self.undoable(viewer, limit=1)
        return next((save for save in reversed(self._log.saves) if last and last[0] in save.events), None)

    def events_of(self, viewer: Viewer, number: int) -> tuple[str, ...]:
        """The events of one save, to undo it as a whole; none for a number that no save has."""
        viewer.require(Capability.REVIEW)
        return next((tuple(each.id for each in save.events) for save in self._log.saves if save.number == number), ())

    def events_of_press(self, viewer: Viewer, id: str) -> tuple[str, ...]:
        """The events of one press of this person: the decision of this id, or those an edit of many pictures made.

        What is nobody's or another's is returned as it came, for `undo` to say so. Raises StorageError.
        """
        viewer.require(Capability.REVIEW)
        made = self._made_by(viewer, id)
        if not made:
            self._log.refresh()  # another server may have kept it
            made = self._made_by(viewer, id)
        return made or (id,)

    def history(self, viewer: Viewer, etag: str) -> list[HistoryLine]:
        """Every change of a picture's fields, newest first."""
        viewer.require(Capability.BROWSE)
        decisions = self._log.reviews.of_picture(etag)
        if self.is_blind_to(viewer, etag):
            decisions = Decisions(made for made in decisions if made.reviewer == viewer.email)
        return history_of(decisions)

    def is_blind_to(self, viewer: Viewer, etag: str) -> bool:
        """Whether somebody else's decision is kept from this person, because their own look at it is still to come."""
        viewer.require(Capability.BROWSE)
        return viewer.may(Capability.REVIEW) and awaits_second_look(etag, viewer.email, self._log.reviews)

    def progress(self, viewer: Viewer) -> ReviewProgress:
        """How far the studio is, what waits for this person, and each reviewer's share and pace."""
        viewer.require(Capability.REVIEW)
        return progress_of([item.for_reviewer(viewer.email) for item in self._rows.items()], self._log.saves)

    def outlook(self, viewer: Viewer) -> Outlook:
        """How many labels are probably still wrong, and how many reviews would halve that."""
        viewer.require(Capability.REVIEW)
        return self._rows.outlook()

    def _made_by(self, viewer: Viewer, press: str) -> tuple[str, ...]:
        saves = (save for save in reversed(self._log.saves) if save.reviewer == viewer.email)
        made = (tuple(e.id for e in save.events if press in (e.id, press_of(e))) for save in saves)
        return next(filter(None, made), ())

    def _append(
        self, viewer: Viewer, settle: Callable[[Reviews], Sequence[Event]], ids: Sequence[str] = ()
    ) -> SaveReceipt:
        save = self._log.append(viewer.email, settle)
        written = tuple(event.id for event in save.events) if save else ()
        already = tuple(each for each in ids if each not in written)
        return SaveReceipt(save.number if save else self._log.number, written, already)

    def check(self, verdict: Verdict) -> None:
        """Raise InputError for what no label can say, and for a picture that is not in the library as it was shown."""
        if verdict.kind is Kind.UNDO or not 0 < len(verdict.id) <= ID_MAX:
            raise InputError("That is no verdict this desk can take.")
        for field, value in {**verdict.seen, **verdict.values}.items():
            try:
                check_value(field, value)
            except ValueError as err:
                raise InputError("{}.", str(err).capitalize()) from err
        for field, value in verdict.values.items():
            terms = self._terms.get(field)
            if terms is not None and value is not None and value not in terms:
                raise InputError(
                    "“{}” is no {} of the studio: choose {}.", value, field.value, ", ".join(sorted(terms))
                )
        if verdict.kind is Kind.ACCEPT and not any(value is not None for value in verdict.seen.values()):
            raise InputError("There is nothing to accept: say what you see, or skip the picture.")
        if verdict.kind is Kind.CORRECT and not verdict.values:
            raise InputError("A correction says what is right: give a value, or accept the label.")
        self._check_picture(verdict)

    def _check_picture(self, verdict: Verdict) -> None:
        """Raise InputError unless the picture is in the library as it was shown, or was decided about before."""
        here = self._rows.reference(verdict.key)
        if here is not None and here.etag == verdict.etag:
            return
        if any(made.event.key == verdict.key for made in self._log.reviews.of_picture(verdict.etag)):
            return
        if here is None:
            raise InputError("`{}` is not in the library any more: reload the page.", verdict.key)
        raise InputError("This picture has changed in S3 since it was shown: reload the page and look again.")


def _as_shown(item: QueueItem, viewer: Viewer, lent: Mapping[str, Loan] = MappingProxyType({})) -> QueueItem:
    """The portrait as this person should see it. Who does not review has no second look that could be spoiled."""
    shown = item.for_reviewer(viewer.email) if viewer.may(Capability.REVIEW) else item
    loan = lent.get(item.reference.etag)
    return replace(shown, lent=loan) if loan else shown
