"""`python -m bench`: run every measurement in turn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent


def main() -> int:
    """Each measurement in a process of its own, so that none warms up another."""
    scripts = sorted(path for path in _HERE.glob("*.py") if not path.name.startswith("_") and path.stem not in _PARTS)
    failed = [path.stem for path in scripts if subprocess.call([sys.executable, "-m", f"bench.{path.stem}"]) != 0]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


# Used by measurements, none of their own.
_PARTS = {
    *("checkout", "library_app", "list_server", "history_server", "label_server"),
    *("large_studio", "sessions", "results", "lingering", "voting_people"),
}

if __name__ == "__main__":
    sys.exit(main())
