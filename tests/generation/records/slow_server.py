"""A server that is killed in the middle of a side: `slow_server.py DATA_DIR SAMPLES PREFIX COMPARISON_ID`."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from core.generation.engines.engine import AttachedReference, FinalPicture, PartialPicture, SideRequest
from core.logs.logs import configure_logs
from core.storage.embedded.server import EmbeddedS3
from tests.generation.comparisons import StudioFixture, comparison, png


class EndlessEngine:
    """Says that it is at work, and goes on for ever."""

    name = "test"
    models = ("test-1",)

    def prepare(self, _reference: AttachedReference) -> None:
        """Nothing to get ready."""

    def generate(self, request: SideRequest, _cancelled: Callable[[], bool]) -> Iterator[PartialPicture | FinalPicture]:
        yield PartialPicture(png(), "image/png", progress=0.1)
        print(request.side, flush=True)
        threading.Event().wait()


def main() -> None:
    configure_logs()  # standard output is for the engine's word
    data_dir, samples, prefix, comparison_id = sys.argv[1:]
    studio = StudioFixture(EmbeddedS3.open(Path(data_dir), Path(samples)), prefix)
    studio.runner(EndlessEngine()).submit(comparison(id=comparison_id))


if __name__ == "__main__":
    main()
