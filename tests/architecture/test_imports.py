"""Imports, where import-linter has no contract for the rule."""

from functools import cache

import grimp
import pytest

from tests.architecture import checkout


@cache
def graph(*, type_checking: bool) -> grimp.ImportGraph:
    """Build the graph of imports between our modules, with or without those that only a type checker reads."""
    return grimp.build_graph(*checkout.PACKAGES, exclude_type_checking_imports=not type_checking, cache_dir=None)


@pytest.mark.parametrize("package", checkout.PACKAGES)
def test_no_module_is_in_a_cycle(package: str):
    assert not _cycles(graph(type_checking=False), package)


def test_names_for_the_type_checker_point_down_too():
    imports = graph(type_checking=True)
    up = {
        (importer, imported)
        for importer in imports.modules
        for imported in imports.find_modules_directly_imported_by(importer)
        if not checkout.points_down(importer.partition(".")[0], imported.partition(".")[0])
    }
    assert not up


def test_the_cycle_finder_finds_a_cycle():
    ring = grimp.ImportGraph()
    for importer, imported in (("app.a", "app.b"), ("app.b", "app.c"), ("app.c", "app.a"), ("app.c", "app.d")):
        ring.add_import(importer=importer, imported=imported)
    assert _cycles(ring, "app") == [{"app.a", "app.b", "app.c"}]


def _cycles(imports: grimp.ImportGraph, package: str) -> list[set[str]]:
    """Return the sets of modules that reach each other, within one package.

    A module is in a cycle exactly when something it imports leads back to it.
    """
    modules = {module for module in imports.modules if module.partition(".")[0] == package}
    reached = {module: imports.find_upstream_modules(module) & modules for module in modules}
    rings: list[set[str]] = []
    for module in sorted(modules):
        ring = {other for other in reached[module] if module in reached[other]} | {module}
        if len(ring) > 1 and ring not in rings:
            rings.append(ring)
    return rings
