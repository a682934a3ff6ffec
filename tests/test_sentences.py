"""Sentences: the words are ours and the values stand apart, wherever an error is made or Streamlit draws Markdown.

A text is ours when it is written down in the code, was filled with values by `core.ui.frame.words.markdown`, or comes
from where it is declared as such: `LiteralString` (https://peps.python.org/pep-0675/) for words, `Markdown` for what
was filled. Whoever hands a text to a parameter or a field that is declared so, has to hand over one of ours.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache

import pytest
import streamlit as st

from core import errors
from tests.test_architecture import MODULES, tree_of

OURS = {"LiteralString", "Markdown", "LiteralString | Markdown", "Sequence[LiteralString]"}
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
# What Streamlit draws as Markdown: a text that every one of these takes first, and those that go by these names.
TEXT_FIRST = {
    *("markdown", "caption", "title", "header", "subheader", "error", "warning", "info", "success", "toast", "badge"),
    *("button", "download_button", "form_submit_button", "link_button", "popover", "expander", "spinner"),
    *("checkbox", "toggle", "radio", "selectbox", "multiselect", "slider", "select_slider", "text_input", "text_area"),
    *("number_input", "date_input", "time_input", "file_uploader", "segmented_control", "pills", "metric", "dialog"),
    *("camera_input", "audio_input", "color_picker", "chat_message", "feedback", "tabs", "latex"),
}
BOXES = {"error", "warning", "info", "success"}  # logs have them too
TEXT_NAMED = {"label", "body", "help", "text", "caption"}
OPTIONS = {"segmented_control", "pills", "radio", "tabs"}  # what they offer is Markdown too
FORBIDDEN = {
    "st.write",
    "st.table",
    "st.write_stream",
    "st.exception",
    "st.help",
    "st.dataframe",
    "st.data_editor",
    "Markdown",
}
HAS_LABEL = {name for name in dir(st) if callable(getattr(st, name)) and name[0].islower()}


def is_declared(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation) in OURS


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function by its name; what is a module's own has the module's name before it."""
    for module, file in MODULES.items():
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.FunctionDef):
                yield full_name(module, node.name), node


def full_name(module: str, name: str) -> str:
    return f"{module}.{name}" if name.startswith("_") else name


@cache
def returning_ours() -> set[str]:
    return {name for name, node in functions() if is_declared(node.returns)}


@cache
def fields_of_ours() -> set[str]:
    return {
        node.target.id
        for file in MODULES.values()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_declared(node.annotation)
    }


@cache
def sinks() -> dict[str, list[tuple[int | None, str]]]:
    """For every function that takes a text of ours: the place and the name of such parameters."""
    found: dict[str, list[tuple[int | None, str]]] = {name: [(0, "sentence")] for name in ERRORS}
    for name, node in functions():
        args = node.args
        positional = [arg for arg in [*args.posonlyargs, *args.args] if arg.arg not in ("self", "cls")]
        for at, arg in [*enumerate(positional), *((None, arg) for arg in args.kwonlyargs)]:
            if is_declared(arg.annotation) and name != "__init__":
                found.setdefault(name, []).append((at, arg.arg))
    return found


