"""The command line: `python -m config.local up`, which is what `make up` calls."""

import argparse
import os
import sys
from pathlib import Path

from config.local import engines
from config.local.environment import DEFAULT_DATA
from config.local.launcher import Launcher, Wish


def main() -> int:
    """Start an installation and stay until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m config.local", description=__doc__)
    up = parser.add_subparsers(dest="command", required=True).add_parser("up", help="start, and stay in the foreground")
    up.add_argument("--data", type=Path, default=os.environ.get("DATA") or DEFAULT_DATA, help="the data folder")
    up.add_argument("--port", type=_port, default=8000, help="where the server listens")
    up.add_argument("--engine", type=engines.Kind, choices=list(engines.Kind), default=engines.Kind.MODEL)
    up.add_argument("--workers", type=int, default=1, help="server processes")
    given = parser.parse_args()
    return Launcher(Wish(data=given.data, port=given.port, engine=given.engine, workers=given.workers)).run()


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
