"""The harness of the fault matrix: a real S3 behind a fault proxy, the fake engine, and servers that come and go."""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from PIL import Image

from core.generation.engines.openai_engine import OpenAIEngine
from core.generation.engines.prices import TokenUsage, cost_of
from core.generation.records.attempt import this_server
from core.generation.records.history import History
from core.generation.spending.ledger import Ledger, Tally
from core.injection.request.wishes import Mode
from core.objects.objects import StoredObject
from core.openai.client import Endpoint
from core.storage.s3 import Store
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Moment, Received
from tests.faults.matrix import A2, B2, PLACES, TAKES, A, B, EngineCase, Row
from tests.faults.proxy import FaultProxy
from tests.faults.serve_studio import SIZE
from tests.faults.servers import BUSY, Server, place_of
from tests.support.latch import Latch
from tests.support.s3.servers import S3Server

PERSON = "anna@studio"
MODEL = "gpt-image-2"
# Each cell that has to be held at a picture of its own has its tag here.
TONES = ("vivid", "noir", "pastel")
ANGLES = ("low-angle", "overhead", "profile", "close-up", "long-shot")


def picture(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 120), colour).save(out, "PNG")
    return out.getvalue()


def library() -> dict[str, bytes]:
    tones = {f"refs/02. Tone/a({tone})/t.png": picture((200, 40 * at, 60)) for at, tone in enumerate(TONES)}
    return tones | {f"refs/03. Angle/{angle}/a.png": picture((40 * at, 90, 200)) for at, angle in enumerate(ANGLES)}


@dataclass
class Cell:
    """One comparison of the matrix: what happens to it, and everything that was seen of it."""

    name: str
    place: str = "both"
    mode: Mode = Mode.COMPARE
    tone: str = TONES[0]
    angle: str = ANGLES[0]
    behaviour: Behaviour = field(default_factory=Behaviour)
    holds: tuple[Moment, ...] = ()
    everywhere: bool = False
    id: str = ""
    latches: dict[str, dict[Moment, Latch]] = field(default_factory=dict)
    told: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    case: EngineCase | None = None

    @property
    def hit(self) -> tuple[str, ...]:
        """The sides that the fault hits."""
        return PLACES[self.place]

    @property
    def spared(self) -> tuple[str, ...]:
        return tuple(side for side in self.sides if side not in self.hit)

    @property
    def takes(self) -> int:
        return 2 if self.place in TAKES else 1

    @property
    def sides(self) -> tuple[str, ...]:
        """Every picture that is ordered: the sides, and their further takes."""
        if self.mode is not Mode.COMPARE:
            return (A,)
        return (A, B, A2, B2) if self.takes > 1 else (A, B)

    def plan(self) -> dict[str, Behaviour]:
        """How each side's call is answered. The sides that are hit are held, or all of them (`everywhere`)."""
        held = self.sides if self.everywhere else self.hit
        self.latches = {side: {moment: Latch() for moment in self.holds} for side in held}
        return {
            side: replace(self.behaviour if side in self.hit else Behaviour(), latches=self.latches.get(side, {}))
            for side in self.sides
        }

    def reach(self, moment: Moment) -> None:
        """Wait until every held side is there."""
        for latches in self.latches.values():
            latches[moment].wait_for()

    def open(self, moment: Moment) -> None:
        for latches in self.latches.values():
            latches[moment].open()

    def open_all(self) -> None:
        for latches in self.latches.values():
            for latch in latches.values():
                latch.open()


