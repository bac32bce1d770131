#!/usr/bin/env python
"""Django's command line: `python manage.py <command>`."""

import os
import sys

from django.core.management import execute_from_command_line

from config.local import environment


def main() -> None:
    """Run one management command with the platform's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Standard output is for what the command has to say.
    os.environ.setdefault("LOG_STREAM", "stderr")
    # A command without a database of its own is meant for the `make up` that runs from DATA.
    environment.adopt()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
