"""No float comes near money: not in billing, not on the floor's money, prices or charges."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture import checkout

MONEY = [*checkout.python_files(below=checkout.PACKAGES["billing"]), checkout.PACKAGES["foundation"] / "money.py"]
# Durations are no money: a name with one of these words may be a float.
TIME_WORDS = ("second", "lease", "delay", "pause", "timeout", "elapsed", "latency")


@pytest.mark.parametrize("path", MONEY, ids=checkout.name)
def test_no_float_in_a_money_module(path):
    assert not list(_floats(checkout.tree(path)))


@pytest.mark.parametrize(
    "source",
    [
        "price = 0.1",
        "price = total / 2",
        "price /= 2",
        "price = float(text)",
        "price: float = 1",
        "def charge(amount: float): ...",
        "amount = models.FloatField()",
        "price = round(amount)",
        "price = math.floor(amount)",
    ],
)
def test_the_walk_finds_each_way_to_a_float(source: str):
    assert list(_floats(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["lease_seconds: float = 0.5", "def hold(*, timeout: float = 2.5): ...", "wait(delay=0.2)"]
)
def test_a_duration_may_be_a_float(source: str):
    assert not list(_floats(ast.parse(source)))


def _floats(node: ast.AST) -> Iterator[str]:
    if _is_duration(node):
        return
    if _is_float(node):
        yield f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)}"
    for child in _children(node):
        yield from _floats(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Return the nodes below one, a parameter's default only where the parameter is no duration."""
    if not isinstance(node, ast.arguments):
        yield from ast.iter_child_nodes(node)
        return
    positional = [*node.posonlyargs, *node.args]
    defaults = [*([None] * (len(positional) - len(node.defaults))), *node.defaults, *node.kw_defaults]
    for parameter, default in zip([*positional, *node.kwonlyargs], defaults, strict=True):
        yield parameter
        if default is not None and not _names_time(parameter.arg):
            yield default


def _is_duration(node: ast.AST) -> bool:
    match node:
        case ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return _names_time(name)
        case ast.AnnAssign(target=target):
            return _names_time(ast.unparse(target))
        case ast.Assign(targets=[target]):
            return _names_time(ast.unparse(target))
    return False


def _is_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, float)
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=str())):
            return False  # a path, not a quotient
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"float", "FloatField", "round", "floor", "ceil", "fsum", "double"}
    return False


def _names_time(name: str) -> bool:
    return any(word in name.lower() for word in TIME_WORDS)
