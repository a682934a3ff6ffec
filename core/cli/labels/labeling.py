"""`python -m core label`: machines propose labels for the portraits in S3."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.cli.failures import EXIT_ENGINE, say
from core.cli.workbench import open_workbench, print_json
from core.errors import ConfigError, InputError
from core.labels.machine.batch_records import BatchRecords
from core.labels.machine.instructions import Instructions
from core.labels.machine.labeler import Labeler, LabelerSpec
from core.labels.machine.labeling import LabelingRun, Run, RunCounts, Runs, Sitter, sitters_in
from core.labels.machine.local_labeler import LocalLabeler, find_python
from core.labels.machine.openai_batch import OpenAIBatches
from core.labels.machine.openai_labeler import OpenAILabeler
from core.labels.machine.openai_question import Question
from core.openai.client import Endpoint
from core.settings import PROJECT_ROOT, load_settings
from core.studio import Studio, openai_endpoint, the_instructions

LOCAL_ENVIRONMENT = PROJECT_ROOT / ".venv-local-labels"
_LINE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class LabelingOptions:
    """What the operator asked for."""

    folder: str | None
    shots: int
    labeler: str
    batch: bool
    limit: int | None
    resume: bool
    estimate: bool
    workers: int
    python: Path | None


@dataclass(frozen=True, slots=True)
class _LabelingPlan:
    """What is to be asked about, and what need not be."""

    found: int
    already: int
    sitters: list[Sitter]
    run: Run | None


def label(options: LabelingOptions, *, as_json: bool) -> None:
    """Label what has no answer of this labeler yet; with `estimate` only say what that would take."""
    if options.labeler not in ("openai", "local"):
        raise InputError("There is no labeler `{}`: choose openai or local.", options.labeler)
    if options.batch and options.labeler != "openai":
        raise InputError("--batch is OpenAI's: leave it out with --labeler local.")
    with open_workbench(load_settings()) as studio:
        instructions = the_instructions()
        if options.labeler == "local":
            with closing(LocalLabeler(find_python(options.python, LOCAL_ENVIRONMENT))) as local:
                _one_by_one(studio, local, options, as_json=as_json)
            return
        question = Question(
            instructions,
            studio.vocabulary,
            model=studio.settings.openai_label_model,
            shots=options.shots,
            server=Endpoint("", studio.settings.openai_base_url).server,
        )
        if options.estimate:
            _estimate(studio, instructions, question.spec, options, as_json=as_json)
            return
        if not studio.settings.openai_api_key:
            raise ConfigError(
                "OPENAI_API_KEY is missing: set it, or label offline with --labeler local.", setting="OPENAI_API_KEY"
            )
        endpoint = openai_endpoint(studio.settings)
        if options.batch:
            _in_batches(studio, question, endpoint, options, as_json=as_json)
        else:
            _one_by_one(studio, OpenAILabeler(endpoint, question), options, as_json=as_json)


def _plan(studio: Studio, spec: LabelerSpec, options: LabelingOptions) -> _LabelingPlan:
    """The run's pictures without those that were answered, or that a batch is away with."""
    answered = studio.proposals.has(spec)
    if options.resume:
        run = studio.runs.unfinished(spec, options.folder)
        left = [sitter for sitter in run.sitters if sitter.etag not in answered]
        return _LabelingPlan(len(run.sitters), len(run.sitters) - len(left), left, run)
    found = sitters_in(studio.catalog.refresh(), options.folder)
    answered |= _away(_batch_records(studio, spec))
    left = [sitter for sitter in found if sitter.etag not in answered]
    return _LabelingPlan(len(found), len(found) - len(left), left[: options.limit], None)


def _batch_records(studio: Studio, spec: LabelerSpec) -> BatchRecords:
    return BatchRecords(studio.store, app_prefix=studio.settings.s3_app_prefix, labeler=spec.slug)


def _away(records: BatchRecords) -> set[str]:
    """The etags of the pictures that a batch is away with."""
    return {sitter.etag for record, _ in records.list_open() for sitter in record.sitters}


def _one_by_one(studio: Studio, labeler: Labeler, options: LabelingOptions, *, as_json: bool) -> None:
    spec = labeler.spec
    planned = _plan(studio, spec, options)
    if options.estimate:
        _print_estimate(planned, spec, None, 0.0, as_json=as_json)
        return
    run = planned.run or studio.runs.begin(spec, planned.sitters, folder=options.folder or "")
    with _progress(len(planned.sitters), quiet=as_json) as progress:
        work = LabelingRun(studio.store, studio.proposals, labeler, run, workers=options.workers)
        counts = work.go(planned.sitters, progress)
    _end(studio.runs, run, counts, planned, spec, as_json=as_json)


