"""The dashboard's server with orders over plain HTTP in the place of its pages.

`serve_studio.py PORT [PATIENCE_S [S3_TIMEOUT_S]]`. Everything below the pages is the program's own: settings, studio,
start, stop, routes.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.errors import StudioError
from core.generation.engines.engine import SideRequest
from core.generation.engines.openai_engine import OpenAIEngine
from core.generation.records.comparison import RenderSettings, SideTake, Size
from core.generation.running import outcome_writer
from core.injection.request.wishes import Mode, PersonWish, SideName, Wishes
from core.storage import connect
from core.studio import Studio, get_studio
from core.viewer import PersonRole, Viewer
from core.web import ROUTES, lifespan

SIZE = Size(width=1024, height=640)


def order(studio: Studio, asked: dict[str, Any]) -> Any:
    engine = next(iter(studio.engines.values()))
    wishes = Wishes(
        prompt=asked["prompt"],
        mode=Mode(asked["mode"]),
        tone=asked["tone"],
        angle=asked["angle"],
        person=PersonWish.NO,
        seed=7,
    )
    render = RenderSettings(engine=engine.name, model=engine.models[0], size=SIZE, quality="medium")
    viewer = Viewer(asked["person"], PersonRole.DESIGNER)
    return studio.orders.order(studio.planner.plan(wishes), render, viewer, takes=asked["takes"]).id


def status(studio: Studio, asked: dict[str, Any]) -> Any:
    return studio.runner.status(asked["id"]).model_dump(mode="json", include={"sides"})["sides"]


def retry(studio: Studio, asked: dict[str, Any]) -> Any:
    side, take = place_of(asked["side"])
    studio.orders.retry(asked["id"], side, Viewer("retry@studio", PersonRole.OPS), take=take)


def cancel(studio: Studio, asked: dict[str, Any]) -> Any:
    side, take = place_of(asked["side"])
    studio.orders.cancel(asked["id"], side, Viewer("cancel@studio", PersonRole.OPS), take=take)


def place_of(name: str) -> SideTake:
    """A side, or a further take of one, as its files are called: `tone-only`, `tone-only-take2`."""
    side, _, take = name.partition("-take")
    return SideTake(SideName(side), int(take or 1))


def tell_takes_apart() -> None:
    """Say the take in the prompt: all takes of a side are asked for alike, and the matrix has to hit one of them."""
    generate = OpenAIEngine.generate

    def marked(engine: OpenAIEngine, request: SideRequest, cancelled: Callable[[], bool]) -> Any:
        if request.take > 1:
            request = replace(request, prompt=f"{request.prompt}\n\nTake {request.take}.")
        return generate(engine, request, cancelled)

    OpenAIEngine.generate = marked  # type: ignore[method-assign]  # the seam of this script alone


def answering(does: Callable[[Studio, dict[str, Any]], Any]) -> Callable[[Request], JSONResponse]:
    """On a thread for each request, as a page's run is."""

    def answer(request: Request) -> JSONResponse:
        try:
            return JSONResponse({"said": does(get_studio(), json.loads(request.query_params["asked"]))})
        except StudioError as err:
            return JSONResponse({"error": err.message, "kind": type(err).__name__}, 409)

    return answer


def main() -> None:
    tell_takes_apart()
    port, *seconds = sys.argv[1:]
    if seconds:
        outcome_writer._STORE_PATIENCE_S = float(seconds[0])
    if seconds[1:]:
        connect.Reach = partial(connect.Reach, read_timeout_s=float(seconds[1]))  # type: ignore[assignment,misc]
    orders = [Route(f"/{does.__name__}", answering(does)) for does in (order, status, retry, cancel)]
    listening = socket.create_server(("127.0.0.1", int(port)), backlog=256)
    app = Starlette(routes=[*orders, *ROUTES], lifespan=lifespan)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none")).run(sockets=[listening])


if __name__ == "__main__":
    main()
