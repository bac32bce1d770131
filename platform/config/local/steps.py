"""What a start shows: one line for each step, with the time it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_WIDTH = 46


class Steps:
    """Prints each step when it begins and its time when it has ended; on a terminal both share one line."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._same_line = sys.stdout.isatty()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        if self._same_line:
            print(f"  {what:<{_WIDTH}}", end="", flush=True)
        try:
            yield
        except BaseException:
            if self._same_line:
                print(flush=True)
            raise
        spent = f"{time.monotonic() - began:6.1f} s"
        print(spent if self._same_line else f"  {what:<{_WIDTH}}{spent}", flush=True)

    @property
    def seconds(self) -> float:
        """How long the start has taken so far."""
        return time.monotonic() - self._began


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


def complain(line: str) -> None:
    """Print a line to where errors go."""
    print(line, file=sys.stderr, flush=True)
