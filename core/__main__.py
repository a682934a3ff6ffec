"""`python -m core …` for operators."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from core.cli import comparisons, history, library, plan_diffs, prompts, spending
from core.cli.checks import check as check_command
from core.cli.failures import Commands, run
from core.errors import InputError
from core.logs.logs import configure_logs
from core.settings import Profile

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The studio dashboard's commands for operators.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

history_app = typer.Typer(pretty_exceptions_enable=False, help="What operators do to the history.")
app.add_typer(history_app, name="history")
labels_app = typer.Typer(pretty_exceptions_enable=False, help="How good the labels are, and publishing them.")
app.add_typer(labels_app, name="labels")

votes_app = typer.Typer(pretty_exceptions_enable=False, help="What people have voted.")
app.add_typer(votes_app, name="votes")


@app.callback()
def main() -> None:
    """Operate the studio dashboard."""
    configure_logs(logging.WARNING)  # standard error is for the one sentence that says what went wrong


@app.command()
def check(
    profile: Annotated[
        Profile | None, typer.Option("--profile", help="What has to serve; anything else is a failure.")
    ] = None,
) -> None:
    """Say what is configured, reachable and missing, and what would serve."""
    check_command.check(profile)


@app.command()
def index(
    as_json: Json = False,
    check: Annotated[
        bool, typer.Option("--check", help="Open every picture that nobody has opened yet, and list what cannot be.")
    ] = False,
) -> None:
    """List the reference library straight from S3."""
    library.index(as_json, check=check)


@app.command()
@comparisons.with_plan_options
def inject(
    *,
    prompt: Annotated[str | None, typer.Option("--prompt", help="What the picture shows.")] = None,
    options: comparisons.PlanOptions,
    as_json: Json = False,
    replay_history: Annotated[
        bool, typer.Option("--replay-history", help="Say which past comparisons would pick differently now.")
    ] = False,
    last: Annotated[int, typer.Option("--last", min=1, help="How many past comparisons.")] = 20,
) -> None:
    """Show which references would go in, and why; or what would change in past comparisons."""
    if replay_history:
        plan_diffs.replay_history(last, as_json=as_json)
        return
    if prompt is None:
        raise InputError("--prompt is missing: say what the picture shows.")
    comparisons.inject(replace(options, prompt=prompt), as_json=as_json)


@app.command()
def read(
    file: Annotated[str, typer.Argument(help="JSON lines with id and prompt; - for standard input.")],
    as_json: Json = False,  # noqa: ARG001 - the only form there is; named so that scripts may ask for it
) -> None:
    """Say what prompts ask for, one JSON line each."""
    prompts.read(file)


@app.command()
def spend(
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days, today included.")] = 7,
    as_json: Json = False,
) -> None:
    """Say who spent what, by day and mode."""
    spending.spend(days, as_json=as_json)


@app.command()
def insights(
    votes: Annotated[
        str | None, typer.Option("--votes", help="A file of votes as JSON lines instead of S3; - for standard input.")
    ] = None,
    varies: Annotated[
        str, typer.Option("--varies", help="What differs: angle, model, tone-way or strength.")
    ] = "angle",
    since: Annotated[str | None, typer.Option("--from", help="The first day that counts (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The last day that counts (UTC).")] = None,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Count votes of people who had seen the sides named.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which side people prefer, how surely, and what is still missing."""
    from core.cli import insights as command  # it brings numpy

    command.insights(votes, command.Asked(varies, since, until, include_seen), as_json=as_json)


@app.command()
@comparisons.with_plan_options
def generate(
    *,
    prompt: Annotated[str, typer.Option("--prompt", help="What the picture shows, in English or Korean.")],
    out: Annotated[Path, typer.Option("--out", help="Where the pictures are written.")],
    options: comparisons.PlanOptions,
    engine: Annotated[
        str, typer.Option("--engine", help="Which engine makes the pictures.")
    ] = comparisons.DEFAULT_ENGINE,
    size: Annotated[str, typer.Option("--size", help="Width x height in pixels.")] = "1024x1280",
    as_json: Json = False,
) -> None:
    """Make a comparison and write its pictures to a folder."""
    comparisons.generate(replace(options, prompt=prompt), engine=engine, size=size, out=out, as_json=as_json)