class Scope:
    """What the names of one function stand for."""

    def __init__(self, module: str, function: ast.FunctionDef | None) -> None:
        self.module = module
        self.given: set[str] = set()
        self.assigned: dict[str, list[ast.expr]] = {}
        inside = [*ast.walk(function)] if function else []
        for node in [*tree_of(MODULES[module]).body, *inside]:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
                self._assign(node.target, node.value or ast.Constant(""))
        for node in inside:
            if isinstance(node, ast.FunctionDef):
                self._parameters(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.assigned.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple):
            parts = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
            for each, part in zip(target.elts, parts, strict=True):
                self._assign(each, part)

    def _parameters(self, function: ast.FunctionDef) -> None:
        for arg in [*function.args.args, *function.args.kwonlyargs]:
            if is_declared(arg.annotation):
                self.given.add(arg.arg)

    def is_ours(self, text: ast.expr | None) -> bool:
        match text:
            case None | ast.Constant():
                return True
            case ast.Name(id=name):
                return name.strip("_").isupper() or name in self.given or self._is_assigned_ours(name)
            case ast.Attribute(attr=name) if name != "__getitem__":
                return name in fields_of_ours() | returning_ours()
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
                full_name(self.module, name) in returning_ours()
            ):
                return True
        parts = self._parts_of(text)
        return bool(parts) and all(map(self.is_ours, parts))

    def _parts_of(self, text: ast.expr) -> Sequence[ast.expr]:
        """What all has to be ours for a composed text to be so; nothing for what is none."""
        match text:
            case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
                return parts
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, op=ast.Add(), right=second):
                return [first, second]
            case ast.Subscript(value=part) | ast.Attribute(value=part) | ast.Starred(value=part):
                return [part]
            case ast.FormattedValue(value=part) | ast.GeneratorExp(elt=part) | ast.ListComp(elt=part):
                return [part]
            case ast.Lambda(body=part):
                return [part]
            case ast.Call(func=ast.Attribute(attr="get", value=table), args=[_, *default]):
                return [table, *default]
            case ast.Call(func=ast.Name(id="list"), args=[part]):
                return [part]
        return []

    def _is_assigned_ours(self, name: str) -> bool:
        values = self.assigned.pop(name, [])  # so that what is made of itself does not go round for ever
        is_ours = bool(values) and all(map(self.is_ours, values))
        self.assigned[name] = values
        return is_ours


def texts_of(call: ast.Call, module: str) -> Iterator[ast.expr]:
    """What a call is handed that has to be ours."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    for at, parameter in sinks().get(full_name(module, name), ()):
        if parameter in named:
            yield named[parameter]
        elif at is not None and at < len(call.args):
            yield call.args[at]
    if not (isinstance(call.func, ast.Attribute) and name in HAS_LABEL and module.startswith(("core.ui", "pages"))):
        return
    is_drawn = not isinstance(named.get("label_visibility"), ast.Constant)  # else it is a name that is only heard
    if is_drawn and name in TEXT_FIRST and (name not in BOXES or ast.unparse(call.func.value) == "st"):
        yield from call.args[:1]
    yield from (value for word, value in named.items() if word in TEXT_NAMED)
    if name in OPTIONS:
        yield named.get("format_func") or named.get("options") or call.args[1]


def foreign(module: str) -> Iterator[str]:
    """Texts of a module that are not ours where they have to be."""

    def walk(node: ast.AST, function: ast.FunctionDef | None) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            texts: list[ast.expr | None] = []
            if isinstance(child, ast.Call):
                texts += texts_of(child, module)
            elif isinstance(child, ast.Return) and function is not None and is_declared(function.returns):
                texts.append(child.value)
            for text in texts:
                if text is not None and not Scope(module, function).is_ours(text):
                    yield f"{module}, line {text.lineno}: {ast.unparse(text)}"
            is_outermost = function is None and isinstance(child, ast.FunctionDef)
            yield from walk(child, child if is_outermost else function)

    return walk(tree_of(MODULES[module]), None)


@pytest.mark.parametrize("module", MODULES)
def test_no_value_is_a_part_of_the_words(module: str) -> None:
    if module == "core.ui.frame.words.markdown":
        return  # makes them
    assert list(foreign(module)) == []


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(("core.ui", "pages"))])
def test_nothing_guesses_how_a_value_is_drawn(module: str) -> None:
    guessed = [
        ast.unparse(node)
        for node in ast.walk(tree_of(MODULES[module]))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) in FORBIDDEN or any(keyword.arg == "unsafe_allow_html" for keyword in node.keywords)
        )
    ]
    assert module in ("core.ui.frame.words.markdown", "core.ui.frame.words.tables") or guessed == []
