"""Demos: the product's components alone on a page each, served by a real `streamlit run`, for tests and `bench`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw

from tests.support.ports import give_back, own_port
from tests.support.processes.programs import ROOT, streamlit_app

STAGE_WIDTH, STAGE_HEIGHT = 1024, 1280
_CONFIG = """
[server]
headless = true
fileWatcherType = "none"
[global]
minCachedMessageSize = 1e12
[runner]
postScriptGC = false
[browser]
gatherUsageStats = false
"""
_GRID_THEME = """
[theme]
primaryColor = "#ff0000"
backgroundColor = "#f4f4f4"
secondaryBackgroundColor = "#e9e9e9"
textColor = "#1c1c1c"
"""
_GRID_APP = """
import io

import streamlit as st
from PIL import Image
from starlette.responses import Response
from starlette.routing import Route


def painted(*size):
    out = io.BytesIO()
    Image.new("RGB", size, (120, 120, 120)).save(out, "PNG")
    return out.getvalue()


PAINTED = {"tall": painted(80, 100), "wide": painted(120, 80)}


def picture(request):
    found = PAINTED.get(request.path_params["shape"])
    return Response(found, media_type="image/png") if found else Response(status_code=404)


app = st.App("demo.py", routes=[Route("/picture/{shape}/{number}", picture)])
"""
_PLAIN_APP = """
import streamlit as st

app = st.App("demo.py")
"""
_GRID = """
import time

import streamlit as st

from core.ui.components.picture_grid.picture_grid import Card, clear_selection, picture_grid

st.set_page_config(layout="wide")
query = st.query_params
visit = query.get("visit", "")
key = f"demo-{visit}"
count = int(query.get("count", 60))
selectable = query.get("list") is None
state = st.session_state.setdefault(f"visit {visit}", {})
TITLES = {1: "<b>bold</b>.jpg", 2: "김하늘 05.jpg", 3: "صورة 05.jpg"}
PICTURES = {4: "/picture/none/4", 5: None, 6: "/picture/wide/6"}


def card(n):
    return Card(
        id=f"card {n}",
        picture_url=PICTURES.get(n, f"/picture/tall/{n}"),
        alt=f"Picture {n}",
        title=TITLES.get(n, f"Title {n}"),
        subtitle=f"turn {state.get('turn', 0)}" if n == 0 else "",
        badge="untagged" if n == 0 else "",
        problem="Not in S3 any more" if n == 5 else "",
    )


@st.dialog("Details", position="right")
def details(card_id):
    st.write(f"Details of {card_id}")


def do_act():
    state["acted"] = list((st.session_state.get(key) or {}).get("selection", {}).get("ids", []))


with st.container(horizontal=True):
    if st.button("Turn"):
        state["turn"] = state.get("turn", 0) + 1
    st.button("Clear on the server", on_click=clear_selection, args=(key,))
    st.button("Act", on_click=do_act, shortcut="B")
    other_page, hidden, reversed_order = (
        st.toggle(name, key=f"{name} {visit}") for name in ("Other page", "Hidden", "Reversed")
    )
slow = query.get("slow")
st.text(f"acted on {state.get('acted', [])}")
if slow:  # a run that lasts, so that the next can interrupt it: the state under test
    time.sleep(0.3)
    st.empty()
    time.sleep(0.3)
if not hidden:
    numbers = range(100, 100 + count) if other_page else range(count)
    cards = [card(n) for n in numbers]
    if reversed_order:
        cards.reverse()
    event = picture_grid(
        cards,
        key=key,
        label="Demo pictures",
        selectable=selectable,
        click=query.get("click", "open"),
        min_card_px=int(query.get("min", 200)),
    )
    if event.opened:
        state["openings"] = state.get("openings", 0) + 1
    st.text(f"selected {list(event.selected)}")
    st.text(f"opened {event.opened}, {state.get('openings', 0)} openings")
    if event.opened and query.get("dialog"):
        details(event.opened)
"""
_FOCUS_APP = """
import os
from pathlib import Path

import streamlit as st
from starlette.responses import FileResponse
from starlette.routing import Route

FOLDER = Path(os.environ["PICTURES"])


def picture(request):
    return FileResponse(sorted(FOLDER.rglob("*.jpg"))[int(request.path_params["number"])])


app = st.App("demo.py", routes=[Route("/picture/{number}", picture)])
"""
_FOCUS = """
from pathlib import Path
from types import SimpleNamespace

import streamlit as st

from core.errors import StorageUnavailable
from core.ui.components.review_focus.focus_data import (
    Answer, Choice, DecisionKind, FocusField, FocusItem, FocusValue, LostRace, Persona, PersonaTile, Settled, Undoable,
)
from core.ui.components.review_focus.review_focus import been_through, review_focus, spoken_of

