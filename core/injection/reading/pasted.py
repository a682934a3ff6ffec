"""Finds what is no prose in a prompt that was pasted from another tool: weights, parameters, settings, camera talk.

The syntaxes are those of Stable Diffusion web UI and ComfyUI (`(woman:1.2)`, `[x]`, `<lora:…>`, `Negative prompt:`,
`Steps: …`), of Midjourney (`woman::2`, `--ar 4:5 --no people`) and of NovelAI (`{{x}}`, `1.2::x::`). `[x]` asks for
less of x and still for x: it is read as said. A weight of zero or below asks for none of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from core.injection.reading.comfy import find_workflow
from core.injection.reading.words.text import either_form

Stretch = tuple[int, int]

_WIDE = {0xFF01 + at: chr(0x21 + at) for at in range(94)}  # typed with a Korean or Japanese keyboard: （woman：1.2）

_NEGATIVE = either_form("네거티브", "부정", "부정적", "네가티브", "제외")
_PROMPT = either_form("프롬프트")
_EXCLUDED = either_form(
    "제외",
    "제외할 것",
    "제외 사항",
    "제외 요소",
    "제외 항목",
    "제외어",
    "금지어",
    "금지",
    "금지 사항",
    "금지 요소",
    "빼야 할 것",
    "넣지 말 것",
)
_POSITIVE = either_form("프롬프트", "긍정 프롬프트", "포지티브 프롬프트", "포지티브")
_HEADING_START, _HEADING_END = r"(?<![\w-])[\"'*#_ ]{0,6}", r"(?:[\"'*_ ]{0,6}[:=][\"'*_ ]{0,6}| [-–—] )"
_UNWANTED_TO_THE_END = re.compile(
    rf"{_HEADING_START}(?:negatives?(?:[ _-]?prompts?)?|neg(?:[ _-]?prompts?)?|undesired content|uc"
    rf"|(?:{_NEGATIVE})[ _]?(?:{_PROMPT})|{either_form('네거티브', '네가티브')}){_HEADING_END}"
    rf"|^[\"'*#_ ]{{0,6}}(?:negative prompts?|(?:{_NEGATIVE}) ?(?:{_PROMPT}))[*_ ]{{0,6}}$",
    re.IGNORECASE | re.MULTILINE,
)
_UNWANTED_IN_THE_LINE = re.compile(
    rf"{_HEADING_START}(?:exclude|excluding|avoid|omit|unwanted|without|do not include|don'?t include|{_EXCLUDED})"
    rf"{_HEADING_END}",
    re.IGNORECASE,
)
_WANTED_AGAIN = re.compile(
    rf"(?:^|[\n\"{{,]|(?<=[.;|]))[\"'*#_ ]{{0,6}}(?:(?:positive[ _-]?)?prompts?|positive|{_POSITIVE}){_HEADING_END}",
    re.IGNORECASE,
)
# What Stable Diffusion web UI writes below a prompt. "Model:" alone may be a brief's; after one of these it is a file.
_SETTINGS = re.compile(
    r"(?<![\w-])(?:steps[ \t]{0,3}:[ \t]{0,3}\d+[ \t]{0,3},|sampler[ \t]{0,3}:"
    r"|sampling method[ \t]{0,3}:|cfg scale[ \t]{0,3}:"
    r"|model hash[ \t]{0,3}:|seed[ \t]{0,3}:[ \t]{0,3}-?\d+[ \t]{0,3},[ \t]{0,3}[\w ]{1,24}:)[^\n]*",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"(?<![\w-])\"?(?:steps|cfg(?:[ _]scale)?|guidance(?:[ _]scale)?|seed|clip[ _]skip|denois(?:e|ing)(?:[ _]strength)?"
    r"|iso|batch(?:[ _]size)?|width|height|strength|shutter(?: speed)?|aspect ratio)\"?"
    r"[ \t]{0,3}[:=]?[ \t]{0,3}-?\d[\d.x×/:]*",
    re.IGNORECASE,
)
_KEYED_NUMBER = re.compile(r"\"(?!ages?\")\w{1,32}\"[ \t]{0,3}:[ \t]{0,3}-?\d[\d.]*")
_ADDRESS = re.compile(
    r"https?://[^\s\"<>]+|(?<![\w.])[\w-]{1,80}\.(?:png|jpe?g|webp|gif|safetensors|ckpt)\b", re.IGNORECASE
)
_NETWORK = re.compile(r"<(?:lora|lyco|locon|hypernet|ti|embedding|segment|wildcard)[:=][^<>\n]{0,200}>", re.IGNORECASE)
_EMBEDDING = re.compile(r"(?<!\w)embedding:[\w.\-/\\]{1,100}(?::-?[\d.]{1,6})?|__[\w/*-]{1,60}__", re.IGNORECASE)
_CHUNK = re.compile(r"(?<!\w)(?:BREAK|ADDCOMM|ADDBASE|ADDROW|ADDCOL)(?!\w)")
# Two hyphens, or the dash that a word processor made of them: before a name that is known only.
_PARAMETER = re.compile(
    r"(?<![\w-])(?:--(?P<name>[a-z_-]{1,20})|[—–](?P<known>no|ar|aspect|v|s|stylize|style|c|chaos|seed|sref|cref|oref"
    r"|iw|sw|cw|ow|q|quality|niji|w|weird|tile|p|r|repeat|stop|raw|hd|draft))(?!\w)",
    re.IGNORECASE,
)
_UNWANTED_NAMES = ("no", "neg", "negative", "negative_prompt", "negative-prompt")
_VALUES = re.compile(
    r"(?:[ =]{1,3}(?:[\"']?-?\d[^\s,=]{0,80}|random|raw|cute|scenic|expressive|original|turbo|relax|fast)){0,6}"
)
_STRING_END, _LINE_END = re.compile(r"(?<!\\)\""), re.compile(r"\n")
_LINE_ESCAPE = re.compile(r"\\[nrt]")  # of a string in JSON
_OPENS_STRING = re.compile(r'.*(?:"[^"]*"[^"]*|_[^"]*)"', re.DOTALL)  # "negative_prompt": "…
_PARAGRAPH = re.compile(r"\n[ \t]*\n")

_BRACKET = re.compile(r"(?<!\\)[()\[\]{}]")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_WEIGHT = re.compile(r":\s?(?P<weight>[+-]?(?:\d{1,3}(?:\.\d{0,4})?|\.\d{1,4}))\s?$")
_NUMBER_ALONE = re.compile(r"[\d. ]*")
_WEIGHT_CHARS = 14
_BARE_WEIGHT = re.compile(r"(?<=[^\W\d]):(?P<weight>-\d{1,2}(?:\.\d{1,3})?|\d\.\d{1,3})(?![\w.:])")
_NOVEL = re.compile(r"(?<![\w.:])(?P<weight>-?\d{1,2}(?:\.\d{1,3})?)::(?=[^\s:])")
_PART = re.compile(r"::\s?(?P<weight>-?\d{1,3}(?:\.\d{1,4})?)?(?![\d.]*\w)|::")
_ITEM_START = re.compile(r"[,\n.;(]")

_DECIMAL = r"\d{1,5}(?:[.]\d{1,4})?"
_LENS_END = r"(?=[ \t]{0,3}(?:lens|prime|macro|zoom)|,?[ \t]{0,3}[fƒ][ \t]?/?[ \t]?\d)"
_NUMBERS = (
    re.compile(r"(?<![\w.])\d{1,6}[ \t]?[x×*][ \t]?\d{1,6}(?:[ \t]?px)?(?![\w])", re.IGNORECASE),  # 1024x1280
    re.compile(rf"(?<![\w.:]){_DECIMAL}[ \t]?:[ \t]?{_DECIMAL}(?![\d:])"),  # 4:5, 2.35:1, and a quarter past four
    re.compile(r"[$€£₩¥][ \t]?\d[\d,.]*k?|(?<![\w.])\d{1,9}(?:[.,]\d{1,9})?[ \t]?(?:%|€|₩)"),
    re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d])"),
    re.compile(rf"(?<![\w.])\d{{1,4}}(?:[ \t]?-[ \t]?\d{{1,4}})?[ \t]?mm\b{_LENS_END}", re.IGNORECASE),
    re.compile(rf"(?<![\w.])\d{{2,3}}(?:-\d{{2,3}})?{_LENS_END}", re.IGNORECASE),  # "85, f/1.8", "24-70 zoom"
    re.compile(r"(?<!\w)[fƒ][ \t]?/[ \t]?\d{1,2}(?:\.\d)?(?!\w)|(?<!\w)[fƒ]\d{1,2}(?:\.\d)?(?!\w)", re.IGNORECASE),
    re.compile(r"(?<![\w/])1/\d{1,5}[ \t]?(?:s|sec|th)?(?!\w)", re.IGNORECASE),
    re.compile(r"(?<![\w.])\d{1,6}(?:\.\d{1,6})+(?![\d])"),  # a decimal, a version, a date
    re.compile(r"#[ \t]?\d+|(?<!\w)(?:no\.|№|vol\.|fig\.)[ \t]?\d+", re.IGNORECASE),
)
# "1." and "2)" at the start of a line, "2)" in its middle; "(30)" is an age beside a person.
_LIST_NUMBER = re.compile(
    r"^[ \t>*•-]{0,6}(?:(?:shot|scene|frame|panel|image|prompt|step)\s)?\d{1,3}\s?[.):][ \t]"
    r"|(?<=[\s,.;])\d{1,2}\)(?=\s)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Pasted:
    """A prompt with its markup blanked out: `plain` is as long as what was typed, character for character.

    `unwanted` are the stretches, in characters, that name what must not be in the picture.
    """

    plain: str
    unwanted: tuple[Stretch, ...]

    @classmethod
    def of(cls, prompt: str) -> Pasted:
        """Tell prose from markup. Takes time in proportion to the length."""
        return _Sheet(prompt).pasted()


class _Sheet:
    """A prompt on which markup is crossed out, kind after kind: what is crossed out is not read again."""

    def __init__(self, prompt: str) -> None:
        self._typed = prompt
        self._text = prompt.translate(_WIDE)
        self._unwanted: list[Stretch] = []

    def pasted(self) -> Pasted:
        """Everything crossed out that is no prose."""
        self._cross_out_workflow()
        self._replace(_LINE_ESCAPE, "\n")
        self._cross_out_headings()
        self._cross_out_parameters()
        for pattern in (_SETTINGS, _CHUNK):
            self._replace(pattern, ".")
        for pattern in (_ADDRESS, _NETWORK, _EMBEDDING, _KEYED_NUMBER, _SETTING):
            self._replace(pattern, ",")
        self._cross_out_weights()
        self._cross_out_parts()
        self._cross_out_bare_weights()
        for pattern in _NUMBERS:
            self._replace(pattern, ",")
        self._replace(_LIST_NUMBER, ".")
        return Pasted(self._text, tuple(_joined(self._unwanted)))

    def _replace(self, pattern: re.Pattern[str], mark: str) -> None:
        self._text = pattern.sub(lambda found: mark.ljust(len(found[0])), self._text)

    def _cross_out(self, stretches: list[Stretch], mark: str) -> None:
        """`mark` in the place of each stretch, and nothing behind it; the stretches are in order and apart."""
        parts, at = [], 0
        for start, end in stretches:
            parts += [self._text[at:start], mark.ljust(end - start)]
            at = end
        self._text = "".join([*parts, self._text[at:]])

    def _cross_out_workflow(self) -> None:
        """Of a workflow everything but its prompts: names of files and nodes put nobody into the picture."""
        workflow = find_workflow(self._typed)
        if workflow is None:
            return
        self._unwanted += workflow.unwanted
        kept = [(0, 0), *sorted(workflow.wanted + workflow.unwanted), (len(self._text), len(self._text))]
        self._cross_out([(one[1], two[0]) for one, two in pairwise(kept) if one[1] < two[0]], ".")

    def _cross_out_headings(self) -> None:
        """ "Negative prompt:" reaches to the end, or to what says otherwise; "Exclude:" to the end of its line."""
        text = self._text
        ends = [found.start() for pattern in (_SETTINGS, _WANTED_AGAIN) for found in pattern.finditer(text)]
        borders = sorted([*ends, len(text)])
        at = 0
        for heading in _UNWANTED_TO_THE_END.finditer(text):
            if heading.start() >= at:
                at = borders[bisect_left(borders, heading.end())]
                if _OPENS_STRING.fullmatch(heading[0]):
                    at = min(at, _end_of(_STRING_END, text, heading.end()))
                self._unwanted.append((heading.start(), at))
        for heading in _UNWANTED_IN_THE_LINE.finditer(text):
            self._unwanted.append((heading.start(), _end_of(_LINE_END, text, heading.end())))
        self._replace(_UNWANTED_TO_THE_END, ".")
        self._replace(_UNWANTED_IN_THE_LINE, ".")

    def _cross_out_parameters(self) -> None:
        """ "--no a, b" reaches to the next "--" or the end of the paragraph; other parameters take their values."""
        text, crossed = self._text, []
        found = list(_PARAMETER.finditer(text))
        for parameter, after in zip_longest(found, found[1:]):
            end, border = parameter.end(), after.start() if after else len(text)
            if (parameter["name"] or parameter["known"]).lower() in _UNWANTED_NAMES:
                paragraph = _PARAGRAPH.search(text, end, border)
                self._unwanted.append((end, paragraph.start() if paragraph else border))
            elif values := _VALUES.match(text, end, border):
                end = values.end()
            crossed.append((parameter.start(), end))
        self._cross_out(crossed, ".")

    def _cross_out_weights(self) -> None:
        """The brackets of "(woman:1.2)", "((woman))" and "[from:to:0.5]", with the number: what is inside is prose."""
        text, crossed, opened = self._text, [], []
        for bracket in _BRACKET.finditer(text):
            at, sign = bracket.start(), bracket[0]
            if sign not in _PAIRS:
                opened.append(at)
                continue
            if not opened or text[opened[-1]] != _PAIRS[sign]:
                continue
            start = opened.pop()
            weight = _WEIGHT.search(text, max(start + 1, at - _WEIGHT_CHARS), at)
            if weight and _is_weight(text, start, weight):
                crossed += [(start, start + 1), (weight.start(), at + 1)]
                if float(weight["weight"]) <= 0:
                    self._unwanted.append((start, at))
            elif _is_doubled(text, start, at):
                crossed += [(start, start + 1), (at, at + 1)]
        self._cross_out(sorted(crossed), " ")

    def _cross_out_parts(self) -> None:
        """ "woman::2 man::-1" and "-1::hat::": parts with their weights, unwanted where the weight is below zero."""
        text, crossed, at = self._text, [], 0
        for part in _NOVEL.finditer(text):
            end = text.find("::", part.end())
            if float(part["weight"]) <= 0:
                self._unwanted.append((part.start(), end if end >= 0 else len(text)))
            crossed.append(part.span())
        self._cross_out(crossed, ",")
        crossed = []
        for part in _PART.finditer(self._text):
            if part["weight"] and float(part["weight"]) <= 0:
                self._unwanted.append((at, part.start()))
            at = part.end()
            crossed.append(part.span())
        self._cross_out(crossed, ",")

    def _cross_out_bare_weights(self) -> None:
        """ "people:-1" without brackets: its item is unwanted, from the pause before."""
        starts = [0, *(found.end() for found in _ITEM_START.finditer(self._text))]
        for bare in _BARE_WEIGHT.finditer(self._text):
            if bare["weight"].startswith("-"):
                self._unwanted.append((starts[bisect_right(starts, bare.start()) - 1], bare.start()))
        self._replace(_BARE_WEIGHT, " ")


def _joined(stretches: list[Stretch]) -> Iterator[Stretch]:
    """The same in order, one of several that overlap."""
    reached: Stretch | None = None
    for start, end in sorted(stretches):
        if reached and start <= reached[1]:
            reached = (reached[0], max(end, reached[1]))
            continue
        if reached:
            yield reached
        reached = (start, end)
    if reached:
        yield reached


def _is_weight(text: str, start: int, weight: re.Match[str]) -> bool:
    """Neither a ratio, "(4:5)", nor an age, "(age: 30)": a weight is below ten, the step of "[a:b:20]" need not be."""
    is_ratio = _NUMBER_ALONE.fullmatch(text, start + 1, weight.start())
    return not is_ratio and (text[start] == "[" or (text[start] == "(" and abs(float(weight["weight"])) < 10))


def _is_doubled(text: str, start: int, end: int) -> bool:
    """Whether these brackets are one pair of several around the same: "((old)) man"."""
    opening, closing = text[start], text[end]
    is_outer = text[start + 1] == opening and text[end - 1] == closing
    return is_outer or (text[start - 1 : start] == opening and text[end + 1 : end + 2] == closing)


def _end_of(border: re.Pattern[str], text: str, at: int) -> int:
    found = border.search(text, at)
    return found.start() if found else len(text)
