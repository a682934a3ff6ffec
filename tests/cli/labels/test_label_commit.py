"""`labels publish --commit --push`: git as an operator has it, with a remote in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.labels.label_commit import LabelCheckout
from core.errors import InputError
from tests.labels.review.checkouts import KEYS, checkout_in, labels, reviewed_bucket
from tests.support.operators_guide import GUIDE, shell_lines
from tests.support.processes.checkouts import GIT, committed, git, shared
from tests.support.processes.commands import fails
from tests.support.processes.programs import ROOT
from tests.support.s3.servers import S3Server, environment

FILE = "labels/personas.jsonl"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of a repository in a folder, with somebody to commit in it."""
    there = checkout_in(tmp_path)
    (there / ".gitignore").write_text((ROOT / ".gitignore").read_text("utf-8"), "utf-8")
    shared(there)
    return named(there)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with nothing in it but a label file that is published and not committed."""
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    there = tmp_path / "small"
    (there / "labels").mkdir(parents=True)
    (there / FILE).write_text("")
    (there / "app.py").write_text("")
    shared(there)
    (there / FILE).write_text('{"key":"refs/x/a.jpg","etag":"e","source":"human","reviewer":"ann@studio.example"}\n')
    return named(there)


def named(checkout: Path) -> Path:
    git(checkout, "config", "user.name", "Studio labels")
    git(checkout, "config", "user.email", "labels@studio.example")
    return checkout


def newer_remote(checkout: Path, file: str, text: str) -> None:
    """What somebody else pushes meanwhile."""
    other = checkout.parent / "other"
    git(checkout.parent, "clone", "--quiet", str(checkout.parent / "remote.git"), str(other))
    (other / file).write_text(text, "utf-8")
    committed(other, "Something new")
    git(other, "push", "--quiet")


def in_remote(checkout: Path) -> str:
    return git(checkout, "ls-remote", "origin", "main").split()[0]


def test_what_is_published_is_committed_with_its_reviewers_and_pushed(moto: S3Server, checkout: Path) -> None:
    """Then there is nothing left to do, and a remote that has moved on is told of with what to do, and nothing lost."""
    bucket = reviewed_bucket(moto)
    settings = environment(bucket, **GIT)
    done = labels(checkout, "publish", "--commit", "--push", "--json", environ=settings)
    assert (done.code, done.err) == (0, "")
    assert (done.json["written"], done.json["pushed"]) == (True, True)
    assert done.json["commit"] == in_remote(checkout) == git(checkout, "rev-parse", "HEAD").strip()
    assert git(checkout, "show", "--name-only", "--format=%an <%ae>").split("\n\n") == [
        "Studio labels <labels@studio.example>",
        f"{FILE}\n",
    ]
    subject, counts, reviewers = git(checkout, "log", "-1", "--format=%B").strip().split("\n\n")
    assert subject == f"Publish labels, version {done.json['version']}"
    assert counts.startswith("1 correction, 2 acceptances.")
    assert reviewers.startswith("Reviewed-by: ")
    assert "ops@" in reviewers
    told = json.loads(bucket.store().get("studio/labels/publication.json").data)
    assert git(checkout, "log", "-1", "--format=%B").strip() == told["message"].strip()

    again = labels(checkout, "publish", "--commit", "--push", environ=settings)
    assert (again.code, again.err) == (0, "")
    assert again.out == "There is nothing to publish. There is nothing to commit. The remote has it.\n"

    newer_remote(checkout, "CHANGELOG.md", "Newer.\n")
    (checkout / FILE).write_text((checkout / FILE).read_text() + '{"key":"refs/z.jpg","etag":"z","source":"nominal"}\n')
    refused = labels(checkout, "publish", "--commit", "--push", environ=settings)
    assert "origin/main has newer ones, so it was not pushed: `git fetch`, `git rebase`" in fails(refused, 2)
    assert "Committed as" in refused.out
    git(checkout, "fetch", "--quiet")
    git(checkout, "rebase", "--quiet")
    assert labels(checkout, "publish", "--commit", "--push", environ=settings).code == 0
    assert git(checkout, "show", f"origin/main:{FILE}") == (checkout / FILE).read_text()
    assert KEYS[0] in (checkout / FILE).read_text()


def test_the_guides_upgrade_brings_two_machines_together_that_both_published(moto: S3Server, tmp_path: Path) -> None:
    """What the guide says of a rebase that stops: their file is taken, and the reviews in S3 make the rest anew."""
    bucket = reviewed_bucket(moto)
    settings = environment(bucket, **GIT)
    here = checkout_in(tmp_path / "here")
    (here / ".gitignore").write_text((ROOT / ".gitignore").read_text("utf-8"), "utf-8")
    remote = shared(here)
    git(tmp_path, "clone", "--quiet", str(remote), "there")
    there = named(tmp_path / "there")
    assert labels(named(here), "publish", "--commit", "--person", "nobody@studio.example", environ=settings).code == 0
    assert labels(here, "publish", "--commit", environ=settings).code == 0
    (there / FILE).write_bytes(
        (there / FILE).read_bytes().replace(b'"source":"nominal"', b'"source":"nominal","hair":"red"')
    )
    committed(there, "Labels of another machine")
    git(there, "push", "--quiet")

    stopped = False
    upgrade = [line.command for line in shell_lines() if line.section == "Upgrade"]
    for line in upgrade:
        if line.startswith("git rebase"):
            with pytest.raises(AssertionError, match=r"CONFLICT .*labels/personas\.jsonl"):
                git(here, *line.split()[1:])
            assert "`git rebase --skip` takes its file" in GUIDE.read_text("utf-8")
            git(here, "rebase", "--skip")
            stopped = True
        elif line.startswith("git "):
            git(here, *line.split()[1:])
        elif "core labels" in line:
            done = labels(here, *line.split("core labels ")[1].split(), environ=settings)
            assert (done.code, done.err) == (0, ""), line
    assert stopped
    assert in_remote(here) == git(here, "rev-parse", "HEAD").strip()
    together = (here / FILE).read_text("utf-8")
    assert "red" in together, "what the other machine published"
    assert [key for key in (KEYS[0], KEYS[3], KEYS[5]) if key not in together] == []


def test_who_cannot_commit_publishes_nothing(moto: S3Server, checkout: Path) -> None:
    bucket = reviewed_bucket(moto)
    before = (checkout / FILE).read_bytes()
    git(checkout, "config", "--unset", "user.email")
    for words, says in (
        (["--commit"], "git has no name for who commits here"),
        (["--push"], "--push pushes the commit that --commit makes"),
        (["--commit", "--dry-run"], "--dry-run writes nothing that could be committed"),
    ):
        assert says in fails(labels(checkout, "publish", *words, environ=environment(bucket, **GIT)), 2)
    assert (checkout / FILE).read_bytes() == before
    assert not list(bucket.store().list("studio/labels/publication.json"))


class TestRefusals:
    """Each before anything is written, with what to do."""

    def test_without_git(self, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(small))
        with pytest.raises(InputError, match="git is missing here: install it"):
            LabelCheckout(small / FILE)

    def test_outside_a_checkout(self, small: Path) -> None:
        (small / ".git").rename(small.parent / "away")
        with pytest.raises(InputError, match="is in no git checkout that can be used: fatal: not a git repository"):
            LabelCheckout(small / FILE)

    def test_beside_other_changes_which_are_named(self, small: Path) -> None:
        (small / "app.py").write_text("# mended by hand\n")
        (small / "studio.env").write_text("not in git, and nobody's business\n")
        with pytest.raises(InputError, match=r"changed too: app\.py\. Commit or restore them first"):
            LabelCheckout(small / FILE).require_ready(push=False)

    def test_by_nobody(self, small: Path) -> None:
        git(small, "config", "--unset", "user.name")
        with pytest.raises(InputError, match="git has no name for who commits here"):
            LabelCheckout(small / FILE).require_ready(push=False)

    def test_on_no_branch(self, small: Path) -> None:
        git(small, "checkout", "--quiet", "--detach")
        with pytest.raises(InputError, match="No branch is checked out"):
            LabelCheckout(small / FILE).require_ready(push=False)

    def test_with_nowhere_to_push_to(self, small: Path) -> None:
        git(small, "branch", "--unset-upstream")
        LabelCheckout(small / FILE).require_ready(push=False)
        with pytest.raises(InputError, match="git push --set-upstream"):
            LabelCheckout(small / FILE).require_ready(push=True)

    def test_in_the_middle_of_something(self, small: Path) -> None:
        (small / ".git" / "MERGE_HEAD").write_text("x")
        with pytest.raises(InputError, match=r"in the middle of something \(MERGE_HEAD\)"):
            LabelCheckout(small / FILE).require_ready(push=False)

    def test_a_hook_that_says_no_is_quoted(self, small: Path) -> None:
        hook = small / ".git" / "hooks" / "pre-commit"
        hook.write_text("#!/bin/sh\necho 'error: not on a Friday' >&2\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(InputError, match=r"personas\.jsonl cannot be committed: error: not on a Friday\."):
            LabelCheckout(small / FILE).commit(None)

    def test_a_remote_that_is_gone_is_quoted_and_the_commit_stays(self, small: Path) -> None:
        (small.parent / "remote.git").rename(small.parent / "gone")
        checkout = LabelCheckout(small / FILE)
        made = checkout.commit(None)
        with pytest.raises(InputError, match=r"was not pushed to origin/main: fatal: .*Mend that, then run this again"):
            checkout.push()
        assert git(small, "rev-parse", "HEAD").strip() == made


def test_a_file_waits_for_its_commit_and_then_for_its_push(small: Path) -> None:
    """Also on a machine whose labels were published by the page."""
    checkout = LabelCheckout(small / FILE)
    assert checkout.waits_for() == "committed"
    checkout.commit(None)
    assert checkout.waits_for() == "pushed"
    checkout.push()
    assert checkout.waits_for() is None
    assert git(small, "log", "-1", "--format=%(trailers:key=Reviewed-by,valueonly)").strip() == "ann@studio.example"
    assert git(small, "log", "-1", "--format=%b").startswith("0 changed, 1 added, 0 found right.\n")
    assert checkout.commit(None) is None


def test_nothing_else_goes_along(small: Path) -> None:
    (small / "new.py").write_text("")
    git(small, "add", "new.py")
    LabelCheckout(small / FILE).commit(None)
    assert git(small, "show", "--name-only", "--format=").split() == [FILE]
    assert git(small, "status", "--porcelain").split() == ["A", "new.py"]
