"""Finds the phrases of word lists in a prompt, longest first, Korean ones under their particles."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.injection.reading.words.text import BREAKS, PromptText, canonical, is_hangul

Meaning = TypeVar("Meaning")

_PARTICLES = (
    "들|님|분|네|만|까지|부터|에게서|에게|한테|께서|께|에서|에|의|은|는|이|가|을|를|와|과|이랑|랑|하고|도|으로서|로서|으로|로"
    "|짤|끼리|처럼|보다|이나|나|이며|이고|이다|이자|인|입니다|이에요|예요|뿐|마다|조차|이라도|같은|같이|쯤|정도|이라는"
)
_STYLE = (
    "한|하게|하고|하며|하면서|한데|해서|해|하지|적인|적으로|적|스러운|스럽게|풍|톤|느낌|감성|무드|룩|샷|컷|뷰|앵글|구도|시점|각도"
    "|빛|컬러|색감|배경|화보|사진|계열|분위기|스타일|질감"
)
_NEGATION = r"(?:없|아닌|아니|말고|빼고|제외|대신|금지|배제|[미불비]포함|[미비]노출|미등장)[가-힣]{0,4}"
NOUN_ENDINGS = re.compile(rf"(?:{_PARTICLES}){{0,3}}(?:{_NEGATION})?")
STYLE_ENDINGS = re.compile(rf"(?:{_STYLE}|{_PARTICLES}){{0,4}}(?:{_NEGATION})?")


@dataclass(frozen=True, slots=True)
class Match(Generic[Meaning]):
    """A phrase found at `start` to `end` of the text; `tail` is where the word with its particles ends."""

    start: int
    end: int
    tail: int
    meanings: frozenset[Meaning]


class Stretches:
    """Parts of the text that do not overlap, asked without walking their list."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(stretches)
        self._starts = [start for start, _ in ordered]
        self._ends = [end for _, end in ordered]

    @classmethod
    def of(cls, matches: Iterable[Match[Any]]) -> Stretches:
        """Those of matches, without their particles."""
        return cls((match.start, match.end) for match in matches)

    def overlap(self, start: int, end: int) -> bool:
        """Whether one of the matches shares a character with this stretch."""
        last = self.last_before(end)
        return last is not None and last[1] > start

    def last_before(self, at: int) -> tuple[int, int] | None:
        """The last match that starts before this position."""
        index = bisect_left(self._starts, at)
        return (self._starts[index - 1], self._ends[index - 1]) if index else None


class Lexicon(Generic[Meaning]):
    """Phrases and what they mean; a phrase in several lists has several meanings."""

    def __init__(
        self,
        entries: Iterable[tuple[str, Meaning]],
        *,
        endings: re.Pattern[str] = NOUN_ENDINGS,
        plural: bool = False,
        inside: Iterable[str] = (),
    ) -> None:
        """`plural` reads English phrases in the plural too; `inside` phrases also end a longer Korean word."""
        self._endings = endings
        self._root: dict[str, Any] = {}
        self._inside = frozenset(map(canonical, inside))
        self._inside_heads = frozenset(phrase[0] for phrase in self._inside)
        for phrase, meaning in entries:
            for spelling in _spellings(canonical(phrase), plural=plural):
                node = self._root
                for character in spelling:
                    node = node.setdefault(character, {})
                node.setdefault("", set()).add(meaning)

    def scan(self, text: PromptText) -> list[Match[Meaning]]:
        """All matches from left to right; each takes its words away from shorter ones."""
        return list(self._scan(text))

    def at(self, text: PromptText, start: int, *, compound_depth: int = 2) -> Match[Meaning] | None:
        """The longest phrase that starts here and ends where a word, or a word's stem, ends.

        A Korean word may go on with other phrases, at most `compound_depth` of them.
        """
        node: dict[str, Any] | None = self._root
        found: list[tuple[int, set[Meaning]]] = []
        for at in range(start, len(text.text)):
            node = node.get(text.text[at]) if node else None
            if node is None:
                break
            if "" in node:
                found.append((at + 1, node[""]))
        for end, meanings in reversed(found):
            tail = self._tail(text, end, compound_depth)
            if tail is not None:
                return Match(start, end, tail, frozenset(meanings))
        return None

    def _scan(self, text: PromptText) -> Iterator[Match[Meaning]]:
        at, size = 0, len(text.text)
        while at < size:
            if match := self.at(text, at):
                yield match
                at = match.tail + 1 if self._is_break(text, match.tail) else match.tail
                continue
            end = text.word_end(at)
            if inner := self._inside_match(text, at, end):
                yield inner
                end = max(end, inner.tail)
            at = end + 1

    def _inside_match(self, text: PromptText, start: int, end: int) -> Match[Meaning] | None:
        for at in range(start + 1, end):
            if text.text[at] in self._inside_heads:
                match = self.at(text, at)
                if match and self._is_head(text.text[match.start : match.end]):
                    return match
        return None

    def _is_head(self, phrase: str) -> bool:
        return phrase in self._inside or phrase.removesuffix("s") in self._inside

    def _tail(self, text: PromptText, end: int, compound_depth: int) -> int | None:
        """Where the word ends if what follows the phrase are particles; None if it is another word."""
        if self._is_break(text, end):
            return end
        if not (is_hangul(text.text[end - 1]) and is_hangul(text.text[end])):
            return None
        word_end = text.word_end(end)
        if self._endings.fullmatch(text.text, end, word_end):
            return word_end
        if compound_depth and self.at(text, end, compound_depth=compound_depth - 1):
            return end
        return None

    @staticmethod
    def _is_break(text: PromptText, at: int) -> bool:
        return at >= len(text.text) or text.text[at] in BREAKS


def _spellings(phrase: str, *, plural: bool) -> Iterator[str]:
    """A phrase with and without its apostrophe, in the plural, and in Korean without spaces."""
    yield phrase
    if " 's" in phrase:
        yield phrase.replace(" 's", "s")
    if is_hangul(phrase[-1]):
        yield phrase.replace(" ", "")
    elif plural and phrase[-1].isalpha():
        yield phrase + ("es" if phrase.endswith(("s", "x", "ch", "sh")) else "s")
        if phrase.endswith("y"):
            yield phrase[:-1] + "ies"
