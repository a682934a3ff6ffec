"""docs/security.md as a test: every limit in its table is what the code, the settings and the proxy have."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from dataclasses import fields, is_dataclass
from functools import reduce
from typing import Any, Final

import pytest

from core.settings import PROJECT_ROOT, Settings
from core.web.sockets import limits as socket_limits
from tests.test_architecture import MODULES, tree_of

DOCUMENT = PROJECT_ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<value>[^|]+) \| \[`(?P<name>[\w.]+)`\]\(\.\./(?P<file>[^)]+)\) \|", re.M)
VALUE = re.compile(r"(?:at least )?(?P<number>\d[\d,.]*)(?: ?(?P<unit>[A-Za-z]+))?")
UNITS: Final = {
    **{"s": 1, "min": 60, "h": 3600, "d": 86_400},
    **{"kB": 1000, "KiB": 1024, "MB": 1_000_000, "MiB": 1024**2, "GiB": 1024**3},
    **{"bytes": 1, "characters": 1, "pixels": 1, "lines": 1},
}
IN_MIB: Final = {"server.maxUploadSize", "server.maxWidgetStateSize"}  # as Streamlit counts them
# Named like a limit, and nothing that a visitor reaches: the largest seed and age there are, a pause between tries.
NO_LIMITS: Final = {"SEED_MAX", "AGE_MAX", "LONGEST_BACKOFF_S", "LONGEST_KEY_BYTES"}
PROXYS: Final = re.compile(r"^\s*(client_\w+|large_client_header_buffers|limit_req(?:_zone)?|limit_conn)\s", re.M)


def rows() -> list[re.Match[str]]:
    return list(ROW.finditer(DOCUMENT.read_text("utf-8")))


def told(value: str) -> float | None:
    """What a cell says, in bytes, seconds or pieces; None for no limit."""
    if value == "none":
        return None
    found = VALUE.match(value)
    assert found, value
    return float(found["number"].replace(",", "")) * UNITS.get(found["unit"] or "", 1)


def nginx(directive: str) -> float:
    """What a directive says wherever it stands first; of several buffers, all of them."""
    text = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    line = re.search(rf"^\s*{directive}\s+([^;]+);", text, re.M)
    assert line, f"deploy/nginx.conf has no {directive}"
    if counted := re.search(r"(?:rate|burst)=(\d+)", line[1]):
        return float(counted[1])
    sizes = re.findall(r"(?<![\w.])(\d+)([kmsh]?)\b", line[1])
    scale = {"": 1, "k": 1024, "m": 1024**2, "s": 1, "h": 3600}
    return float(reduce(lambda product, each: product * int(each[0]) * scale[each[1]], sizes, 1))


def found(name: str, file: str) -> Any:
    """What the code, the settings' defaults, config.toml or nginx have under a name."""
    if file == "deploy/nginx.conf":
        return nginx(name)
    if file == ".streamlit/config.toml":
        section, _, key = name.partition(".")
        value = tomllib.loads((PROJECT_ROOT / file).read_text("utf-8"))[section][key]
        return value * UNITS["MiB"] if name in IN_MIB else value
    if file == "core/settings.py" and name.lower() in Settings.model_fields:
        return Settings.model_fields[name.lower()].default
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    return reduce(getattr, name.split("."), module)


@pytest.mark.parametrize("row", [pytest.param(each, id=f"{each['name']} in {each['file']}") for each in rows()])
def test_a_limit_is_what_the_table_says(row: re.Match[str]) -> None:
    assert found(row["name"], row["file"]) == told(row["value"]), row["what"]


def test_every_row_of_the_table_is_compared() -> None:
    table = DOCUMENT.read_text("utf-8").split("## Limits")[1].split("\n## ")[0]
    assert len(re.findall(r"^\|", table, re.M)) - 2 == len(rows())


def test_no_limit_of_the_code_is_missing_in_the_table() -> None:
    """What a module offers to others and calls a maximum."""
    limits = {
        (target.id, file.relative_to(PROJECT_ROOT).as_posix())
        for file in MODULES.values()
        for node in tree_of(file).body
        for target in ([node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", ()))
        if isinstance(target, ast.Name) and re.fullmatch(r"[A-Z][A-Z_]*_MAX|LONGEST_[A-Z_]+", target.id)
    }
    in_table = {(row["name"], row["file"]) for row in rows()}
    assert {each for each in limits if each[0] not in NO_LIMITS} - in_table == set()


def test_no_limit_of_a_socket_is_missing_in_the_table() -> None:
    """Of a group of them each one counts."""
    limits = {
        full_name
        for name, value in vars(socket_limits).items()
        if name.isupper() and name[0] != "_"
        for full_name in ([f"{name}.{each.name}" for each in fields(value)] if is_dataclass(value) else [name])
    }
    file = "core/web/sockets/limits.py"
    assert limits - {row["name"] for row in rows() if row["file"] == file} == set()


def test_no_limit_of_the_proxy_is_missing_in_the_table() -> None:
    text = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    in_table = {row["name"] for row in rows() if row["file"] == "deploy/nginx.conf"}
    assert {*PROXYS.findall(text)} - in_table == set()


def test_no_limit_of_streamlits_server_is_missing_in_the_table() -> None:
    server = tomllib.loads((PROJECT_ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    in_table = {row["name"] for row in rows()}
    limits = {f"server.{name}" for name in server if name.startswith("max") or name.endswith("TTL")}
    assert limits - in_table == set()
