"""Places where a process can be made to die, so that tests can prove what a crash there costs: nothing.

Armed by the environment: `FAILPOINT=settled:3` kills this process with SIGKILL the third time it reaches `settled`.
Never armed in production, whatever the environment says; where nothing is armed, `reach` does nothing at all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

POINTS = ("held", "accepted", "streaming", "used", "settled", "ended")
"""In the order of a request: it holds money; the engine has accepted it; its first output is on its way; its usage is
known; its charge is durable and the end marker has not left; the end marker has left."""


def _nothing(point: str) -> None:
    """Where nothing is armed."""


def _armed(point: str, times: int) -> Callable[[str], None]:
    left = times

    def die(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return die


def arm(statement: str, environment: str) -> Callable[[str], None]:
    """Return what `reach` does for a statement such as `settled:3`. ValueError for one that makes no sense."""
    if not statement or environment == "production":
        return _nothing
    point, _, times = statement.partition(":")
    if point not in POINTS:
        raise ValueError(f"FAILPOINT: {point} is none of {', '.join(POINTS)}")
    return _armed(point, int(times or 1))


reach: Callable[[str], None] = arm(os.environ.get("FAILPOINT", ""), os.environ.get("ENVIRONMENT", "development"))
