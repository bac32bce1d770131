"""Ctrl-C and SIGTERM: the first ends the measurement, and what was started is stopped; the next one hurries that up."""

import os
import signal
import time
from types import FrameType

from config.local.errors import Stopped
from config.local.processes import follow_the_parent


class Interrupts:
    """Counts the requests to stop."""

    def __init__(self) -> None:
        self._count = 0

    def install(self) -> None:
        """Listen to the signals that mean "stop"."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._interrupted)
        if "MAKELEVEL" in os.environ:
            # make passes a SIGTERM on; if it is killed itself, that must end the load as well.
            follow_the_parent(os.getppid(), signal.SIGTERM)()

    def pause(self, seconds: float) -> None:
        """Sleep; the first signal raises Stopped here, as anywhere else."""
        time.sleep(seconds)

    def in_a_hurry(self) -> bool:
        """Tell whether somebody asked twice."""
        return self._count > 1

    def _interrupted(self, signum: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            raise Stopped
