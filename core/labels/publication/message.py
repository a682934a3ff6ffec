"""What a publication comes to, in words: for the screen, the terminal and the commit."""

from __future__ import annotations

from core.errors import legible
from core.labels.publication.draft import PublicationDraft

_UNSEEN_NAMED = 20


def counts_in_words(draft: PublicationDraft) -> str:
    """`6 corrections, 42 acceptances`: to find a label right changes none of its values."""
    corrected, accepted = len(draft.corrections), len(draft.acceptances)
    return f"{_count(corrected, 'correction')}, {_count(accepted, 'acceptance')}"


def unseen_in_words(draft: PublicationDraft) -> list[str]:
    """Every value that no published label has, as `expression “2” (1 portrait)`."""
    return [
        f"{field.value.replace('_', ' ')} “{legible(value)}” ({_count(count, 'portrait')})"
        for (field, value), count in sorted(draft.unseen.items())
    ]


def message_of(draft: PublicationDraft) -> str:
    """A message for the commit that brings the file into the repository, with its reviewers as trailers."""
    lines = [f"Publish labels, version {draft.version}", "", f"{counts_in_words(draft)}."]
    if unseen := unseen_in_words(draft):
        more = [f"{len(unseen) - _UNSEEN_NAMED} more"] if len(unseen) > _UNSEEN_NAMED else []
        lines.append(f"Never used before: {', '.join([*unseen[:_UNSEEN_NAMED], *more])}.")
    if draft.people:
        lines += ["", *(f"Reviewed-by: {legible(person)}" for person in draft.people)]
    return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
