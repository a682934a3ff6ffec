"""Tells names: of artists and things, which put nobody into the picture, and of the studio's personas, which do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from core.injection.reading.negation import Negation
from core.injection.reading.pasted import Pasted, Stretch
from core.injection.reading.words.lexicon import Match, Stretches
from core.injection.reading.words.text import PromptText, is_hangul
from core.injection.reading.words.words import ReadingWords, Sign, reading_words

_CAPITALS = "A-ZÀ-ÖØ-Þ"
# A word as names have it; words all in capitals tell nothing.
_CAPITAL = rf"(?:[{_CAPITALS}][\w'’]*[a-zß-ÿ][\w'’]*|[{_CAPITALS}]\.)"
_PROPER = rf"{_CAPITAL}(?:[ -](?:(?:de|da|di|van|von|der|den|la|le|el|bin|of|&) )?{_CAPITAL}){{0,4}}"
_SMALL = r"(?!(?:An?|The|Her|His|Their|My|Our|Your|Two|Three|Some|One)\b)"
_CREDIT = re.compile(
    rf"(?P<act>\w{{1,20}} )?\b(?:[Bb]y|[Ss]tyle of|[Mm]anner of|[Ii]nspired by|[Hh]omage to|[Tt]ribute to|[Àà] la"
    rf"|[Rr]eminiscent of|[Ww]orks? of|[Cc]redits?:|[Pp]hotographer:|[Aa]rtist:|[Dd]irector:|[Ss]tylist:)"
    rf" (?:the )?{_SMALL}(?P<name>{_PROPER})"
)
_MODEL_OF_STYLE = re.compile(rf"(?<!\w){_SMALL}(?P<name>{_PROPER})(?:[- ](?:inspired|styled?|esque)\b)")
# Common nouns that are no titles: "Man Ray" and "Boy George" are names, "Mrs Park" is somebody.
_NOUN_NAME = re.compile(
    rf"(?<!\w)(?P<name>(?:Man|Woman|Boy|Girl|Baby|Kid|Child|Person|Human|Old|Lady) (?P<next>{_CAPITAL}))(?![\w'’-])"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_TITLE_CASE = 0.6  # of the words with a capital: then capitals tell nothing

# A name ends with the word, or with one of the particles Korean glues to it.
_PARTICLES = "이랑|에게|한테|이가|이는|이의|처럼|이|가|은|는|을|를|의|와|과|도|만|랑|씨|님"
_NAME_END = rf"(?:{_PARTICLES})?(?![\w-])"
_LATIN_NAME_END = rf"(?:{_PARTICLES}|으로|로)?(?![\w-])"  # "하늘로" goes up into the sky
_NAME_START = r"(?<![\w@#/-])(?<!\w\.)"
_BEFORE = re.compile(r"(?P<word>[^\W_][\w'’]*)(?P<dot>\.?) $")
_BEFORE_CHARS = 40
# What is written on something: "a sign that says “Ben”".
_WRITTEN_BEFORE = re.compile(
    r"\b(?:says?|saying|reads?|reading|texts?|words?|logo|letters) ?:? ?[\"'“‘]$", re.IGNORECASE
)
_PAIR_BEFORE = re.compile(rf"(?:{_CAPITAL}) ?[&+] ?$")
_PAIR_AFTER = re.compile(rf" ?(?:[&+] ?(?P<other>{_CAPITAL})|and {_CAPITAL}['’]s\b)")
_OWNED_NAME = re.compile(rf"['’]s (?:{_CAPITAL})")
_OWNS = re.compile(r"['’]s\b")
_ADDRESS_ON = re.compile(r"\.\w")
_NEXT_CAPITAL = re.compile(rf" (?:(?:de|di|da|del|della|van|von|der|bin|al|la) )?(?P<word>{_CAPITAL})")
_NEXT_WORD = re.compile(r"의? (?P<word>\w+)")
_ABBREVIATIONS = frozenset({"St", "Mt", "Ft"})
_ARTICLES = frozenset({"a", "an", "the", "A", "An", "The"})
_ITEM_BEFORE, _ITEM_AFTER = re.compile(r"(?:^|[,.;:!?\n(])\s*$"), re.compile(r"\s*(?:$|[,.;:!?\n)])")


def names_of_others(prompt: str) -> list[Stretch]:
    """Where artists are credited and things are called by a name: "by Man Ray", "Wes Anderson style", "Boy George"."""
    found = [credit.span("name") for credit in _credits(prompt)]
    found += [style.span("name") for style in _MODEL_OF_STYLE.finditer(prompt)]
    if not _is_title_case(prompt):
        found += [
            name.span("name")
            for name in _NOUN_NAME.finditer(prompt)
            if not _is_plain_word(reading_words(), name["next"])
        ]
    return found


def persona_in(prompt: str, personas: Iterable[str], *, has_person: bool) -> str | None:
    """The one persona the prompt names, written as in its file name; None for none or several.

    The name has to stand alone: not within a longer one ("Big Ben", "Ben Kim"), in a credit ("by Ben"), behind an
    article or in what is unwanted. A name that is a word as well ("Rose", "하늘"), or that owns something ("Ben's
    cup"), counts only where `has_person`, or as an item of its own. Upper and lower case count, so that a persona
    called May is not found in "it may rain".
    """
    typed = unicodedata.normalize("NFC", prompt)
    names = [name for name in personas if name in typed]
    if not names:
        return None
    found = _NameFinder(typed, names, has_person=has_person).found()
    longest = {name for name in found if not any(name != other and name in other for other in found)}
    return longest.pop() if len(longest) == 1 else None


class _NameFinder:
    """The personas whose names occur in one prompt."""

    def __init__(self, prompt: str, names: list[str], *, has_person: bool) -> None:
        pasted = Pasted.of(prompt)
        self._prompt, self._names, self._has_person = pasted.plain, names, has_person
        self._words = reading_words()
        self._text = PromptText.of(pasted.plain)
        self._negation = Negation(self._words.negation, self._text, Stretches(self._text.locate(pasted.unwanted)))
        self._credits = Stretches(credit.span("name") for credit in _credits(pasted.plain))

    def found(self) -> set[str]:
        """Those that are meant."""
        meant = [(name, found) for name in self._names for found in self._meant(name)]
        matches = [self._match(found) for _, found in meant]
        denied = self._negation.find_denied(matches)
        return {name for (name, _), match in zip(meant, matches, strict=True) if match.start not in denied}

    def _match(self, found: re.Match[str]) -> Match[None]:
        """A name in the comparable text, where a particle stands apart from a Latin one: "ben 은"."""
        (start, end), particle = self._text.locate((found.span("name"), found.span("ending")))
        if found["ending"]:
            return Match(start, particle[0], particle[1], frozenset())
        return Match(start, end, self._text.word_end(end - 1), frozenset())

    def _meant(self, name: str) -> Iterator[re.Match[str]]:
        """Where the name stands alone."""
        ending = _NAME_END if is_hangul(name[-1]) else _LATIN_NAME_END
        for found in re.finditer(rf"{_NAME_START}(?P<name>{re.escape(name)})(?P<ending>{ending})", self._prompt):
            start, end = found.start(), found.start("ending")
            if self._credits.overlap(start, end) or self._is_part(start, end, name):
                continue
            is_owner = bool(_OWNS.match(self._prompt, end))
            if self._has_person or not (is_owner or self._is_word(name)) or self._is_item(start, found.end()):
                yield found

    def _is_part(self, start: int, end: int, name: str) -> bool:
        """Whether the name belongs to a longer one, or to a thing."""
        if _WRITTEN_BEFORE.search(self._prompt, max(0, start - _BEFORE_CHARS), start):
            return True
        return self._is_of_a_pair(start, end) or self._is_named_on(end, name) or self._is_named_before(start)

    def _is_of_a_pair(self, start: int, end: int) -> bool:
        """ "Ben & Jerry's", "Ben & Co.": of a pair both have to be personas."""
        text = self._prompt
        if _PAIR_BEFORE.search(text, max(0, start - _BEFORE_CHARS), start) and not self._follows_known(start):
            return True
        pair = _PAIR_AFTER.match(text, end)
        return pair is not None and (pair["other"] not in self._names or bool(_OWNS.match(text, pair.end())))

    def _is_named_on(self, end: int, name: str) -> bool:
        """Whether what follows makes it a longer name, or a thing's: "Ben Kim", "Ada perfume", "강남 거리"."""
        text = self._prompt
        if _OWNED_NAME.match(text, end) or _ADDRESS_ON.match(text, end):
            return True
        after = _NEXT_CAPITAL.match(text, end)
        if after and f"{name} {after['word']}" not in self._names and not self._is_small_word(after["word"]):
            return True
        follower = _NEXT_WORD.match(text, end)
        if follower is None:
            return False
        return follower["word"].startswith(tuple(self._words.names.places)) or self._is_thing(follower)

    def _is_thing(self, follower: re.Match[str]) -> bool:
        """Goods and other objects without a particle: "Ada perfume", "수지 가방", not "수지 의자에 앉아"."""
        word = PromptText.of(follower["word"])
        sign = self._words.signs.at(word, 0)
        is_bare = sign is not None and sign.end == len(word.text)
        return is_bare and sign is not None and bool(sign.meanings & {Sign.GOODS, Sign.OBJECT})

    def _is_small_word(self, word: str) -> bool:
        """Whether a word behind a name has a heading's capital: "Ben In A Suit", "Ben Smiling", not "Hugo Boss"."""
        text = PromptText.of(word)
        sign = self._words.signs.at(text, 0)
        is_deed = sign is not None and sign.tail == len(text.text) and bool(sign.meanings & {Sign.DOING, Sign.POSTURE})
        return is_deed or bool({text.text} & (self._words.names.openers | self._words.negation.small_words))

    def _is_named_before(self, start: int) -> bool:
        """Whether the word before makes a longer name or a thing of it: "Big Ben", "a Lily", not "Model Ben"."""
        before = _BEFORE.search(self._prompt, max(0, start - _BEFORE_CHARS), start)
        if before is None:
            return False
        word = before["word"]
        if before["dot"]:
            return word in _ABBREVIATIONS
        if word in _ARTICLES or word.lower() in self._words.names.called:
            return True
        is_capital = bool(re.fullmatch(_CAPITAL, word)) and not is_hangul(word[-1])  # not "Dae와 Ada"
        return is_capital and not _is_plain_word(self._words, word)

    def _follows_known(self, start: int) -> bool:
        """Whether the pair before ends in a persona too: "Ada & Ben"."""
        chars = max(map(len, self._names)) + 3
        return self._prompt[max(0, start - chars) : start].rstrip(" &+").endswith(tuple(self._names))

    def _is_word(self, name: str) -> bool:
        """Whether the name is a word for something else as well."""
        text = PromptText.of(name)
        sign = self._words.signs.at(text, 0)
        is_sign = sign is not None and sign.end == len(text.text) and bool(sign.meanings - {Sign.LOOKALIKE})
        return is_sign or bool({text.text} & self._words.names.words)

    def _is_item(self, start: int, end: int) -> bool:
        before = _ITEM_BEFORE.search(self._prompt, max(0, start - _BEFORE_CHARS), start)
        return bool(before and _ITEM_AFTER.match(self._prompt, end))


def _credits(prompt: str) -> Iterator[re.Match[str]]:
    for credit in _CREDIT.finditer(prompt):
        if (credit["act"] or "").strip().lower() not in reading_words().names.seen_doing:
            yield credit


def _is_title_case(prompt: str) -> bool:
    are_capital = [found[0][0].isupper() for found in _WORD.finditer(prompt)]
    return sum(are_capital) > _TITLE_CASE * len(are_capital)


def _is_plain_word(words: ReadingWords, word: str) -> bool:
    """Whether a word with a capital is one of the language all the same: a person's, a deed, a small word."""
    text = PromptText.of(word)
    sign = words.signs.at(text, 0)
    is_sign = sign is not None and sign.tail == len(text.text)
    return is_sign or bool({text.text} & (words.names.openers | words.negation.small_words))
