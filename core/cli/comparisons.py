"""`python -m core inject` and `generate`: a plan, and a comparison made from one."""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer

from core.cli.workbench import open_workbench, print_json
from core.errors import EngineError, EngineFault, InputError, legible
from core.generation.engines.engine import Engine, engine_named
from core.generation.planning import Planned
from core.generation.records.attempt_status import ComparisonStatus
from core.generation.records.comparison import TAKES_MAX, RenderSettings, SideRecord, Size
from core.generation.records.outcome import OutcomeState
from core.injection.reading.reader import Reading
from core.injection.request.fairness import Difference
from core.injection.request.wishes import SEED_MAX, Ages, Mode, PersonWish, Strength, Varies, Wishes, check_prompt
from core.labels.published.schema import Gender
from core.references.vocabulary import Role, TagKind, Vocabulary
from core.settings import load_settings
from core.studio import Studio
from core.viewer import PersonRole, Viewer

OPERATOR = "operator@localhost"
CHANCE = "chance"
DEFAULT_ENGINE = "preview"


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What a person typed, before it is understood. What is annotated is an option of every command that plans."""

    prompt: str = ""
    mode: Annotated[str, typer.Option("--mode", help="tone-only, tone-angle or compare.")] = "compare"
    tone: Annotated[str | None, typer.Option("--tone", help="A tone's id or alias, or `chance`.")] = None
    angle: Annotated[str | None, typer.Option("--angle", help="An angle's id or alias.")] = None
    folder: Annotated[str | None, typer.Option("--folder", help="The model folder, as in S3.")] = None
    seed: Annotated[int | None, typer.Option("--seed", help="The seed of every draw; random without it.")] = None
    age: Annotated[str | None, typer.Option("--age", help="A range like 25-34.")] = None
    gender: Annotated[str | None, typer.Option("--gender", help="feminine or masculine.")] = None
    person: Annotated[str, typer.Option("--person", help="yes, no or auto (from the prompt).")] = "auto"
    varies: Annotated[str, typer.Option("--varies", help="angle, model, tone-way or strength.")] = "angle"
    balance: Annotated[
        bool, typer.Option("--balance/--no-balance", help="Equally many person references of one person on both sides.")
    ] = True
    takes: Annotated[int, typer.Option("--takes", min=1, max=TAKES_MAX, help="Pictures of each side.")] = 1
    model_b: Annotated[str | None, typer.Option("--model-b", help="The image model of side B.")] = None
    quality_b: Annotated[str | None, typer.Option("--quality-b", help="The quality of side B.")] = None
    strength_b: Annotated[
        str | None,
        typer.Option("--strength-b", help="How B follows the tone (hint, normal, strong, exact), or `angle=exact`."),
    ] = None


def with_plan_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with a plan's options in the place of its parameter `options`, which gets them as PlanOptions."""
    fields = inspect.signature(PlanOptions, eval_str=True).parameters.values()
    planned = [field for field in fields if get_origin(field.annotation) is Annotated]
    signature = inspect.signature(command, eval_str=True)
    groups = [planned if own.name == "options" else [own] for own in signature.parameters.values()]

    @wraps(command)
    def run(**typed: Any) -> None:
        command(options=PlanOptions(**{field.name: typed.pop(field.name) for field in planned}), **typed)

    shown = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for group in groups for each in group]
    run.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]  # what typer reads
    return run


def inject(options: PlanOptions, *, as_json: bool) -> None:
    """Print what would go in; nothing is recorded. It is judged as `generate` would make it by default."""
    check_prompt(options.prompt)
    with open_workbench(load_settings()) as studio:
        engine = engine_named(studio.engines, DEFAULT_ENGINE)
        planned = _plan(studio, options, RenderSettings(engine=engine.name, model=engine.models[0]))
    if as_json:
        print_json(plan_report(planned))
    else:
        print(plan_text(planned))


