"""Snippets in the documentation are code that runs, and commands that exist."""

import ast
import importlib
import json
import re
import tomllib

import pytest
from django.core.management import get_commands

from config.local import catalogue, engine
from config.local.engines import Kind
from tests.architecture import checkout
from tests.docs import pages

MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
MANAGE = re.compile(r"manage\.py ([a-z][a-z_]*)")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_python_snippets_parse_and_their_imports_exist():
    for path, body in pages.snippets("python"):
        for node in ast.walk(ast.parse(body, filename=checkout.name(path))):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names), (checkout.name(path), node.module)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    importlib.import_module(alias.name)


def test_examples_call_models_that_make_up_serves():
    named = re.findall(
        r'"?model"?[:=]\s*"([^"]+)"', "\n".join(path.read_text(encoding="utf-8") for path in pages.pages())
    )
    served = {offer.id for kind in Kind for offer in catalogue.offers(kind)}
    assert engine.MODEL in named
    assert set(named) <= served


def test_json_and_toml_snippets_parse():
    for _, body in pages.snippets("json"):
        json.loads(body)
    for _, body in pages.snippets("toml"):
        tomllib.loads(body)


def test_every_make_target_that_is_mentioned_exists():
    targets = re.findall(r"^([a-z][a-z-]*):", (checkout.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    code = [*pages.CODE.findall(pages.everything()), *(body for _, body in pages.snippets("sh"))]
    assert not {target for text in code for target in MAKE.findall(text)} - set(targets)


def test_every_management_command_that_is_mentioned_exists():
    assert not set(MANAGE.findall(pages.everything())) - set(get_commands())


@pytest.mark.parametrize("path", pages.pages(), ids=checkout.name)
def test_links_lead_somewhere(path):
    assert not [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", pages.pages(), ids=checkout.name)
def test_named_modules_exist(path):
    """`billing/holds.py` in a text is a promise that the file is there."""
    text = path.read_text(encoding="utf-8")
    tops = "|".join(("platform", "foundation", "config", "console", *checkout.APPS, "tests", "deploy", "docs"))
    named = re.findall(rf"`((?:{tops})/[\w/.-]+\.(?:py|sql|txt|md|toml))`", text)
    folders = (checkout.ROOT, checkout.FOLDER_ON_THE_PATH)
    assert not [name for name in named if not any((folder / name).is_file() for folder in folders)]
