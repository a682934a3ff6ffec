"""The answer: what was asked, what is known and how surely, in sentences."""

from __future__ import annotations

from typing import Final

from core.generation.records.side_titles import planned_title
from core.injection.request.wishes import SideName, Varies, Wishes
from core.votes.estimate import MISSING_MAX, Estimate
from core.votes.evidence import Contrast
from core.votes.records.judgements import SideLetter
from core.votes.selection import Filters, LeftOut

_RECKONED_MIN: Final = 10  # scenes; of fewer the difference so far is mostly chance
_UNNAMED: Final = Contrast(SideName.A.heading, SideName.B.heading)
_TITLES: Final = {
    Varies.ANGLE: Contrast(SideName.TONE_ONLY.heading, SideName.TONE_ANGLE.heading),
    Varies.TONE_WAY: Contrast(
        *(planned_title(Wishes(varies=Varies.TONE_WAY), side, {}) for side in (SideName.A, SideName.B))
    ),
}


def titles_of(varies: Varies, contrast: Contrast | None) -> Contrast:
    """What the two sides are called: as their records say, else as they are always called."""
    return contrast or _TITLES.get(varies, _UNNAMED)


def question_of(varies: Varies, titles: Contrast) -> str:
    """What is asked, as people would ask it."""
    match varies:
        case Varies.ANGLE:
            return "Does an angle reference on top of a tone reference make the picture better?"
        case Varies.TONE_WAY:
            return "Is the picture better where the tone is said in words than with a reference picture?"
        case Varies.MODEL:
            return f"Which image model makes the better picture{_either(titles)}?"
        case Varies.STRENGTH:
            return f"How closely should a reference be followed{_either(titles)}?"


def _either(titles: Contrast) -> str:
    """`, gpt-image-1 or gpt-image-2`; nothing while nobody has compared any."""
    return "" if titles == _UNNAMED else f", {titles.a} or {titles.b}"


def sentence_of(estimate: Estimate, titles: Contrast, voters: int, *, is_part: bool) -> str:
    """`Tone + angle is preferred in 58 % of scenes, 51–65 %: decided. 212 scenes, 9 people.`; no part decides."""
    if estimate.preference is None or estimate.low is None or estimate.high is None:
        return "Nothing is known yet."
    said = f"{titles.b} is preferred in {percent(estimate.preference)} of scenes, {interval_text(estimate)}"
    counted = f"{_so_many(estimate.scenes, 'scene')}, {_so_many(voters, 'person', 'people')}."
    if is_part:
        return f"{said}: exploratory. {counted}"
    if not estimate.is_decided:
        return f"{said}: not decided. {counted}"
    whose = "" if estimate.decided_for is SideLetter.B else f" for {titles.a}"
    return f"{said}: decided{whose}. {counted}"


def missing_of(estimate: Estimate) -> str | None:
    """What it would take to decide; None where it is decided, or there is nothing to reckon from."""
    if estimate.is_decided or estimate.preference is None:
        return None
    if estimate.scenes < _RECKONED_MIN:
        return "That is too few scenes to say how many more it will take: some dozens at least."
    if estimate.scenes_missing is None:
        return f"As small as the difference is now, more than {MISSING_MAX:,} further scenes would be needed to decide."
    return (
        f"If the difference stays as it is, about {_so_many(_rounded(estimate.scenes_missing), 'further scene')} will "
        "decide."
    )


def so_far_of(estimate: Estimate) -> str | None:
    """`The angle helped in 64 % of 25 scenes: not decided.` of one tone and angle; None where nobody has judged any."""
    if estimate.preference is None:
        return None
    verdict = "decided" if estimate.is_decided else "not decided"
    return f"The angle helped in {percent(estimate.preference)} of {_so_many(estimate.scenes, 'scene')}: {verdict}."


def next_step_of(estimate: Estimate, votes: int, left_out: LeftOut) -> str | None:
    """What to do where nothing is known yet; None where something is."""
    if estimate.scenes:
        return None
    if votes:
        return "Both pictures were bad in every vote: make comparisons with pictures worth choosing from, and vote."
    if not left_out.total:
        return "Nobody has judged such a pair yet: vote on some, each takes a few seconds."
    reasons = (
        (left_out.seen, "was given by somebody who had seen the sides named"),
        (left_out.uncontrolled, "is about sides that differ in more than what varies"),
        (left_out.repeated, "repeats one"),
        (left_out.other_contrasts, "compares something else"),
    )
    most, why = max(reasons)
    return (
        f"{_so_many(left_out.total, 'vote')} {'does' if left_out.total == 1 else 'do'} not count, most often "
        f"({most}) because a vote {why}: vote on comparisons that are controlled before you open them."
    )


def caveats_of(
    filters: Filters, *, voters: int, is_biased: bool, busiest_share: float, hangs_on_one: bool
) -> tuple[str, ...]:
    """What is to be thought of beside the interval. `hangs_on_one`: the busiest voter alone decides it."""
    found = []
    if filters.since is not None or filters.until is not None:
        found.append(
            "Only a span of days is counted: the interval holds however often one looks as long as its first day was "
            "not chosen by the votes and stays where it is."
        )
    if not filters.is_part:
        pass
    elif filters.voter is not None:
        found.append("These are one person's votes: exploratory.")
    else:
        found.append("One part was picked out of many, and the best of many looks better than it is: exploratory.")
    if filters.include_seen:
        found.append("Votes of people who had seen the sides named are counted, too.")
    if voters == 1 and filters.voter is None:
        found.append("One person has judged: this is what they prefer.")
    elif hangs_on_one and not filters.is_part:
        found.append("Without the person who voted most it would not be decided.")
    elif busiest_share > 0.5 and voters > 1:
        found.append("More than half of the votes are one person's.")
    if is_biased:
        found.append("One side of the screen is chosen more often than the other: votes tell less than they seem to.")
    return tuple(found)


def interval_text(estimate: Estimate) -> str:
    """`51–65 %`; with a decimal where a rounded end would stand at ½ and the true one does not."""
    low, high = estimate.low or 0.0, 1.0 if estimate.high is None else estimate.high
    is_close = estimate.is_decided and "50" in (f"{100 * low:.0f}", f"{100 * high:.0f}")
    return f"{100 * low:.{int(is_close)}f}–{100 * high:.{int(is_close)}f} %"


def percent(share: float) -> str:
    """`58 %`."""
    return f"{100 * share:.0f} %"


def span(low: float, high: float) -> str:
    """`51–65 %`."""
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def _rounded(count: int) -> int:
    """Two figures of it, for more are not known."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step


def _so_many(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