def generate(options: PlanOptions, *, engine: str, size: str, out: Path, as_json: bool) -> None:
    """Make the comparison, write each picture to `out` (`<side>.png`, `<side>-2.png` …), and print the record."""
    check_prompt(options.prompt)
    width, height = parse_size(size)
    _make_folder(out)
    with open_workbench(load_settings()) as studio:
        chosen = engine_named(studio.engines, engine)
        render = RenderSettings(engine=engine, model=chosen.models[0], size=Size(width=width, height=height))
        planned = _plan(studio, options, render)
        operator, render_b = Viewer(OPERATOR, PersonRole.OPS), second_render(studio.engines, options, render)
        comparison = studio.orders.order(planned, render, operator, render_b=render_b, takes=options.takes)
        status = studio.runner.wait(comparison.id)
        for side in status.sides:
            if side.picture is not None:
                _write(out / side.place.file_name, studio.store.get(side.picture.key).data)
    if as_json:
        print_json(status_report(status))
    else:
        for side in status.sides:
            print(f"{side.place.name}: {side.phase.value}")
    failures = [outcome for side in status.sides if (outcome := side.latest) and outcome.failure]
    if failures:
        first = failures[0].failure
        raise EngineError("{}", first.message if first else "", kind=EngineFault.UNAVAILABLE)


def wishes_of(options: PlanOptions, vocabulary: Vocabulary) -> Wishes:
    """Understand the options. Raises InputError with what is wrong and what is possible."""
    by_chance = options.tone == CHANCE
    seed = secrets.randbelow(SEED_MAX) if options.seed is None else options.seed
    varies = _choice(Varies, options.varies, "factor")
    if not 0 <= seed <= SEED_MAX:
        raise InputError("The seed {} cannot be used: choose one from 0 to {}.", seed, SEED_MAX)
    return Wishes(
        prompt=options.prompt,
        mode=_choice(Mode, options.mode, "mode"),
        tone=vocabulary.tag(TagKind.TONE, options.tone) if options.tone and not by_chance else None,
        tone_by_chance=by_chance,
        angle=vocabulary.tag(TagKind.ANGLE, options.angle) if options.angle else None,
        folder=options.folder or None,
        person=_choice(PersonWish, options.person, "person"),
        gender=_choice(Gender, options.gender, "gender") if options.gender else None,
        ages=parse_ages(options.age) if options.age else None,
        seed=seed,
        varies=varies,
        balanced=options.balance,
        strengths_b=_strengths_b(options, varies),
    )


def second_render(engines: Mapping[str, Engine], options: PlanOptions, render: RenderSettings) -> RenderSettings | None:
    """What side B is made with where the model varies; None where nothing else was asked for.

    Raises InputError for a model that no engine has, or a quality that its model has not.
    """
    if options.model_b is None and options.quality_b is None:
        return None
    if _choice(Varies, options.varies, "factor") is not Varies.MODEL:
        raise InputError("--model-b and --quality-b are what side B is made with: they need `--varies model`.")
    models = {model: name for name, engine in engines.items() for model in engine.models}
    model = options.model_b or render.model
    if model not in models:
        raise InputError("No engine here has the image model “{}”: choose one of {}.", model, ", ".join(models))
    engine = engines[render.engine if model in engines[render.engine].models else models[model]]
    quality, qualities = options.quality_b or render.quality, engine.qualities(model)
    if options.quality_b is not None and quality not in qualities:
        possible = ", ".join(qualities) or "none"
        raise InputError("{} has no quality “{}”: it has {}.", model, quality, possible)
    return render.model_copy(update={"engine": engine.name, "model": model, "quality": quality})


def parse_strength_b(text: str) -> dict[str, Strength]:
    """Read `strong`, which is the tone's, or `angle=exact`. Raises InputError."""
    slot_id, _, strength = text.rpartition("=")
    slot_id = slot_id.strip().lower() or Role.TONE.value
    if slot_id not in (Role.TONE.value, Role.ANGLE.value):
        raise InputError("The strength of “{}” cannot vary: write it like `tone=strong` or `angle=exact`.", slot_id)
    return {slot_id: _choice(Strength, strength, "strength")}


def _strengths_b(options: PlanOptions, varies: Varies) -> dict[str, Strength]:
    if options.strength_b is None:
        return {}
    if varies is not Varies.STRENGTH:
        raise InputError("--strength-b is how side B follows its reference: it needs `--varies strength`.")
    return parse_strength_b(options.strength_b)


