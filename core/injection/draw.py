"""The draw: a seeded order over candidates that irrelevant pictures cannot disturb."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from core.references.index import Reference


def ticket(seed: int, salt: str, value: str) -> bytes:
    """A value's place in the draw: BLAKE2b of seed, salt and value.

    Each value's ticket depends on itself alone (rendezvous hashing, Thaler and Ravishankar 1998), so
    adding or removing one candidate never reorders the others.
    """
    return hashlib.blake2b(f"{seed}\0{salt}\0{value}".encode(), digest_size=16).digest()


def drawn_order(
    candidates: Iterable[Reference],
    *,
    seed: int,
    salt: str,
    prefer: Callable[[Reference], tuple[bool, ...]],
) -> list[Reference]:
    """Candidates by preference (False before True), then by ticket."""
    return sorted(candidates, key=lambda ref: (prefer(ref), ticket(seed, salt, ref.key)))