class FaultHarness:
    """Everything the cells need, and what the vendor and S3 know of them in the end."""

    def __init__(self, s3: S3Server, proxy: FaultProxy, fake: FakeOpenAI) -> None:
        self.s3 = s3
        self.proxy = proxy
        self.fake = fake
        self.store: Store = s3.store()
        self.rows: list[Row] = []
        self.live: list[Cell] = []
        self.ordered: list[Cell] = []
        self.untold: set[str] = set()  # the calls whose price died with their server
        self._plans: dict[str, dict[str, Behaviour]] = {}
        fake.choose(lambda call: self._plans.get(cell_of(call), {}).get(side_of(call)))

    def order(self, server: Server, cell: Cell) -> str:
        """Press Generate for a cell."""
        self._plans[cell.name] = cell.plan()
        asked = {"prompt": f"A jug, cell {cell.name}.", "mode": cell.mode, "tone": cell.tone, "angle": cell.angle}
        asked["takes"] = cell.takes
        cell.id = server.ask("order", person=PERSON, **asked)
        self.ordered.append(cell)
        return cell.id

    def heal(self, cell: Cell) -> None:
        """From now on the engine does what it is asked for this cell."""
        self._plans[cell.name] = {}

    def refresh(self, server: Server, cell: Cell) -> None:
        """Open the page anew, here and on another server: both find the comparison, and no side is lost."""
        here = server.sides(cell.id)
        cell.told.append(here)
        history = History(self.store, app_prefix="studio/", server=this_server())
        there = {place_of(side.model_dump()): side for side in history.status(cell.id).sides}
        assert set(here) == set(there) == set(cell.sides)
        for side in cell.sides:
            assert here[side]["attempt"] == there[side].attempt == 1
            if here[side]["phase"] in BUSY:
                assert there[side].busy or there[side].outcomes

    def calls(self, cell: Cell, side: str) -> list[Received]:
        return [call for call in list(self.fake.received) if cell_of(call) == cell.name and side_of(call) == side]

    def billed(self, cell: Cell, side: str) -> int:
        return sum(call.billed for call in self.calls(cell, side))

    def names(self, cell: Cell) -> dict[str, bytes]:
        """What S3 holds of a comparison, by file name."""
        folder = History(self.store, app_prefix="studio/", server=this_server()).folder_of(cell.id)
        return {row.key.removeprefix(folder): self.store.get(row.key).data for row in self.store.list(folder)}

    def attempts_with(self, extension: str) -> set[str]:
        """Every attempt that has a file of this kind in S3."""
        keys = [row.key for row in self.store.list("studio/generations/")]
        return {key.removesuffix(extension) for key in keys if key.endswith(extension)}

    def check_picture(self, side: Mapping[str, Any], *, size: tuple[int, int] = (SIZE.width, SIZE.height)) -> None:
        """A finished side's picture can be fetched, is whole, and is the one that was said."""
        made = side["outcomes"][-1]["picture"]
        blob = self.store.get(made["key"])
        assert blob.etag == made["etag"]
        assert _size_of(blob.data) == size

    def retry(self, server: Server, cell: Cell, side: str) -> dict[str, Any]:
        """Press Retry on a side and wait for its end."""
        self.heal(cell)
        server.ask("retry", id=cell.id, side=side)
        return server.ended(cell.id, side)[side]

    def losses(self) -> dict[str, int]:
        """Everything that must never be, counted over all cells that were played."""
        history = History(self.store, app_prefix="studio/", server=this_server())
        found, folders = Counter[str](), defaultdict[str, list[StoredObject]](list)
        for row in self.store.list("studio/generations/"):
            folders[row.key.rpartition("/")[0] + "/"].append(row)
        for cell in self.ordered:
            folder = history.folder_of(cell.id)
            names = {row.key.removeprefix(folder) for row in folders[folder]}
            if "comparison.json" not in names:
                found["records lost"] += 1
                continue
            status = history.status_reader.of(
                history.get(cell.id), folders[folder], lambda row: self.store.get(row.key).data
            )
            stuck = {place_of(side.model_dump()) for side in status.sides if side.busy}
            for side in cell.sides:
                claimed = sum(re.fullmatch(rf"{side}-\d+\.started\.json", name) is not None for name in names)
                made = sum(re.fullmatch(rf"{side}-\d+\.png", name) is not None for name in names)
                calls = self.calls(cell, side)
                found["finished pictures lost"] += max(0, sum(call.delivered for call in calls) - made)
                found["calls charged twice"] += max(0, sum(call.billed for call in calls) - claimed)
                found["sides that never ended"] += side in stuck
        never = ("records lost", "finished pictures lost", "calls charged twice", "sides that never ended")
        return {name: found[name] for name in never}

    def elsewhere(self, cell: Cell) -> None:
        """This cell was played in another bucket: neither its record nor its calls are counted here."""
        self.ordered.remove(cell)
        self.fake.received[:] = [call for call in self.fake.received if cell_of(call) != cell.name]

    def accounts(self) -> tuple[Tally, int]:
        """What the ledger says in all, from S3 alone, and how many attempts were claimed."""
        history = History(self.store, app_prefix="studio/", server=this_server())
        engines = {"openai": OpenAIEngine(Endpoint("sk-fake"), model=MODEL)}
        today = datetime.now(UTC).date()
        ledger = Ledger(history, self.store, engines, app_prefix="studio/")
        tally = sum((account.tally for account in ledger.accounts(today, today)), Tally())
        claimed = sum(row.key.endswith(".started.json") for row in self.store.list("studio/generations/"))
        return tally, claimed

    def bill(self) -> tuple[float, int]:
        """What the vendor charged at a price it named, and how many calls it charged without naming one."""
        today, usd, unnamed = datetime.now(UTC).date(), 0.0, 0
        for call in self.fake.received:
            if call.billed and (call.usage is None or call.request_id in self.untold):
                unnamed += 1
            elif call.billed and call.usage is not None:
                kinds = call.usage["input_tokens_details"]
                usage = TokenUsage(kinds["text_tokens"], kinds["image_tokens"], call.usage["output_tokens"])
                usd += cost_of(MODEL, usage, today).usd or 0.0
        return usd, unnamed


def cell_of(call: Received) -> str:
    return _said(str(call.fields.get("prompt")))[0]


def side_of(call: Received) -> str:
    """Tone only has one picture, tone + angle two; a further take says which it is."""
    side, take = A if len(call.pictures) == 1 else B, _said(str(call.fields.get("prompt")))[1]
    return f"{side}-take{take}" if take else side


@lru_cache(maxsize=64)  # the engine makes few different pictures, each of them many times
def _size_of(data: bytes) -> tuple[int, int]:
    """Width and height of a picture that can be decoded to its end."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.size


@cache  # every check looks through all calls
def _said(prompt: str) -> tuple[str, str]:
    """Cell and take of a prompt, as far as it names them."""
    cell, take = re.search(r"cell ([\w-]+)", prompt), re.search(r"\bTake (\d)\.$", prompt)
    return cell[1] if cell else "", take[1] if take else ""


def all_at_once(work: list[Any], at_once: int = 12) -> None:
    """Run these callables side by side; the first failure is raised."""
    with ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()
