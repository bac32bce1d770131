"""The shape of the tree: the folder `platform`, names, and sizes."""

import ast
import subprocess
import sys
from collections.abc import Iterator

from tests.architecture import checkout

FILE_WALL = 400
FUNCTION_WALL = 50
NAMES_THAT_SAY_NOTHING = {"services.py", "utils.py", "helpers.py", "managers.py", "common.py", "misc.py"}
SIZED = {".py", ".html", ".sql", ".js", ".css"}


def test_the_folder_platform_holds_no_python_file_of_its_own():
    assert not list(checkout.FOLDER_ON_THE_PATH.glob("*.py*"))


def test_the_folder_platform_holds_no_tests():
    assert not [
        path for path in checkout.python_files(below=checkout.FOLDER_ON_THE_PATH) if path.name.startswith("test_")
    ]


def test_python_finds_its_own_platform_module_from_the_checkout():
    script = "import platform, uuid; import foundation; print(platform.python_version())"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout.ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("3.12")


def test_no_package_shadows_the_standard_library():
    folders = {path.parent for path in checkout.python_files() if path.name == "__init__.py"}
    top = {folder.name for folder in folders if folder.parent in {checkout.ROOT, checkout.FOLDER_ON_THE_PATH}}
    assert set(checkout.PACKAGES) <= top
    assert not top & sys.stdlib_module_names


def test_every_package_says_what_it_is():
    silent = [
        name
        for name, folder in checkout.PACKAGES.items()
        if not ast.get_docstring(checkout.tree(folder / "__init__.py"))
    ]
    assert not silent


def test_no_file_has_a_name_that_says_nothing():
    assert not [checkout.name(path) for path in checkout.python_files() if path.name in NAMES_THAT_SAY_NOTHING]


def test_no_file_is_over_the_wall():
    long = {checkout.name(path): checkout.text(path).count("\n") for path in checkout.files() if path.suffix in SIZED}
    assert not {name: lines for name, lines in long.items() if lines > FILE_WALL and not _written_by_a_machine(name)}


def test_no_function_is_over_the_wall():
    long = {
        f"{checkout.name(path)}:{function.name}": size
        for path in checkout.python_files()
        for function, size in _functions(checkout.tree(path))
        if size > FUNCTION_WALL
    }
    assert not long


def _written_by_a_machine(name: str) -> bool:
    return "/migrations/0" in name or "/vendor/" in name or name.startswith("static/")


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1