st.set_page_config(layout="wide")


@st.cache_resource
def keeper(visit):
    return SimpleNamespace(kept=[], rival=set(), unknown=set(), told=set(), elsewhere=set(), away=False, calls=0)


visit = st.query_params.get("visit", "")
key = f"focus-{visit}"
desk = keeper(visit)
FIELDS = [
    FocusField("age_range", "Age range", tuple(Choice(a, a) for a in
               ("under 18", "18–24", "25–34", "35–44", "45–59", "60+"))),
    FocusField("gender_presentation", "Gender presentation",
               (Choice("feminine", "feminine"), Choice("masculine", "masculine")), is_personal=True),
    FocusField("hair", "Hair", (Choice("brown short", "brown short"),), is_free=True),
    FocusField("notes", "Notes", (), is_free=True),
]


def take(decisions):
    desk.calls += 1
    if desk.away:
        raise StorageUnavailable("S3 does not answer.")
    lost, settled = [], []
    for decision in decisions:
        if any(kept.id == decision.id for kept in desk.kept):
            continue
        if decision.item in desk.rival and decision.seen == "0":
            desk.told.add(decision.item)
            lost.append(LostRace(decision.id, decision.item, f"Ops set age range of {decision.item} to 60+ first.",
                                 {"age_range": "25–34", **decision.values}, ("age_range",), seen="1"))
            continue
        if decision.kind is DecisionKind.ACCEPT and decision.item in desk.unknown:
            lost.append(LostRace(decision.id, decision.item, "There is nothing to accept."))
            continue
        if decision.kind is DecisionKind.SETTLE:
            settled.append(Settled(decision.id, decision.item, "Gender of Person: feminine on 3 pictures.",
                                   ("Person 77 stays masculine, as Ops decided.",)))
        desk.kept.append(decision)
    return Answer(lost, settled)


def undone():
    return {kept.undoes for kept in desk.kept if kept.kind is DecisionKind.UNDO}


def standing():
    return [kept for kept in desk.kept if kept.kind is not DecisionKind.UNDO and kept.id not in undone()]


def item(n):
    name = f"p{n}"
    return FocusItem(
        id=name,
        title=f"refs/01. Model/b(vivid) profile/Person {n:02}.jpg",
        reason="Labelers disagree on age range" if n % 2 else "Low confidence in hair",
        detail="Openai says 25–34, local says 35–44." if n % 2 else "",
        picture_url=f"/picture/{n}",
        thumbnail_url=f"/picture/{n}",
        original_url=f"/picture/{n}",
        alt=f"Person {n:02}",
        seen="1" if name in desk.told else "0",
        values={
            "age_range": FocusValue("25–34", "openai", 0.78, ("local says 35–44, 61 %",) if n % 2 else ()),
            "gender_presentation": FocusValue("feminine", "openai", 0.93),
            "hair": FocusValue("brown long", "openai", 0.41),
            "notes": FocusValue(None, "openai", None),
        },
        persona="person" if n == 0 else "",
    )


def tile(n, gender, by={}):
    return PersonaTile(f"p{n}", f"Person {n:02}", f"/picture/{n}", {"gender_presentation": gender}, by)


OTHERS = tile(77, "masculine", {"gender_presentation": "ops@studio.example"})
PERSONAS = {"person": Persona("Person", (tile(0, "feminine"), tile(1, "feminine"), tile(2, "feminine"), OTHERS))}
queue = st.query_params.get("queue", "all")
decided = {kept.item for kept in standing() if kept.kind not in (DecisionKind.SETTLE, DecisionKind.SKIP)}
decided |= desk.elsewhere
waiting = [n for n in range(int(st.query_params.get("count", 24))) if f"p{n}" not in decided]
passed = been_through(key, queue)
offered = [n for n in waiting if f"p{n}" not in passed]
shown = [f"p{n}" for n in offered[:20]]
shown += [name for name in spoken_of(key) if name not in shown]
with st.container(horizontal=True):
    st.selectbox("Filter", ["any reason", "low confidence"], key=f"filter {visit}")
    st.text_input("Search", key=f"search {visit}")
review_focus(
    [item(int(name[1:])) for name in shown],
    FIELDS,
    owner="somebody",
    key=key,
    queue=queue,
    waiting=len(waiting),
    passed=len(waiting) - len(offered),
    personas=PERSONAS,
    undoable=[Undoable(kept.id, kept.item) for kept in standing()][-50:],
    take=take,
)
with st.container(horizontal=True):
    st.button("Go away", on_click=lambda: setattr(desk, "away", True))
    st.button("Come back", on_click=lambda: setattr(desk, "away", False))
    st.button("Rival at p2", on_click=lambda: desk.rival.add("p2"))
    st.button("p9 is decided elsewhere", on_click=lambda: desk.elsewhere.add("p9"))
    st.button("Nothing known of p0", on_click=lambda: desk.unknown.add("p0"))
