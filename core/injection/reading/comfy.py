"""Finds the prompts in a workflow of ComfyUI that was pasted whole, as its API or as its editor saves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WRITES_TEXT = re.compile(r"text|prompt|string|note", re.IGNORECASE)
_ROLES = ("positive", "negative")


@dataclass(frozen=True, slots=True)
class Workflow:
    """Where what is wanted and what is unwanted stand in the pasted text, in characters."""

    wanted: list[tuple[int, int]]
    unwanted: list[tuple[int, int]]


class _ApiNode(BaseModel):
    class_type: str
    inputs: dict[str, Any]


class _Slot(BaseModel):
    name: str
    link: int | None = None


class _EditorNode(BaseModel):
    id: int | str
    type: str
    inputs: list[_Slot] = []
    widgets_values: list[Any] | dict[str, Any] = []


class _Editor(BaseModel):
    nodes: list[_EditorNode]
    links: list[tuple[int, int | str, int, int | str, int, Any]]


class _Api(RootModel[dict[str, _ApiNode]]):
    pass


class _Queued(BaseModel):
    prompt: _Api


_SAVED: TypeAdapter[_Editor | _Queued | _Api] = TypeAdapter(_Editor | _Queued | _Api)


@dataclass(frozen=True, slots=True)
class _Node:
    """A node: its texts, if it writes any, and the ids of those its inputs come from."""

    texts: list[str]
    sources: dict[str, str]


def find_workflow(prompt: str) -> Workflow | None:
    """The prompts of a workflow; None if this is none, or none that leads to a sampler."""
    if not prompt.lstrip().startswith("{") or ("class_type" not in prompt and '"nodes"' not in prompt):
        return None
    try:
        saved = _SAVED.validate_json(prompt)
    except ValidationError:
        return None
    nodes = dict(_nodes_of_editor(saved) if isinstance(saved, _Editor) else _nodes_of_api(saved))
    positive, negative = (set(_texts(nodes, role)) for role in _ROLES)
    if not positive:
        return None
    wanted, unwanted = [], []
    for found in _STRING.finditer(prompt):
        text = json.loads(found[0])
        if text in positive:
            wanted.append(found.span(1))
        elif text in negative:
            unwanted.append(found.span(1))
    return Workflow(wanted, unwanted)


def _nodes_of_api(saved: _Api | _Queued) -> Iterator[tuple[str, _Node]]:
    api = saved.prompt if isinstance(saved, _Queued) else saved
    for key, node in api.root.items():
        links = {name: str(value[0]) for name, value in node.inputs.items() if isinstance(value, list) and value}
        yield key, _Node(_written(node.class_type, node.inputs.values()), links)


def _nodes_of_editor(saved: _Editor) -> Iterator[tuple[str, _Node]]:
    sources = {link[0]: str(link[1]) for link in saved.links}
    for node in saved.nodes:
        values = node.widgets_values.values() if isinstance(node.widgets_values, dict) else node.widgets_values
        linked = {slot.name: sources[slot.link] for slot in node.inputs if slot.link in sources}
        yield str(node.id), _Node(_written(node.type, values), linked)


def _written(kind: str, values: Iterable[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)] if _WRITES_TEXT.search(kind) else []


def _texts(nodes: dict[str, _Node], role: str) -> Iterator[str]:
    """What flows into the inputs of that name, however many nodes it passes."""
    waiting = [node.sources[role] for node in nodes.values() if role in node.sources]
    seen: set[str] = set()
    while waiting:
        key = waiting.pop()
        node = nodes.get(key)
        if node is None or key in seen:
            continue
        seen.add(key)
        yield from node.texts
        # A node with both inputs, such as a ControlNet, hands each on by itself.
        has_roles = any(name in node.sources for name in _ROLES)
        waiting += [node.sources[role]] if has_roles and role in node.sources else []
        waiting += [] if has_roles else node.sources.values()
