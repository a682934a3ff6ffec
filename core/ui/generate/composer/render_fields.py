"""The render fields: size, image model and quality of the pictures, and of side B where the image model is varied."""

from __future__ import annotations

from typing import Final, LiteralString

import streamlit as st

from core.generation.engines.engine import Engine
from core.generation.records.comparison import RenderSettings
from core.injection.request.wishes import Mode, SideName, Varies
from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.generate.composer.draft import SIZES, chosen_engine, chosen_size, engine_choices
from core.ui.generate.composer.varied import varies

_USUAL: Final = "medium"


def render_fields(studio: Studio) -> None:
    """Draw them: an engine and a quality only where there is a choice, and nothing that would be ignored. Where the
    image model is varied, what makes each side stands in `render_pair`.
    """
    st.selectbox("Size", list(SIZES), key=Key.SIZE, persist_state="session")
    if is_model_varied():
        return
    choices = list(engine_choices(studio))
    if len(choices) > 1:
        _say_anew(Key.ENGINE, choices)
        st.selectbox("Engine", choices, key=Key.ENGINE, persist_state="session")
    qualities = _settle_quality(studio)
    if qualities:
        st.selectbox("Quality", qualities, key=Key.QUALITY, persist_state="session")


def render_pair(studio: Studio) -> None:
    """Draw what makes side A and what makes side B, one below the other."""
    state, choices = st.session_state, list(engine_choices(studio))
    if state.get(Key.ENGINE_B) not in choices:
        first = state.get(Key.ENGINE, choices[0])
        state[Key.ENGINE_B] = next((each for each in choices if each != first), first)
    qualities = _settle_quality(studio)
    engine, model = second_engine(studio)
    qualities_b = engine.qualities(model)
    if state.get(Key.QUALITY_B) not in qualities_b:
        state[Key.QUALITY_B] = _quality_beside(qualities_b, is_same=(engine, model) == chosen_engine(studio))
    _side("A", choices, Key.ENGINE, qualities, Key.QUALITY)
    _side("B", choices, Key.ENGINE_B, qualities_b, Key.QUALITY_B)
    if len(choices) == 1 and len(qualities) < 2:
        st.caption("There is one image model here, and it has one quality: nothing to compare it with.")


def _side(letter: LiteralString, choices: list[str], engine: Key, qualities: tuple[str, ...], quality: Key) -> None:
    """One side's image model and quality in a row; the server's name stands where there are several."""
    _say_anew(engine, choices)
    servers = {choice.partition(" · ")[0] for choice in choices if " · " in choice}
    with row(gap="xsmall", key=f"made-by-{letter}"):
        st.markdown(fill(":small[**{}**]", letter), width="content")
        st.selectbox(
            fill("Engine {}", letter),
            choices,
            format_func=lambda choice: choice if len(servers) > 1 else choice.rpartition(" · ")[2],
            key=engine,
            label_visibility="collapsed",
            persist_state="session",
        )
        if qualities:
            st.selectbox(
                fill("Quality {}", letter),
                qualities,
                key=quality,
                label_visibility="collapsed",
                width=96,
                persist_state="session",
            )


def _say_anew(engine: Key, choices: list[str]) -> None:
    """Have the browser show a choice in the words of where it is drawn: it keeps those of where it was drawn before."""
    if st.session_state.get(engine) in choices:
        st.session_state[engine] = st.session_state[engine]


def _settle_quality(studio: Studio) -> tuple[str, ...]:
    """The qualities of the first engine's model, one of which is chosen from now on."""
    engine, model = chosen_engine(studio)
    qualities = engine.qualities(model)
    if st.session_state.get(Key.QUALITY) not in qualities:
        st.session_state[Key.QUALITY] = _USUAL if _USUAL in qualities else next(iter(qualities), None)
    return qualities


def _quality_beside(qualities: tuple[str, ...], *, is_same: bool) -> str | None:
    """What B is made in until somebody says: A's quality, but another one where the image model is the same."""
    first = st.session_state.get(Key.QUALITY)
    if is_same:
        return next((each for each in reversed(qualities) if each not in (first, "auto")), first)
    usual = (first, _USUAL, *qualities)
    return next((each for each in usual if each in qualities), None)


def is_model_varied() -> bool:
    """Whether each side has an image model and a quality of its own."""
    return st.session_state.get(Key.MODE) == Mode.COMPARE and varies() is Varies.MODEL


def second_engine(studio: Studio) -> tuple[Engine, str]:
    """The engine and model that are picked for side B; the first side's until the fields have been drawn."""
    return engine_choices(studio).get(st.session_state.get(Key.ENGINE_B) or "", chosen_engine(studio))


def render_settings(studio: Studio) -> RenderSettings:
    """What the sides are made with, besides prompt and references: side A where the image model is varied."""
    return _settings(*chosen_engine(studio), Key.QUALITY)


def second_render(studio: Studio) -> RenderSettings | None:
    """What side B is made with, where the image model is varied."""
    return _settings(*second_engine(studio), Key.QUALITY_B) if is_model_varied() else None


def _settings(engine: Engine, model: str, quality_key: Key) -> RenderSettings:
    quality = st.session_state.get(quality_key) if engine.qualities(model) else None
    return RenderSettings(engine=engine.name, model=model, size=chosen_size(), quality=quality or "auto")


def renders_by_side(studio: Studio) -> dict[SideName, RenderSettings]:
    """How each side of a comparison of image models is made."""
    first = render_settings(studio)
    return {SideName.A: first, SideName.B: second_render(studio) or first}
