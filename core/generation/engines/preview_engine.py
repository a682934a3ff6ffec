"""The preview engine: no AI, offline; the tone reference's colours laid over the subject picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image, ImageOps

from core.errors import BadImage, EngineError, EngineFault, Overloaded
from core.generation.engines.engine import (
    AttachedReference,
    FinalPicture,
    PartialPicture,
    SideRequest,
    unreadable_error,
)
from core.generation.engines.take_grade import TakeGrade
from core.generation.records.comparison import RenderSettings, Size
from core.generation.records.outcome import Cost
from core.images.decode import decode_picture
from core.images.encode import encode
from core.images.still import neutral_still
from core.images.tone_transfer import transfer
from core.injection.request.wishes import SideName
from core.references.key import file_name
from core.references.vocabulary import Role

_FREE = Cost(usd=0.0)
_PARTIAL_SIDE = 256
# Sides are at most 3840 pixels long, mostly 1536: what a camera has beyond this would be thrown away again.
_SIDE_MAX = 3072


class PreviewEngine:
    """Grades the first model reference, else the angle reference, else a neutral still; further takes a little more."""

    name = "preview"
    models = ("colour-transfer-1",)
    server = None
    previews = True

    def qualities(self, _model: str) -> tuple[str, ...]:
        """None: a colour transfer has no qualities."""
        return ()

    def check(self, _render: RenderSettings, *, references: int, prompt_chars: int) -> None:
        """Any size and prompt will do; a side without a picture to grade fails on its own."""
        del references, prompt_chars

    def estimate(self, _render: RenderSettings, *, references: int) -> float | None:
        """Nothing, whatever is asked."""
        del references
        return 0.0

    def prepare(self, _reference: AttachedReference) -> None:
        """Nothing: what it decodes belongs to one picture."""

    def generate(self, request: SideRequest, cancelled: Callable[[], bool]) -> Iterator[PartialPicture | FinalPicture]:
        """Yield the ungraded subject as a partial, then the graded picture. Raises EngineError."""
        tone = _first(request.references, Role.TONE)
        subject = _first(request.references, Role.MODEL) or _first(request.references, Role.ANGLE)
        if tone is None and subject is None:
            pick = "a tone" if request.side is SideName.TONE_ONLY else "a tone or an angle"
            raise EngineError(
                "There is nothing to preview: pick {}, or ask for a person.", pick, kind=EngineFault.BAD_REQUEST
            )
        content = _fit(subject, request.size)
        yield PartialPicture(_encode_small(content), "image/jpeg", progress=0.3)
        _check(cancelled)
        picture, notes = transfer(content, _decode(tone)) if tone else content, _notes(tone, subject)
        if grade := TakeGrade.of(request.seed, request.take):
            picture, how = grade.laid_over(picture)
            notes += (
                f"Take {request.take} is graded {how}, by the seed: a preview has no chance of its own to differ by.",
            )
        _check(cancelled)
        yield FinalPicture(encode(picture, "PNG", compress_level=1), request.size, _FREE, notes=notes)


def _first(references: tuple[AttachedReference, ...], role: Role) -> AttachedReference | None:
    return next((reference for reference in references if reference.role is role), None)


def _decode(reference: AttachedReference) -> Image.Image:
    try:
        return decode_picture(reference.data, max_side=_SIDE_MAX, decoded_side_min=_SIDE_MAX)
    except (BadImage, Overloaded) as err:
        raise unreadable_error(reference, err) from err


def _fit(subject: AttachedReference | None, size: Size) -> Image.Image:
    if subject is None:
        return neutral_still(size.width, size.height)
    return ImageOps.fit(_decode(subject), (size.width, size.height), Image.Resampling.LANCZOS, centering=(0.5, 0.4))


def _notes(tone: AttachedReference | None, subject: AttachedReference | None) -> tuple[str, ...]:
    """What the card says about how this picture came about."""
    kind = "angle" if subject and subject.role is Role.ANGLE else "person"
    what = f"the {kind} reference {file_name(subject.key)}" if subject else "a neutral grey still"
    if tone is None:
        return (f"Preview, no AI: {what} as it is; no tone reference went in.",)
    return (f"Preview, no AI: the colours of {file_name(tone.key)} laid over {what}.",)


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise EngineError("Cancelled before it was done.", kind=EngineFault.CANCELLED)


def _encode_small(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((_PARTIAL_SIDE, _PARTIAL_SIDE))
    return encode(small, "JPEG", quality=70)
