"""The engine protocol: one side's request in, partial pictures out, then one final picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.errors import BadImage, EngineError, EngineFault, InputError, Overloaded
from core.generation.records.comparison import RenderSettings, Size
from core.generation.records.outcome import Cost
from core.injection.request.wishes import SideName
from core.references.vocabulary import Role


@dataclass(frozen=True, slots=True)
class AttachedReference:
    """A reference picture: its role, its key for messages, its original bytes and their etag."""

    role: Role
    key: str
    data: bytes
    etag: str = ""


@dataclass(frozen=True, slots=True)
class SideRequest:
    """Everything an engine is told. `references` are in slot order, as the prompt numbers them.

    Takes of a side differ in `take` alone, from 1: an image model answers differently by itself each time.
    """

    side: SideName
    prompt: str
    references: tuple[AttachedReference, ...]
    size: Size
    quality: str
    model: str
    seed: int
    deadline_s: float
    take: int = 1
    person_hash: str | None = None  # tells people apart for abuse reports, and names nobody


@dataclass(frozen=True, slots=True)
class PartialPicture:
    """A picture on its way. `progress` runs from 0 to 1."""

    data: bytes
    content_type: str
    progress: float


@dataclass(frozen=True, slots=True)
class FinalPicture:
    """The finished picture: PNG bytes of `size`."""

    data: bytes
    size: Size
    cost: Cost
    request_id: str | None = None
    notes: tuple[str, ...] = ()


def unreadable_error(reference: AttachedReference, err: BadImage | Overloaded) -> EngineError:
    """A reference that is no picture, or one that there is no room for at the moment."""
    if isinstance(err, Overloaded):
        return EngineError("{}", err, kind=EngineFault.UNAVAILABLE, retry_after_s=err.retry_after_s)
    return EngineError(
        "The reference `{}` cannot be read: {} Re-roll or switch off its slot.",
        reference.key,
        err,
        kind=EngineFault.BAD_REQUEST,
    )


class Engine(Protocol):
    """Makes pictures. `cancelled` is asked between steps; a true answer ends the work.

    One that paints a side in the colour of its seed, for nothing:

        class FlatColour:
            name, models, server, previews = "flat", ("flat-1",), None, True

            def qualities(self, model): return ()
            def check(self, render, *, references, prompt_chars): pass
            def estimate(self, render, *, references): return 0.0
            def prepare(self, reference): pass

            def generate(self, request, cancelled):
                png = paint(request.size, request.seed)
                yield PartialPicture(png, "image/png", progress=0.5)
                if cancelled():
                    raise EngineError("Cancelled before it was done.", kind=EngineFault.CANCELLED)
                yield FinalPicture(png, request.size, Cost(usd=0.0))
    """

    @property
    def name(self) -> str:
        """`openai` or `preview`; it goes into every record."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models it can be asked for; the first is the default."""

    @property
    def server(self) -> str | None:
        """Who is asked for pictures, as sentences call them; none where this process makes them."""

    @property
    def previews(self) -> bool:
        """Whether partial pictures come before the final one."""

    def qualities(self, model: str) -> tuple[str, ...]:
        """The qualities a model can be asked for; none where there is nothing to choose."""

    def check(self, render: RenderSettings, *, references: int, prompt_chars: int) -> None:
        """Raise InputError for what the model cannot do, before anything is recorded or sent."""

    def estimate(self, render: RenderSettings, *, references: int) -> float | None:
        """US dollars a side may cost; None when nobody can say, which is not the same as free."""

    def prepare(self, reference: AttachedReference) -> None:
        """Get ready ahead of time what a call will need of a reference. Raises EngineError if it cannot be used."""

    def generate(self, request: SideRequest, cancelled: Callable[[], bool]) -> Iterator[PartialPicture | FinalPicture]:
        """Yield partials, then exactly one FinalPicture. Raises EngineError."""


def engine_named(engines: Mapping[str, Engine], name: str) -> Engine:
    """The engine of this name. Raises InputError, which names those there are."""
    if name not in engines:
        raise InputError("There is no engine `{}` here: choose {}.", name, ", ".join(engines))
    return engines[name]
