"""The style sheet: Tailwind's own program makes it of `console.css` and the classes in the templates."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SOURCE = HERE / "console.css"
BUILT = ROOT / "static" / "console" / "console.css"


class BuildFailed(RuntimeError):
    """Tailwind refused; the message is what it said."""


def build(target: Path = BUILT) -> None:
    """Write the style sheet to `target`. Raises BuildFailed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [_tailwind(), "--input", SOURCE, "--output", target, "--minify"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed(done.stderr.strip())


def is_current() -> bool:
    """Say whether the committed style sheet is what building it now would write."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / BUILT.name
        build(fresh)
        return BUILT.is_file() and fresh.read_bytes() == BUILT.read_bytes()


def _tailwind() -> Path:
    # Beside this Python, because a virtual environment need not be on the PATH.
    return Path(sys.executable).with_name("tailwindcss")