def parse_ages(text: str) -> Ages:
    """Read `25-34` or `30`. Raises InputError."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*(?:[-–]\s*(\d{1,3}))?\s*", text)
    if match is None:
        raise InputError("The age `{}` cannot be used: write a range like 25-34, or one age.", text)
    return Ages(int(match[1]), int(match[2] or match[1]))


def parse_size(text: str) -> tuple[int, int]:
    """Read `1024x1280`. Raises InputError."""
    match = re.fullmatch(r"(\d{2,4})\s*[x×]\s*(\d{2,4})", text.strip().lower())
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(64 <= side <= 4096 for side in sides):
        raise InputError("The size `{}` cannot be used: write it like 1024x1280, each side from 64 to 4096.", text)
    return sides


def plan_report(planned: Planned) -> dict[str, Any]:
    """A plan as JSON data; its shape is part of the command's contract."""
    fairness, wishes = planned.injection.fairness, planned.injection.wishes
    return {
        "varies": wishes.varies.value if fairness else None,
        "balanced": wishes.balanced if fairness else None,
        "reading": reading_report(planned.injection.reading),
        "controlled": fairness.controlled if fairness else None,
        "differences": [_difference_report(difference) for difference in fairness.differences] if fairness else [],
        "sides": [_side_report(side) for side in planned.sides],
    }


def _difference_report(difference: Difference) -> dict[str, Any]:
    """One difference; `mend` is the sentence of the one change that does away with it, or null."""
    return {
        "what": difference.what,
        "says": difference.says,
        "mend": difference.mend.says if difference.mend else None,
    }


def plan_text(planned: Planned) -> str:
    """A plan for people."""
    lines = []
    for side in planned.sides:
        lines.append(side.side.heading)
        for slot in side.slots:
            lines += [f"  {slot.role.value:<6} {legible(slot.key or 'empty')}", f"         {legible(slot.why)}"]
    fairness = planned.injection.fairness
    if fairness:
        lines.append("controlled: yes" if fairness.controlled else "controlled: no")
        wishes = planned.injection.wishes
        if wishes.varies is not Varies.ANGLE:
            lines.append(f"varies: {wishes.varies.value}")
        elif not wishes.balanced:
            lines.append("balanced: no, as each mode alone")
        for difference in fairness.differences:
            mend = f" ({difference.mend.says})" if difference.mend else ""
            lines.append(f"  {legible(difference.says)}{legible(mend)}")
    return "\n".join(lines)


def reading_report(reading: Reading) -> dict[str, Any]:
    """What was read from the prompt; null where nothing is said."""
    return {name: getattr(reading, name) for name in ("person", "gender", "age_low", "age_high", "tone", "angle")}


def status_report(status: ComparisonStatus) -> dict[str, Any]:
    """A comparison's record with the outcomes of its sides, as JSON data."""
    record: dict[str, Any] = status.comparison.model_dump(mode="json")
    record["outcomes"] = [outcome.model_dump(mode="json") for side in status.sides for outcome in side.outcomes]
    record["state"] = {
        side.place.name: "done" if (o := side.latest) and o.state is OutcomeState.DONE else side.phase.value
        for side in status.sides
    }
    return record


def _side_report(side: SideRecord) -> dict[str, Any]:
    return {
        "side": side.side.value,
        "slots": [
            {
                "role": slot.role.value,
                "key": slot.key,
                "group": slot.group,
                "wished": slot.wished,
                "wished_from": slot.wished_from,
                "why": slot.why,
                "steps": [{"step": step.step, "left": step.left} for step in slot.steps],
            }
            for slot in side.slots
        ],
        "prompt": side.prompt,
    }


def _plan(studio: Studio, options: PlanOptions, render: RenderSettings) -> Planned:
    wishes = wishes_of(options, studio.vocabulary)
    render_b = second_render(studio.engines, options, render)
    studio.catalog.refresh()
    return studio.planner.plan(wishes, render=render, render_b=render_b)


def _choice(kind: type[Any], text: str, name: str) -> Any:
    try:
        return kind(text.strip().lower())
    except ValueError as err:
        raise InputError("`{}` is no {}: choose {}.", text, name, ", ".join(member.value for member in kind)) from err


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as err:
        raise InputError("The picture `{}` cannot be written: {}.", file, err.strerror) from err


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise InputError("The folder `{}` cannot be made: {}.", out, err.strerror) from err