st.text("kept " + " ".join(f"{kept.kind.value}:{kept.item}:{dict(kept.values)}" for kept in desk.kept))
st.text(f"twice {len(desk.kept) - len({kept.id for kept in desk.kept})}")
"""
_STAGE_APP = """
from pathlib import Path
import streamlit as st
from starlette.responses import FileResponse
from starlette.routing import Route

HERE = Path(__file__).parent
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}


def picture(request):
    return FileResponse(HERE / "pictures" / request.path_params["name"], headers=KEPT)


app = st.App("shell/main.py", routes=[Route("/picture/{name}", picture)])
"""
_STAGE = """
import time
from functools import partial
import streamlit as st
from core.ui.components.stage.stage import (
    StageButton,
    StageData,
    StageFoot,
    StageLink,
    StageSide,
    StageState,
    stage,
)

st.set_page_config(layout="wide")
visit = st.query_params.get("visit", "")
st.text_area("Prompt", key=f"prompt {visit}")


def side(name, title, state, picture=None, **facts):
    url = f"/picture/{picture}" if picture else None
    return StageSide(name, title, StageState(state), 1024, 1280, url, f"Picture {name}", **facts)


side_a = partial(side, "A", "Tone only")
side_b = partial(side, "B", "Tone + angle")
A, B = side_a("done", "a.png"), side_b("done", "b.png")


def foot(name, picture="", fidelity="", button=None, figures=""):
    link = StageLink(f"/picture/{picture}", f"Download {name}") if picture else None
    return StageFoot(name, f"Fidelity {fidelity}" if fidelity else "", "Near the tone.", figures, "", link, button)


def done(of, name, picture, fidelity):
    return of("done", picture, foot=foot(name, picture, fidelity, figures="41.0 s"))


STOP = StageButton("cancel", "Cancel")
RETRY = StageButton("retry", "Retry this take", "Nothing else is made.")
NOW_MS = int(time.time()) * 1000
LATER = StageButton("retry", "Retry this take", "", NOW_MS + 3_600_000)
REFUSED = {"headline": "Refused", "detail": "Reword the prompt.", "request_id": "req_42"}
CASES = {
    "pair": [[A, B]],
    "one": [[A]],
    "hostile": [[side("A", "<img src=x onerror=alert(1)>", "failed", headline="<b>no</b>"), B]],
    "lost": [[A, side_b("done", "nowhere.png")]],
    "making": [
        [side_a("queued", headline="Waiting: 2 ahead of you"), side_b("queued")],
        [side_a("running"), side_b("running", "b-1.png", progress=0.33)],
        [side_a("failed", **REFUSED), side_b("running", "b-2.png", progress=0.66)],
        [side_a("failed", **REFUSED), B],
        [A, B],
        [side_a("cancelled"), B],
        [side_a("empty"), B],
    ],
}
MADE = [
    [done(side_a, "a", "a.png", 61), done(side_b, "b", "b.png", 56)],
    [done(side_a, "a", "b-1.png", 64), done(side_b, "b", "b-2.png", 71)],
]
CASES["takes"] = [
    [
        *MADE,
        [
            side_a("running", "b-1.png", progress=0.5, since_ms=NOW_MS, foot=foot("a", button=STOP)),
            side_b("failed", **REFUSED, foot=foot("b", button=RETRY, figures="Attempt 1: failed")),
        ],
        [side_a("queued", foot=foot("a")), side_b("failed", **REFUSED, foot=foot("b", button=LATER))],
    ],
    [*MADE, [done(side_a, "a", "a.png", 90), done(side_b, "b", "b.png", 90)], MADE[0]],
]
steps = CASES[st.query_params.get("case", "pair")]
state = st.session_state.setdefault(f"visit {visit}", {"runs": 0, "step": 0, "comparison": 1})
state["runs"] += 1
if st.button("Advance"):
    state["step"] += 1
if st.button("Other comparison"):
    state["comparison"] = 3 - state["comparison"]
