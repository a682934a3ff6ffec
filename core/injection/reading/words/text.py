"""A prompt made comparable: one spelling of everything, each character traceable to what was typed."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BREAKS = " ,.-"  # between words: nothing, a pause, the end of a sentence, a range such as 25-34

_BREAK = re.compile(r"[ ,.\-]")
_TOKEN = re.compile(
    r"(?P<number>\d{1,4}(?:/\d{1,2})?(?:'?s(?![^\W\d_]))?)"
    r"|(?P<hangul>[가-힣]{1,64})"
    r"|(?P<word>[^\W\d_가-힣]{1,64})(?P<tail>'[a-z]{1,8})?"
    r"|(?P<sign>[&°]|(?<=\d)\+|(?!<3(?!\d))[<>]=?(?=\s?\d)|[≤≥](?=\s?\d))"
)
_PLAIN = re.compile(r"(?:[A-Za-z]{1,64}|[가-힣]{1,64})(?: (?:[A-Za-z]{1,64}|[가-힣]{1,64}))*")
_SENTENCE_END = re.compile(r"[.!?;。…\n|]")
_PAUSE = re.compile(r"[,:()\[\]{}\"“”—–/、·•=<>]")
_RANGE_MARKS = frozenset({"-", "–", "—", "~", "〜"})
_SPOKEN = {
    "°": "degree", "+": "plus",
    "<": "under", "≤": "at most", "<=": "at most", ">": "over", "≥": "at least", ">=": "at least",
}  # fmt: skip
_DEGREES = str.maketrans("º˚", "°°")  # typed for °, and lost by NFKC
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´′", "'") | {"⁄": "/"})


@dataclass(frozen=True, slots=True)
class PromptText:
    """Lower-case words with one break between two of them, and where each character came from.

    `text` is the comparable form; `starts[i]` and `ends[i]` enclose its i-th character in the prompt.
    """

    prompt: str
    text: str
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, prompt: str) -> PromptText:
        """Fold compatibility forms, case and punctuation away. Takes linear time."""
        folded, starts, ends = _fold(prompt)
        parts: list[str] = []
        from_: list[int] = []
        previous: re.Match[str] | None = None
        for token in _TOKEN.finditer(folded):
            separator = _break_between(previous, token, folded)
            if separator:
                parts.append(separator)
                from_.append(token.start())
            for piece, at in _pieces(token):
                parts.append(piece)
                from_.extend(at)
            previous = token
        return cls(prompt, "".join(parts), [starts[at] for at in from_], [ends[at] for at in from_])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of `text` stands in the prompt."""
        return self.starts[start], self.ends[end - 1]

    def locate(self, stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Where stretches of the prompt stand in `text`."""
        return [(self._first_at(start), bisect_left(self.starts, end)) for start, end in stretches]

    def _first_at(self, start: int) -> int:
        """The first letter of this character or one behind it; a break is said to come of what follows it."""
        at = bisect_left(self.starts, start)
        return at + 1 if self.text[at : at + 1] and self.text[at] in BREAKS else at

    def word_end(self, at: int) -> int:
        """Where the word around this position ends."""
        found = _BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def next_word(self, at: int, breaks: str = " ") -> tuple[int, int] | None:
        """The word after a word's end, if only one of these breaks lies between."""
        if at >= len(self.text) or self.text[at] not in breaks:
            return None
        return at + 1, self.word_end(at + 1)

    def sentence_start(self, at: int) -> int:
        """Where the sentence around this position starts."""
        return self.text.rfind(".", 0, at) + 1

    def is_alone(self, start: int, end: int) -> bool:
        """Whether this stretch is an item of its own between pauses."""
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        return before in ("", ",", ".") and after in ("", ",", ".")


def canonical(phrase: str) -> str:
    """A phrase of a word list in the same comparable form."""
    if _PLAIN.fullmatch(phrase):  # as most are of eleven thousand: there is nothing to fold but case
        return phrase.lower()
    return PromptText.of(phrase).text


def _fold(prompt: str) -> tuple[str, list[int], list[int]]:
    """NFKC and lower case, with the first and last origin of every character."""
    prompt = prompt.translate(_DEGREES)
    if prompt.isascii() or (unicodedata.is_normalized("NFKC", prompt) and len(prompt.lower()) == len(prompt)):
        folded = prompt.lower()
        return folded.translate(_APOSTROPHES), list(range(len(prompt))), list(range(1, len(prompt) + 1))
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(prompt):
        for character in unicodedata.normalize("NFKC", prompt[start:end]):
            lower = character.lower()
            characters.append(lower if len(lower) == 1 else character)
            starts.append(start)
            ends.append(end)
    return "".join(characters).translate(_APOSTROPHES), starts, ends


def _clusters(prompt: str) -> Iterator[tuple[int, int]]:
    """Stretches that compose on their own: a base with its marks, or a syllable's jamo."""
    start = 0
    for at in range(1, len(prompt)):
        character = prompt[at]
        joins = unicodedata.combining(character) or "ᅠ" <= character <= "ᇿ"
        if not joins:
            yield start, at
            start = at
    if prompt:
        yield start, len(prompt)


def _pieces(token: re.Match[str]) -> Iterator[tuple[str, Sequence[int]]]:
    """What a token contributes: possessives stand apart, other apostrophes vanish, ° is a word."""
    start, end = token.span()
    if spoken := _SPOKEN.get(token["sign"] or ""):
        yield spoken, [start] * len(spoken)
    elif token["tail"]:
        middle = token.start("tail")
        yield token["word"], range(start, middle)
        if token["tail"] == "'s":
            yield " ", range(middle, middle + 1)
            yield "'s", range(middle, end)
        else:
            yield token["tail"][1:], range(middle + 1, end)
    elif token["number"] and "'" in token["number"]:
        yield token["number"][:-2], range(start, end - 2)
        yield "s", range(end - 1, end)
    else:
        yield token[0], range(start, end)


def _break_between(before: re.Match[str] | None, after: re.Match[str], folded: str) -> str:
    if before is None:
        return ""
    gap = folded[before.end() : after.start()]
    if not gap:
        return "" if before["number"] and after["hangul"] else " "
    if gap.strip() in _RANGE_MARKS and after["number"] and before["number"]:
        return "-"
    if gap.strip() in ("~", "〜"):
        return "-"
    if _SENTENCE_END.search(gap):
        return "."
    return "," if _PAUSE.search(gap) or gap.startswith(" - ") else " "


def either_form(*words: str) -> str:
    """A pattern for these words, composed or decomposed."""
    forms = (unicodedata.normalize(form, word) for word in words for form in ("NFC", "NFD"))
    return "|".join(re.escape(form) for form in dict.fromkeys(forms))


def is_hangul(character: str) -> bool:
    """Whether this is a composed Korean syllable."""
    return "가" <= character <= "힣"
