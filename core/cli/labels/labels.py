"""`python -m core labels …`: how good the labels are, and how they get into the repository."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from core.cli.labels.label_commit import LabelCheckout, LabelCommit
from core.cli.workbench import open_workbench, print_json, to_json
from core.errors import InputError, legible
from core.labels.decisions.agreement import NOT_BLIND, Agreement, BetweenReviewers, Measurement
from core.labels.decisions.reviews import spell
from core.labels.decisions.second_looks import Word
from core.labels.publication.draft import PublicationDraft, Selection
from core.labels.publication.message import counts_in_words, unseen_in_words
from core.labels.publication.publisher import Publication
from core.labels.published.schema import LabelField, json_schema
from core.labels.review.adjudication import Case
from core.settings import load_settings
from core.shares import Share
from core.studio import LABELS_FILE
from core.viewer import PersonRole, Viewer


def schema() -> None:
    """Print the JSON schema of a published line."""
    print_json(json_schema())


def proposals() -> None:
    """Print every proposal in S3, and those that come with the sample library, in the order of keys."""
    with open_workbench(load_settings()) as studio:
        studio.proposals.catch_up()
        rows = [each for known in studio.proposals.by_etag().values() for each in known]
    for row in sorted(rows, key=lambda each: (each.label.key.encode(), each.label.source.value)):
        print(to_json(row.model_dump(mode="json", exclude_none=True)))


def agreement(*, as_json: bool) -> None:
    """Print the trust numbers."""
    with open_workbench(load_settings()) as studio:
        numbers = studio.trust_numbers()
    if as_json:
        print_json(report(numbers))
        return
    print(f"{numbers.reviewed} labels reviewed by people.")
    for title, rows in (
        ("Accuracy against reviews", numbers.accuracy),
        ("Distance to nominal values, which is no accuracy", numbers.nominal),
        ("Labeler against labeler", numbers.labelers),
    ):
        for row in rows:
            print(f"\n{title}: {row.said_by}, {row.pictures} pictures in common with {row.against}")
            for field, share in row.fields.items():
                print(f"  {field.value:<20} {_share(share)}")
            for age in row.ages:
                print(
                    f"  years, {age.age_range:<13} {age.count:>4}  off by {age.mean_error:.1f} on average, "
                    f"{age.median_error:g} at the median, bias {age.bias:+.1f}"
                )
    print("\nBetween reviewers")
    for field, between in numbers.reviewers.items():
        alpha = "not defined yet" if between.alpha is None else f"{between.alpha:.2f}"
        print(f"  {field.value:<20} {_share(between.same)}, Krippendorff's alpha {alpha}")
    if numbers.second_looks_left_out:
        print(f"  {numbers.second_looks_left_out} second looks are left out: {NOT_BLIND}")


def disagreements(*, as_json: bool) -> None:
    """Print the portraits whose two looks differ, those that wait for a third person first."""
    with open_workbench(load_settings()) as studio:
        studio.catalog.refresh()
        studio.review_log.refresh()
        cases = studio.adjudication.cases(Viewer(_user(), PersonRole.OPS))
    if as_json:
        print_json([_case(case) for case in cases])
        return
    for case in cases:
        print(f"{legible(case.reference.key)}{'' if case.blind else ' (the second look was not blind)'}")
        for each in case.fields:
            third = f"; {_said(each.third)} decided" if each.third else ""
            print(f"  {each.field.value:<20} {_said(each.first)}, {_said(each.second)}{third}")
    waiting = sum(case.is_open for case in cases)
    print(f"{waiting} wait for a third person, {len(cases) - waiting} are decided.")


def _said(word: Word) -> str:
    note = f" ({legible(word.note)})" if word.note else ""
    return f"{legible(word.reviewer)}: {legible(spell(word.value))}{note}"


def _case(case: Case) -> dict[str, Any]:
    return {
        "key": case.reference.key,
        "blind": case.blind,
        "fields": {
            each.field.value: {
                name: _word(word)
                for name, word in (("first", each.first), ("second", each.second), ("third", each.third))
            }
            for each in case.fields
        },
    }


def _word(word: Word | None) -> dict[str, Any] | None:
    if word is None:
        return None
    return {"value": word.value, "reviewer": word.reviewer, "time": word.time.isoformat(), "note": word.note}


def publish(*, dry_run: bool, commit: bool, push: bool, as_json: bool, person: str | None, group: str | None) -> None:
    """Show what reviews change in the published file and, unless it is a dry run, write it, and commit it if asked."""
    checkout = _checkout(dry_run=dry_run, commit=commit, push=push)
    with open_workbench(load_settings()) as studio:
        draft = studio.publisher.draft(studio.catalog.refresh(), Selection(person, group))
        outcome: dict[str, Any] = {
            "version": draft.version,
            "added": draft.added,
            "changed": draft.changed,
            "corrected": len(draft.corrections),
            "accepted": len(draft.acceptances),
            "never_used_before": [
                {"field": field.value, "value": value, "portraits": count}
                for (field, value), count in sorted(draft.unseen.items())
            ],
            "left_out": list(draft.left_out),
            "written": False,
            "pending": False,
        }
        if not as_json:
            _show(draft)
        if draft.is_empty or dry_run:
            said = "There is nothing to publish." if draft.is_empty else "Nothing was written: leave out --dry-run."
        else:
            done = studio.publisher.publish(draft, Viewer(_user(), PersonRole.OPS))
            outcome |= {"written": done.file is not None, "pending": done.file is None}
            said = (
                f"labels/personas.jsonl is written{'.' if checkout else ': commit it.'}"
                if done.file is not None
                else f"{LABELS_FILE.name} cannot be written here: the publication waits in S3, "
                "run this where the repository is."
            )
        newest = studio.publisher.newest() if checkout else None
    problem = None
    if checkout is not None and outcome["pending"]:
        problem = InputError("labels/personas.jsonl cannot be written here, so nothing was committed.")
    elif checkout is not None:
        committed, problem = _commit(checkout, newest, push=push)
        outcome |= {"commit": committed.commit, "pushed": committed.pushed}
        said += _said_of(committed)
    if as_json:
        print_json(outcome)
    else:
        print(said)
    if problem is not None:
        raise problem


def _checkout(*, dry_run: bool, commit: bool, push: bool) -> LabelCheckout | None:
    """The checkout to commit into, looked at before anything is written. Raises InputError."""
    if push and not commit:
        raise InputError("--push pushes the commit that --commit makes: give both.")
    if not commit:
        return None
    if dry_run:
        raise InputError("--dry-run writes nothing that could be committed: leave out one of the two.")
    checkout = LabelCheckout(LABELS_FILE)
    checkout.require_ready(push=push)
    return checkout


def _commit(
    checkout: LabelCheckout, newest: Publication | None, *, push: bool
) -> tuple[LabelCommit, InputError | None]:
    """Commit and push; what became of it, and why not all of it. Also what an earlier publication left uncommitted."""
    made = None
    try:
        made = checkout.commit(newest)
        if push:
            checkout.push()
    except InputError as err:
        return LabelCommit(made, pushed=False), err
    return LabelCommit(made, pushed=push), None


def _said_of(done: LabelCommit) -> str:
    made = f" Committed as {done.commit[:12]}." if done.commit else " There is nothing to commit."
    return made + (" The remote has it." if done.pushed else "")


def _show(draft: PublicationDraft) -> None:
    """The diff and what it comes to, and what stays out of it."""
    sys.stdout.write(draft.diff)
    if not draft.is_empty:
        added = f"{draft.added} label{'' if draft.added == 1 else 's'} added"
        print(f"{counts_in_words(draft)}: an acceptance changes no value.")
        print(f"{added}, {draft.changed} changed; the new version is {draft.version}.")
    for unseen in unseen_in_words(draft):
        print(f"Never used before: {unseen}")
    for key in draft.left_out:
        print(f"Not in the library any more, and left out: {legible(key)}")


def _user() -> str:
    """Who runs this; in a container that may be a number alone."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def report(numbers: Agreement) -> dict[str, Any]:
    """The trust numbers as JSON data."""
    return {
        "reviewed": numbers.reviewed,
        "accuracy": [_measured(row) for row in numbers.accuracy],
        "nominal_distance": [_measured(row) for row in numbers.nominal],
        "labelers": [_measured(row) for row in numbers.labelers],
        "reviewers": {field.value: _between(row) for field, row in numbers.reviewers.items()},
    }


