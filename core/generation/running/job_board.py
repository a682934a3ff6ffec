"""The job board: the attempts that this process works on, or that have ended and are not yet in S3."""

from __future__ import annotations

import threading

from core.errors import InputError
from core.generation.running.job import Job
from core.injection.wishes import SideName


class JobBoard:
    """The newest job of each side, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # for the jobs; held for no longer than a look
        self._jobs: dict[tuple[str, SideName], Job] = {}

    def get(self, comparison_id: str, side: SideName) -> Job | None:
        """The job of one side; None for what this process does not work on."""
        with self._lock:
            return self._jobs.get((comparison_id, side))

    def of(self, comparison_id: str) -> dict[SideName, Job]:
        """The jobs of a comparison, by side."""
        with self._lock:
            return {side: job for (owner, side), job in self._jobs.items() if owner == comparison_id}

    def all(self) -> list[Job]:
        """Every job, in the order in which they came."""
        with self._lock:
            return list(self._jobs.values())

    def put(self, job: Job) -> Job | None:
        """Put a job up in place of its side's last one, which is handed back. Raises InputError while that is busy."""
        name = (job.comparison.id, job.side)
        with self._lock:
            before = self._jobs.get(name)
            if before is not None and before.busy:
                raise InputError("This side is still at work: wait for it, or cancel it first.")
            self._jobs[name] = job
            return before

    def take_back(self, job: Job, before: Job | None) -> None:
        """What `put` did is undone; a last job that S3 has by now stays forgotten."""
        name = (job.comparison.id, job.side)
        with self._lock:
            del self._jobs[name]
            if before is not None and not before.recorded:
                self._jobs[name] = before

    def forget_ended(self, comparison_id: str) -> None:
        """Once every side has ended and is in S3, memory is no longer needed."""
        with self._lock:
            mine = [name for name in self._jobs if name[0] == comparison_id]
            if all(self._jobs[name].recorded for name in mine):
                for name in mine:
                    del self._jobs[name]
