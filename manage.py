#!/usr/bin/env python
"""Django's command line: `python manage.py <command>`. Any Python will do: it goes on in the one of `make`."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parent / ".venv"


def main() -> None:
    """Run one management command with the platform's settings."""
    if find_spec("django") is None:
        _enter_environment()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - see above

    from config.local import environment  # noqa: PLC0415 - see above

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Standard output is for what the command has to say.
    os.environ.setdefault("LOG_STREAM", "stderr")
    # A command without a database of its own is meant for the `make up` that runs from DATA.
    environment.adopt()
    execute_from_command_line(sys.argv)


def _enter_environment() -> None:
    python = ENVIRONMENT / "bin" / "python"
    if Path(sys.prefix) == ENVIRONMENT or not python.exists():
        raise SystemExit("Django is not installed here: run `make up` once, or install the project.")
    os.execv(python, [str(python), *sys.argv])  # noqa: S606 - to replace this process is the point


if __name__ == "__main__":
    main()