def _in_batches(
    studio: Studio, question: Question, endpoint: Endpoint, options: LabelingOptions, *, as_json: bool
) -> None:
    spec = question.spec
    records = _batch_records(studio, spec)
    batches = OpenAIBatches(endpoint, question, studio.store, studio.proposals, records)
    with closing(batches):
        batches.drop_unsent()
        away = _away(records)
        planned = _plan(studio, spec, options)
        sitters = [sitter for sitter in planned.sitters if sitter.etag not in away]
        run = planned.run or studio.runs.begin(spec, sitters, folder=options.folder or "")
        counts = RunCounts(len(sitters) + len(away))
        batches.send(sitters, run=run.id, counts=counts)
        batches.collect(counts, lambda _, said: None if as_json else print(said, flush=True))
    _end(studio.runs, run, counts, planned, spec, as_json=as_json)


def _end(runs: Runs, run: Run, counts: RunCounts, planned: _LabelingPlan, spec: LabelerSpec, *, as_json: bool) -> None:
    """Print what became of the pictures; exit code 4 while some have no answer."""
    left = counts.unanswered.total()
    if not left:
        runs.finish(run)
    if as_json:
        print_json(
            {
                "run": run.id,
                "labeler": spec.slug,
                "found": planned.found,
                "already": planned.already,
                "labelled": counts.labelled,
                "problems": {problem.value: count for problem, count in counts.problems.items()},
                "gone": counts.gone,
                "unanswered": left,
                "usd": None if counts.usd is None else round(counts.usd, 4),
            }
        )
    else:
        print(_summary(counts, planned))
    if left:
        reason, _ = counts.unanswered.most_common(1)[0]
        say(f"{left} pictures have no answer ({reason}): run again with --resume to ask about them once more.")
        raise typer.Exit(EXIT_ENGINE)


def _summary(counts: RunCounts, planned: _LabelingPlan) -> str:
    cost = "at an unknown price" if counts.usd is None else f"for ${counts.usd:.4f}"
    parts = [f"{counts.labelled} labelled {cost}", f"{planned.already} were labelled already"]
    parts += [f"{count} with a reason ({problem.value})" for problem, count in sorted(counts.problems.items())]
    if counts.gone:
        parts.append(f"{counts.gone} changed or gone since")
    return ", ".join(parts) + "."


def _estimate(
    studio: Studio, instructions: Instructions, spec: LabelerSpec, options: LabelingOptions, *, as_json: bool
) -> None:
    planned = _plan(studio, spec, options)
    price, tokens = instructions.price_of(spec.model), instructions.input_tokens(spec.model, options.shots)
    usd = None
    if price is not None and tokens is not None:
        usd = len(planned.sitters) * price.usd(tokens, price.output_tokens, batch=options.batch)
    _print_estimate(planned, spec, tokens, usd, as_json=as_json)


def _print_estimate(
    planned: _LabelingPlan, spec: LabelerSpec, tokens: int | None, usd: float | None, *, as_json: bool
) -> None:
    if as_json:
        print_json(
            {
                "labeler": spec.slug,
                "found": planned.found,
                "already": planned.already,
                "to_ask": len(planned.sitters),
                "input_tokens_each": tokens,
                "usd": None if usd is None else round(usd, 4),
            }
        )
        return
    cost = f"an unknown price: labels/labeling.toml does not know {spec.model}" if usd is None else f"about ${usd:.4f}"
    print(
        f"{planned.found} pictures, {planned.already} labelled already or under way: {len(planned.sitters)} to ask "
        f"about, for {cost}. Nothing was asked."
    )


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[RunCounts], None]]:
    """A bar on a terminal; elsewhere a line now and then, so that a log can be read."""
    if quiet:
        yield lambda _tally: None
    elif sys.stdout.isatty():
        columns: tuple[Any, ...] = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[usd]}"))
        with Progress(*columns, TimeRemainingColumn(), console=Console()) as bar:
            task = bar.add_task("", total=total, usd="")
            yield lambda counts: bar.update(task, completed=counts.done, usd=_cost(counts))
    else:
        yield _Lines()


class _Lines:
    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_EVERY_S

    def __call__(self, counts: RunCounts) -> None:
        if time.monotonic() >= self._next:
            self._next += _LINE_EVERY_S
            print(f"{counts.done} of {counts.total} {_cost(counts)}", flush=True)


def _cost(counts: RunCounts) -> str:
    return "" if counts.usd is None else f"${counts.usd:.4f}"