st.button("Rerun")
run, step, comparison = (state[name] for name in ("runs", "step", "comparison"))
drawn = steps[step % len(steps)]
takes = drawn if isinstance(drawn[0], list) else [drawn]
of_all = {"together": StageButton("cancel", "Cancel all 2"), "zip": StageLink("/picture/a.png", "Download all")}
of_all["drawn_at_ms"] = NOW_MS
more = of_all if len(takes) > 1 else {}
first = 2 if step == 0 and len(takes) > 1 else 1
data = StageData(f"visit-{visit}-comparison-{comparison}", 560, takes, first, **more)
stage(data, key=f"stage-{visit}", act=lambda act: state.update(asked=act))
st.text(f"asked {state.get('asked')}")
st.text(f"run {run}, step {step}, comparison {comparison}")
"""
_MARKDOWN = """
import streamlit as st

from core.ui.frame.words.markdown import fill, joined, plain
from core.ui.frame.words.tables import draw_table
from tests.support.hostile import ALL

st.set_page_config(layout="wide")
everything = joined(" | ", ALL)
for number, value in enumerate(ALL):
    with st.container(key=f"alone-{number}"):
        st.markdown(plain(value))
    with st.container(key=f"code-{number}"):
        st.caption(fill("before `{}` after", value))
    with st.container(key=f"among-{number}"):
        st.markdown(fill("“{}”: {}, :gray[{}] **{}**", value, value, value, value))
    with st.container(key=f"button-{number}"):
        st.button(fill("Remove {}", value), key=str(number), width="stretch")
with st.container(key="error"):
    st.error(fill("12:30:00 :smile: $1 {}", everything))
with st.container(key="expander"):
    st.expander(everything)
with st.container(key="metric"):
    st.metric(everything, 1)
with st.container(key="progress"):
    st.progress(1.0, text=everything)
with st.container(key="badge"):
    st.badge(everything)
with st.container(key="tab"):
    st.tabs([everything])
with st.container(key="toggle"):
    st.toggle(everything)
with st.container(key="segments"):
    st.segmented_control("Segments", [everything])
with st.container(key="help"):
    st.button("Help", help=everything)
with st.container(key="popover"):
    st.popover(everything)
with st.container(key="table"):
    draw_table([{"What": value, "Number": -1} for value in ALL])
st.button("Toast", on_click=lambda: st.toast(everything))
if st.button("Dialog"):
    st.dialog(everything)(lambda: st.text("in it"))()
st.text("drawn")
"""


@contextmanager
def markdown_demo(folder: Path) -> Iterator[str]:
    """Hostile values in every place where Streamlit draws Markdown."""
    with _served(folder, {"app.py": _PLAIN_APP, "demo.py": _MARKDOWN}, _CONFIG) as url:
        yield url


@contextmanager
def grid_demo(folder: Path) -> Iterator[str]:
    """The picture grid; the query says how many cards it has, how small they may be, and how slow a run is."""
    with _served(folder, {"app.py": _GRID_APP, "demo.py": _GRID}, _CONFIG + _GRID_THEME) as url:
        yield url


@contextmanager
def focus_demo(folder: Path) -> Iterator[str]:
    """The review desk in front of a keeper that can go away and has a rival."""
    ours = (ROOT / ".streamlit/config.toml").read_text("utf-8").replace("enableStaticServing = true", "")
    files = {"app.py": _FOCUS_APP, "demo.py": _FOCUS}
    with _served(folder, files, ours, PICTURES=str(ROOT / "samples" / "refs")) as url:
        yield url


@contextmanager
def stage_demo(folder: Path) -> Iterator[str]:
    """The stage with two ruled pictures, or with sides that come into being step by step."""
    (folder / "pictures").mkdir()
    for name, shade in {"a": 40, "b": 200, "b-1": 90, "b-2": 150}.items():
        _paint(folder / "pictures" / f"{name}.png", shade)
    with _served(folder, {"app.py": _STAGE_APP, "shell/main.py": _STAGE}, _CONFIG) as url:
        yield url


@contextmanager
def _served(folder: Path, files: Mapping[str, str], config: str, **environment: str) -> Iterator[str]:
    for name, source in {**files, ".streamlit/config.toml": config}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(source, "utf-8")
    port = own_port()
    with streamlit_app(folder, port, **environment):
        yield f"http://127.0.0.1:{port}"
    give_back(port)


def _paint(path: Path, shade: int) -> None:
    """A ruled picture: its lines show whether two panes are framed alike."""
    picture = Image.new("RGB", (STAGE_WIDTH, STAGE_HEIGHT), (shade, shade, shade))
    draw = ImageDraw.Draw(picture)
    for at in range(0, STAGE_HEIGHT, 64):
        draw.line([(0, at), (STAGE_WIDTH, at)], fill=(255 - shade,) * 3, width=3)
        draw.line([(at, 0), (at, STAGE_HEIGHT)], fill=(255 - shade,) * 3, width=3)
    out = io.BytesIO()
    picture.save(out, "PNG")
    path.write_bytes(out.getvalue())
