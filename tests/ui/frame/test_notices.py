"""What pages say of a library that is not there to be drawn from."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import load_settings
from core.studio import build_studio
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import environment
from tests.support.timeouts import LONG_S


def draw(studio: object) -> None:
    from core.studio import Studio
    from core.ui.frame.notices import library_empty

    assert isinstance(studio, Studio)
    library_empty(studio)


def test_an_empty_library_names_the_folders_there_are_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server() as server:
        bucket = with_bucket(server, {"Refs/01. Model/a/x.jpg": b"x", "*old*/x.jpg": b"x"})
        environ = environment(bucket, DATA_DIR=str(tmp_path / "data"))
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        studio = build_studio(load_settings(environ, secrets_file=tmp_path / "none.toml"))
        try:
            app = AppTest.from_function(draw, args=(studio,)).run(timeout=LONG_S)
        finally:
            studio.close()
    assert not app.exception
    (said,) = (caption.value for caption in app.caption)
    assert said.startswith("None lies under `refs/` in the bucket")
    assert "Refs/" in said.replace("&#47;", "/")
    assert "*old*" not in said, "a name is drawn as text"
    assert "S3_LIBRARY_PREFIX" in said.replace("&#95;", "_")
