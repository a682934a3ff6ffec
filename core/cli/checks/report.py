"""The report of `check`: a line for what is well, and the fix below what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import ConfigError, StudioError, legible
from core.settings import Settings


@dataclass
class Report:
    """Prints as it goes; `failed` says whether people could not be served."""

    failed: bool = False

    def ok(self, what: str, says: str) -> None:
        """Something is as it should be."""
        print(f"ok       {what:<12} {legible(says)}")

    def warn(self, what: str, says: str, fix: str) -> None:
        """People can be served, and somebody should look after this."""
        print(f"warning  {what:<12} {legible(says)}\n{'':<22}→ {legible(fix)}")

    def fail(self, what: str, says: str, fix: str) -> None:
        """People cannot be served, or not as the operator means it."""
        self.failed = True
        print(f"MISSING  {what:<12} {legible(says)}\n{'':<22}→ {legible(fix)}")

    def guard(self, what: str, step: Callable[[], None]) -> None:
        """Take a step that reports by itself; one that breaks is named, and the others are taken all the same."""
        try:
            step()
        except StudioError as err:
            self.fail(what, err.message, fix_of(err, "Correct it, then check again."))
        except Exception as err:  # noqa: BLE001 - what breaks here breaks the dashboard too: who checks has to know
            says = f"this could not be checked ({type(err).__name__}: {err})"
            self.fail(what, says, "Look for what it names among the settings and proxies of this environment.")

    def run(self, what: str, step: Callable[[], str], fix: str) -> None:
        """What a step says, or why it could not be taken."""
        try:
            self.ok(what, step())
        except StudioError as err:
            self.fail(what, err.message, fix_of(err, fix))


def fix_of(err: StudioError, otherwise: str) -> str:
    """What to do about an error: set what it names, if it names a setting."""
    if isinstance(err, ConfigError) and err.setting:
        if err.setting.lower() in Settings.model_fields:
            return f"Set {err.setting} in the environment or .streamlit/secrets.toml, then start again."
        return f"Correct {err.setting}, then start again."
    return otherwise
