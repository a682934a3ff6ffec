"""`python -m core insights`: what the votes say, and how surely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.cli.failures import say
from core.cli.votes import stored_judgements
from core.cli.workbench import open_workbench, print_json, read_lines
from core.errors import InputError, legible
from core.injection.request.wishes import Varies
from core.settings import load_settings
from core.votes.evidence import evidence_of
from core.votes.insights.answer import percent, span
from core.votes.insights.insights import Insights, insights_of
from core.votes.records.judgements import BrokenLine, Judgement, read_judgements
from core.votes.selection import Filters


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person typed, before it is understood."""

    varies: str
    since: str | None
    until: str | None
    include_seen: bool


def insights(votes: str | None, asked: Asked, *, as_json: bool) -> None:
    """Print the answer from the votes in S3, or in a file; broken lines are named on standard error."""
    filters = filters_of(asked)
    if votes is None:
        with open_workbench(load_settings()) as studio:
            judgements = list(stored_judgements(studio))
    else:
        judgements = list(judgements_in(votes))
    found = insights_of(evidence_of(judgements), filters)
    if as_json:
        print_json(insights_report(found))
    else:
        print(legible_lines(found))


def filters_of(asked: Asked) -> Filters:
    """Understand the options. Raises InputError."""
    try:
        varies = Varies(asked.varies.strip().lower())
    except ValueError as err:
        possible = ", ".join(each.value for each in Varies)
        raise InputError("`{}` is nothing that varies: choose {}.", asked.varies, possible) from err
    since, until = _day("--from", asked.since), _day("--to", asked.until)
    if since and until and until < since:
        raise InputError("--to {} is before --from {}: give the earlier day first.", until, since)
    return Filters(varies=varies, since=since, until=until, include_seen=asked.include_seen)


def judgements_in(file: str) -> Iterator[Judgement]:
    """The votes of a file of JSON lines; each broken line is named on standard error. Raises InputError."""
    for read in read_judgements(read_lines(file)):
        if isinstance(read, BrokenLine):
            say(f"Line {read.number} is no vote and is left out: {read.problem}.")
        else:
            yield read


def insights_report(found: Insights) -> dict[str, Any]:
    """The answer as JSON data; its shape is part of the command's contract. Null is what nobody can know yet.

    `scenes_needed` is about how many further scenes would decide at the present difference, 0 where it is decided.
    `ties` and `both_bad` are shares of `votes`.
    """
    estimate, agreement, bias = found.estimate, found.agreement, found.left_bias
    return {
        "question": found.question,
        "scenes": estimate.scenes,
        "votes": found.votes,
        "voters": found.voter_count,
        "preference": _rounded(estimate.preference),
        "low": _rounded(estimate.low),
        "high": _rounded(estimate.high),
        "decided": estimate.is_decided,
        "scenes_needed": estimate.scenes_missing,
        "ties": _rounded(found.ties),
        "both_bad": _rounded(found.both_bad),
        "agreement": {
            "alpha": _rounded(agreement.alpha),
            "low": _rounded(agreement.low),
            "high": _rounded(agreement.high),
        },
        "left_bias": {"share": _rounded(bias.share), "low": _rounded(bias.low), "high": _rounded(bias.high)},
        "left_out": {"seen": found.left_out.seen, "uncontrolled": found.left_out.uncontrolled},
    }


def legible_lines(found: Insights) -> str:
    """The answer for people."""
    lines = [found.question, found.sentence, *filter(None, (found.missing, found.next_step)), *found.caveats]
    if found.ties is not None and found.both_bad is not None:
        lines.append(f"Ties: {percent(found.ties)} of {found.votes:,} votes. Both bad: {percent(found.both_bad)}.")
    agreement, bias, left_out = found.agreement, found.left_bias, found.left_out
    if agreement.alpha is not None:
        spread = "" if agreement.low is None else f" ({agreement.low:.2f} to {agreement.high:.2f})"
        lines.append(f"Agreement between voters: Krippendorff's alpha {agreement.alpha:.2f}{spread}.")
    if bias.share is not None and bias.low is not None and bias.high is not None:
        lines.append(f"The left picture was chosen in {percent(bias.share)} of votes ({span(bias.low, bias.high)}).")
    again, nearer = found.self_agreement, found.pictures.fidelity_difference
    if again.share is not None and again.low is not None and again.high is not None:
        spread = f"({span(again.low, again.high)})"
        lines.append(f"Who saw a pair again said the same in {percent(again.share)} of {again.count:,} {spread}.")
    if nearer is not None:
        spread = "" if nearer.low is None else f" ({nearer.low:+.1f} to {nearer.high:+.1f})"
        lines.append(f"Tone fidelity of {found.contrast.b} beside {found.contrast.a}: {nearer.mean:+.1f}{spread}.")
    if left_out.total:
        parts = (
            (left_out.seen, "seen before"),
            (left_out.uncontrolled, "uncontrolled"),
            (left_out.repeated, "repeated"),
            (left_out.other_contrasts, "comparing something else"),
        )
        lines.append("Left out: " + ", ".join(f"{count:,} {why}" for count, why in parts if count) + ".")
    return "\n".join(legible(line) for line in lines)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as err:
        raise InputError("{} {} is no day: write it like 2026-11-30.", option, text) from err
