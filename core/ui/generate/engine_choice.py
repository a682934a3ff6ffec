"""The choice of an engine: every engine with every model, by the words on screen."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.generation.engines.engine import Engine
from core.studio import Studio
from core.ui.frame.state import Key

_PREVIEW: Final = "preview"


def engine_choices(studio: Studio) -> dict[str, tuple[Engine, str]]:
    """Every engine with every model, by the words on screen; the default first."""
    return {
        "Preview, no AI" if name == _PREVIEW else f"OpenAI · {model}": (engine, model)
        for name, engine in studio.engines.items()
        for model in engine.models
    }


def chosen_engine(studio: Studio) -> tuple[Engine, str]:
    """The engine and model that are picked."""
    choices = engine_choices(studio)
    return choices.get(st.session_state.get(Key.ENGINE) or "", next(iter(choices.values())))