def _measured(row: Measurement) -> dict[str, Any]:
    return {
        "said_by": row.said_by,
        "against": row.against,
        "pictures": row.pictures,
        "fields": {field.value: _share_report(share) for field, share in row.fields.items()},
        "ages": [
            {
                "range": age.age_range,
                "count": age.count,
                "mean_error": age.mean_error,
                "median_error": age.median_error,
                "bias": age.bias,
            }
            for age in row.ages
        ],
        "confusion": {
            field.value: [
                {row.against: theirs, "said": said, "count": count} for (theirs, said), count in counts.items()
            ]
            for field, counts in row.confusion.items()
            if field is not LabelField.AGE or counts
        },
    }


def _between(row: BetweenReviewers) -> dict[str, Any]:
    alpha = None if row.alpha is None else round(row.alpha, 4)
    return {"pictures": row.pictures, "same": _share_report(row.same), "krippendorff_alpha": alpha}


def _share_report(share: Share) -> dict[str, Any]:
    rounded = {
        name: None if value is None else round(value, 4)
        for name, value in (("share", share.share), ("low", share.low), ("high", share.high))
    }
    return {"right": share.right, "count": share.count, **rounded}


def _share(share: Share) -> str:
    if share.share is None or share.low is None or share.high is None:
        return "nothing to compare"
    return f"{share.share:.0%} of {share.count} ({share.low:.0%} to {share.high:.0%})"
