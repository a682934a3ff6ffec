"""A browser's message, as far as it has to be known to decide what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class NotAMessage(ValueError):
    """These bytes are nothing that a page of ours sends."""


@dataclass(frozen=True, slots=True)
class BrowserMessage:
    """One message; a rerun's `run` says which: page, fragment, address and all else but the widgets."""

    size_bytes: int
    run: bytes | None = None  # None for what is no rerun
    widgets: int = 0
    has_press: bool = False  # a value that counts once, such as a button's press

    def is_replaced_by(self, newer: BrowserMessage) -> bool:
        """Whether running for the newer one alone comes to the same.

        Each rerun carries the state of every widget, so the newer one knows all that this one says, except for
        presses. Streamlit folds the reruns that wait for its script in the same way.
        """
        return self.run is not None and not self.has_press and self.run == newer.run


ReadMessage = Callable[[bytes], BrowserMessage]
"""Raises NotAMessage."""