@history_app.command()
def backfill(
    file: Annotated[Path, typer.Argument(help="Older records: JSON lines, or CSV if it ends with .csv.")],
    apply: Annotated[bool, typer.Option("--apply", help="Write the linked records; without it nothing is.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="A file for the outcome of every record.")] = None,
    as_json: Json = False,
) -> None:
    """Take older records into the history, each pointing to the S3 keys that it means."""
    history.backfill(file, apply=apply, report=report, as_json=as_json)


@app.command()
def label(
    folder: Annotated[
        str | None, typer.Option("--folder", help="A folder in S3; every model folder without it.")
    ] = None,
    shots: Annotated[int, typer.Option("--shots", min=0, help="How many worked examples are shown.")] = 3,
    labeler: Annotated[str, typer.Option("--labeler", help="openai or local.")] = "openai",
    batch: Annotated[bool, typer.Option("--batch", help="Half the price, within a day.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="No more pictures than this.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that was broken off.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say how many and for how much; ask nothing.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=32, help="How many are asked about at once.")] = 4,
    python: Annotated[Path | None, typer.Option("--python", help="A Python that has the local labeler.")] = None,
    as_json: Json = False,
) -> None:
    """Let a machine propose labels for portraits; what has an answer is not asked about again."""
    from core.cli.labels import labeling  # it brings OpenAI's SDK, which no other command waits for

    options = labeling.LabelingOptions(folder, shots, labeler, batch, limit, resume, estimate, workers, python)
    labeling.label(options, as_json=as_json)


@votes_app.command()
def export(
    names: Annotated[
        bool, typer.Option("--names", help="Name voters by their addresses, unless they were removed.")
    ] = False,
) -> None:
    """Print every vote that stands, one JSON line each, as `insights --votes` reads them."""
    from core.cli import votes  # it brings numpy

    votes.export(names=names)


@labels_app.command()
def agreement(as_json: Json = False) -> None:
    """Say how often machines say what people decided, with intervals."""
    from core.cli.labels import labels  # it brings numpy

    labels.agreement(as_json=as_json)


@labels_app.command()
def disagreements(as_json: Json = False) -> None:
    """List the portraits whose two reviewers differ, and what a third has decided."""
    from core.cli.labels import labels

    labels.disagreements(as_json=as_json)


@labels_app.command()
def publish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the diff and write nothing.")] = False,
    person: Annotated[str | None, typer.Option("--person", help="What this reviewer said alone.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="The portraits of this group alone.")] = None,
    commit: Annotated[bool, typer.Option("--commit", help="Commit the file to git, with its reviewers.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Push the commit to the branch's upstream.")] = False,
    as_json: Json = False,
) -> None:
    """Fold the reviews into labels/personas.jsonl, after showing the diff; commit and push it if told to."""
    from core.cli.labels import labels

    labels.publish(dry_run=dry_run, commit=commit, push=push, as_json=as_json, person=person, group=group)


@labels_app.command()
def proposals() -> None:
    """Print what machines have proposed, one JSON line each."""
    from core.cli.labels import labels

    labels.proposals()


@labels_app.command()
def queue(as_json: Json = False) -> None:
    """List all portraits by how likely their label is wrong, each with the reasons; with --json one line a portrait."""
    from core.cli.labels import label_queue

    label_queue.queue(as_json=as_json)


@labels_app.command()
def schema() -> None:
    """Print the JSON schema of a published line."""
    from core.cli.labels import labels

    labels.schema()


if __name__ == "__main__":
    run(app)
