"""A component: its script and style as Streamlit takes them, the data it is sent, what it says and remembers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Protocol, TypeVar

import streamlit as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.logs.refusals import refuse
from core.objects.objects import KEY_BYTES_MAX

M = TypeVar("M")
T = TypeVar("T", bound="Told")

UNREADABLE: Final = "Your browser has sent something that this page cannot take, and nothing was kept: reload it."
# Text that is too long is refused by its length; a limit also has pydantic refuse half a character (a lone surrogate).
Count = Annotated[int, Field(ge=0, le=2**53)]  # what a script can count without losing one
ShortText = Annotated[str, Field(max_length=100)]  # an id, a word of ours
KeyText = Annotated[str, Field(max_length=KEY_BYTES_MAX)]  # a key, or what is written like one

_IMPORT: Final = re.compile(r'^import [^;]+ from "([^"]+)";\n', re.MULTILINE)
_STYLE_IMPORT: Final = re.compile(r'^@import "([^"]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?!default)", re.MULTILINE)
# What stands behind code on a line of `//` stays: it could be part of a string, as in an address.
_COMMENT: Final = re.compile(r"/\*\*.*?\*/ ?\n?|^ *//[^\n]*\n", re.MULTILINE | re.DOTALL)
_THEME: Final = Path(__file__).with_name("theme.css")


class Data(Protocol):
    """A dataclass, whichever."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Told(BaseModel):
    """What a script says at once: of these shapes and no longer, whoever has written it. More is passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Component:
    """What runs in the browser beside a module of Python's: the script given, with the style of the same name.

    The browser gets a frozen dataclass as it is: keys are spelled as in Python, and the script's JSDoc repeats them.
    """

    def __init__(self, script: Path, *, html: str | None = None, isolated: bool = True) -> None:
        style = script.with_suffix(".css")
        shared = _THEME.read_text("utf-8") if isolated else ""
        self._mount = st.components.v2.component(
            f"studio.{script.stem}",
            html=html,
            css=shared + style_sheet(style) if style.exists() else None,
            js=bundle(script),
            isolate_styles=isolated,
        )

    def draw(
        self,
        data: Data | None = None,
        *,
        key: str,
        height: int | Literal["content"] = "content",
        **callbacks: Any,
    ) -> Any:
        """Draw it; `on_…_change` hears what the browser says, and only what has such a callback is kept."""
        return self._mount(key=key, data=asdict(data) if data else None, height=height, **callbacks)


def bundle(script: Path) -> str:
    """The script behind all that it imports, each file once, without the comments: it is sent with every run.

    In the browser a component's script is a module without an address, so it could import nothing by a path.
    """
    return "\n".join(_texts(script.resolve(), set()))


def style_sheet(style: Path) -> str:
    """The style behind those that it imports on lines of their own: in the browser they have no addresses either."""
    text = style.read_text("utf-8")
    imported = [style_sheet((style.parent / path).resolve()) for path in _STYLE_IMPORT.findall(text)]
    return "\n".join([*imported, _STYLE_IMPORT.sub("", text)])


def message(key: str, name: str, kind: type[T]) -> T | None:
    """What the browser has last said under this name, or None. It has this shape: look up what it names.

    What has another one is told to the person, counted, and nothing.
    """
    said = (st.session_state.get(key) or {}).get(name)
    return None if said is None else read_told(said, kind, part=key)


def read_told(said: object, kind: type[T], *, part: str) -> T | None:
    """What a part of a page said, or None and a word to the person where it has another shape."""
    try:
        return kind.model_validate(said)
    except ValidationError:
        refuse("message_refused", reason="unknown shape", part=part)
        st.toast(UNREADABLE, icon=":material/report:")
        return None


def memory(key: str, kind: type[M]) -> M:
    """What a component remembers between runs, its pages left in between included. It begins as `kind()`."""
    kept = st.session_state.setdefault(f"{key}:memory", kind())
    assert isinstance(kept, kind)  # noqa: S101  # nobody else writes this key
    return kept


def keep_value() -> None:
    """A callback that does nothing: Streamlit keeps only those of a component's values that have one."""


def _texts(script: Path, seen: set[Path]) -> Iterator[str]:
    seen.add(script)
    text = script.read_text("utf-8")
    for path in _IMPORT.findall(text):
        imported = (script.parent / path).resolve()
        if imported not in seen:
            yield from _texts(imported, seen)
    yield _COMMENT.sub("", _EXPORT.sub("", _IMPORT.sub("", text)))
