"""The checkout as the architecture tests see it: which files it has, and what is in them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER_ON_THE_PATH = ROOT / "platform"
# Package name -> folder, from the floor to the roof; a package may import what stands before it.
PACKAGES = {
    "foundation": FOLDER_ON_THE_PATH / "foundation",
    "tenants": ROOT / "tenants",
    "keys": ROOT / "keys",
    "billing": ROOT / "billing",
    "inference": ROOT / "inference",
    "console": FOLDER_ON_THE_PATH / "console",
    "config": FOLDER_ON_THE_PATH / "config",
}
RANKS = {"foundation": 0, "tenants": 1, "keys": 2, "billing": 2, "inference": 3, "console": 4, "config": 5}
APPS = ("tenants", "keys", "billing", "inference")


def points_down(importer: str, imported: str) -> bool:
    """Say whether one package may know of another: only of itself and of those below it."""
    return importer == imported or RANKS[imported] < RANKS[importer]


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is, or is about to be, in the repository."""
    # A container often builds a checkout that somebody else owns; git would refuse to read it.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*, below: Path = ROOT) -> list[Path]:
    """Return the repository's Python files below a folder."""
    return [path for path in files() if path.suffix == ".py" and path.is_relative_to(below)]


def code_files() -> list[Path]:
    """Return the Python files of the packages: neither tests nor benchmarks."""
    return [path for folder in PACKAGES.values() for path in python_files(below=folder)]


def is_migration(path: Path) -> bool:
    """Say whether a Python file is a migration."""
    return path.parent.name == "migrations" and path.name != "__init__.py"


@cache
def text(path: Path) -> str:
    """Return a file's text, or nothing for a file that is no text (a picture, a font)."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    return ast.parse(text(path), filename=str(path))


def name(path: Path) -> str:
    """Return a path as people write it: relative to the checkout."""
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    """Return the dotted name by which a file of a package is imported."""
    base = FOLDER_ON_THE_PATH if path.is_relative_to(FOLDER_ON_THE_PATH) else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
