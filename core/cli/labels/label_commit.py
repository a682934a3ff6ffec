"""The commit of published labels: git, asked for one file and told of nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

from core.errors import InputError, legible
from core.labels.decisions.reviews import Value, value_in
from core.labels.publication.publisher import Publication
from core.labels.published.label_file import parse_file, version_of
from core.labels.published.schema import Label, LabelField

_GIT_S: Final = 30.0
_PUSH_S: Final = 300.0  # somebody may have to type a passphrase
# Where git keeps what is half done: https://git-scm.com/docs/gitrepository-layout
_UNFINISHED: Final = ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")
_NAMED: Final = 5  # files, in one sentence


@dataclass(frozen=True, slots=True)
class LabelCommit:
    """What became of it: the commit's id, None where the file was committed before, and whether the remote has it."""

    commit: str | None
    pushed: bool


class LabelCheckout:
    """The git checkout that a label file lies in. Every method raises InputError, which says what to do."""

    def __init__(self, file: Path) -> None:
        """Raises InputError where there is no git, or no checkout of this user's."""
        self._file = file
        if shutil.which("git") is None:
            raise InputError("git is missing here: install it, or publish where the repository is.")
        found = self._git("rev-parse", "--show-toplevel", "--absolute-git-dir")
        if found.returncode:
            raise InputError("{} is in no git checkout that can be used: {}", file.parent, _words(found))
        root, folder = found.stdout.splitlines()
        self._root, self._git_dir = Path(root), Path(folder)

    def require_ready(self, *, push: bool) -> None:
        """Raise InputError unless the file can be committed and nothing else would be touched."""
        if unfinished := [name for name in _UNFINISHED if (self._git_dir / name).exists()]:
            raise InputError("git is in the middle of something ({}): finish or abort it first.", unfinished[0])
        if self._git("symbolic-ref", "--quiet", "HEAD").returncode:
            raise InputError("No branch is checked out, so a commit would be lost: `git switch main` first.")
        if others := self._changed_beside():
            shown = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if others[_NAMED:] else "")
            raise InputError(
                "Other files of the checkout are changed too: {}. Commit or restore them first, then publish.", shown
            )
        for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            if self._git("-c", "user.useConfigOnly=true", "var", who).returncode:
                raise InputError(
                    "git has no name for who commits here: `git config user.name` and `git config user.email` say it, "
                    "as docs/operate.md tells under Labels."
                )
        if push and not self._upstream():
            raise InputError("The branch has no upstream to push to: `git push --set-upstream origin main` once.")

    def waits_for(self) -> str | None:
        """What the file still waits for, in a word: `committed`, `pushed`; None for nothing."""
        if self._status():
            return "committed"
        upstream = self._upstream()
        if upstream and self._say("rev-list", "--max-count=1", f"{upstream}..HEAD", "--", str(self._file)):
            return "pushed"
        return None

    def commit(self, newest: Publication | None) -> str | None:
        """Commit the file as it lies there, alone; the commit's id, or None where there is nothing new.

        The message is the newest publication's if that is all there is to commit.
        """
        if not self._status():
            return None
        self._do("{} cannot be committed: {}", "add", "--", str(self._file))
        self._do(
            "{} cannot be committed: {}",
            *("-c", "user.useConfigOnly=true", "commit", "--quiet", "--only", "--file=-", "--", str(self._file)),
            given=self._message(newest),
        )
        return self._say("rev-parse", "HEAD")

    def push(self) -> None:
        """Push the branch to its upstream. Raises InputError for a push that is refused; the commit stays."""
        upstream = self._upstream()
        remote, _, branch = upstream.partition("/")
        done = self._git("push", "--porcelain", remote, f"HEAD:refs/heads/{branch}", patience_s=_PUSH_S)
        if not done.returncode:
            return
        if "[rejected]" in done.stdout:  # https://git-scm.com/docs/git-push#_output
            raise InputError(
                "The commit is made, and {} has newer ones, so it was not pushed: `git fetch`, `git rebase`, as "
                "docs/operate.md says under Upgrade, then run this again.",
                upstream,
            )
        raise InputError(
            "The commit is made and was not pushed to {}: {} Mend that, then run this again.", upstream, _words(done)
        )

    def _message(self, newest: Publication | None) -> str:
        """What has changed since the last commit, and who said so: https://git-scm.com/docs/git-interpret-trailers"""
        committed, data = self._committed(), self._file.read_bytes()
        if (
            newest
            and newest.message
            and [newest.version, newest.earlier[:1]]
            == [
                version_of(data),
                (version_of(committed),),
            ]
        ):
            return newest.message
        before, after = parse_file(committed).labels, parse_file(data).labels
        new = [label for key, label in after.items() if before.get(key) != label]
        added = [label for label in new if label.key not in before]
        same = [label for label in new if label.key in before and _values(label) == _values(before[label.key])]
        counts = f"{len(new) - len(added) - len(same)} changed, {len(added)} added, {len(same)} found right"
        gone = f", {len(before.keys() - after.keys())} removed" if before.keys() - after.keys() else ""
        reviewers = sorted({label.reviewer for label in new if label.reviewer})
        trailers = ["", *(f"Reviewed-by: {legible(person)}" for person in reviewers)] if reviewers else []
        return "\n".join([f"Publish labels, version {version_of(data)}", "", f"{counts}{gone}.", *trailers, ""])

    def _committed(self) -> bytes:
        path = self._file.resolve().relative_to(self._root.resolve()).as_posix()
        return self._git("show", f"HEAD:{path}").stdout.encode()

    def _status(self) -> str:
        return self._say("status", "--porcelain", "--untracked-files=all", "--", str(self._file))

    def _changed_beside(self) -> list[str]:
        """Tracked files that are changed, beside the label file. (`-z`: https://git-scm.com/docs/git-status)"""
        listed = self._git("-c", "status.renames=false", "status", "--porcelain", "-z", "--untracked-files=no").stdout
        own = self._file.resolve()
        paths = [entry[3:] for entry in listed.split("\0") if entry]
        return [path for path in paths if (self._root / path).resolve() != own]

    def _upstream(self) -> str:
        found = self._git("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
        return "" if found.returncode else found.stdout.strip()

    def _say(self, *words: str) -> str:
        return self._git(*words).stdout.strip()

    def _do(self, complaint: LiteralString, *words: str, given: str = "") -> None:
        done = self._git(*words, given=given)
        if done.returncode:
            raise InputError(complaint, self._file.name, _words(done))

    def _git(self, *words: str, given: str = "", patience_s: float = _GIT_S) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(self._file.parent), *words]
        try:
            return subprocess.run(  # noqa: S603 - our own words, and paths of this checkout
                command,
                env={**os.environ, "LC_ALL": "C"},
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            raise InputError("git {} did not end within {:.0f} s: try it by hand.", words[0], patience_s) from err


def waits_for(file: Path) -> str | None:
    """What a label file still waits for: see `LabelCheckout.waits_for`. Raises InputError."""
    return LabelCheckout(file).waits_for()


def _values(label: Label) -> list[Value]:
    return [value_in(label, field) for field in LabelField]


def _words(done: subprocess.CompletedProcess[str]) -> str:
    """The line of git's complaint that says most."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    said = (telling or lines or [f"git ended with {done.returncode}"])[0]
    return said if said.endswith((".", "!", "?")) else f"{said}."
