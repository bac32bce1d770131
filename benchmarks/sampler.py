"""Samples where the main thread of a process spends its CPU time, from within and without a dependency.

A timer of the process's CPU time (ITIMER_PROF) interrupts it, and Python runs the handler before the next bytecode: so
what a library's C code takes is counted for the line that called it. Each sample weighs as much as the main thread's
CPU time since the sample before it; the timer also counts the threads of the server and of the HTTP client, which are
no Python. A handler that runs with the first bytecode of a callback was kept waiting by the event loop's own code.
"""

import asyncio
import dis
import json
import re
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path, PurePath
from types import CodeType, FrameType

INTERVAL_SECONDS = 0.001
OURS = frozenset({"foundation", "tenants", "keys", "billing", "inference", "console", "config"})
EVENT_LOOP = "event loop"
_LIBRARY = re.compile(r".*/(?:site-packages|(lib/python3\.\d+))/(.+)\.py$")
_RESUME = dis.opmap["RESUME"]


class Sampler:
    """Counts seconds by (task, our innermost function, innermost function)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: defaultdict[tuple[str, str, str], float] = defaultdict(float)
        self._last = 0.0

    def install(self) -> None:
        """Listen to the signals that begin and end the sampling; call it in the main thread."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._start)
        signal.signal(signal.SIGUSR2, self._stop)

    def _start(self, signum: int, frame: FrameType | None) -> None:
        self._seconds.clear()
        self._last = time.thread_time()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps([[*where, seconds] for where, seconds in self._seconds.items()]))
        unfinished.replace(self._file)

    def _sample(self, signum: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        self._seconds[_where(frame)] += now - self._last
        self._last = time.thread_time()


def _where(frame: FrameType | None) -> tuple[str, str, str]:
    task = _task()
    if frame is None or not task or _is_at_its_start(frame):
        return EVENT_LOOP, EVENT_LOOP, EVENT_LOOP
    innermost = name(frame.f_code)
    if innermost.startswith("granian."):
        return EVENT_LOOP, EVENT_LOOP, EVENT_LOOP  # nothing but what runs the loop is on the stack
    while frame is not None:
        if (found := name(frame.f_code)).partition(".")[0] in OURS:
            return task, found, innermost
        frame = frame.f_back
    return task, EVENT_LOOP, innermost


def _task() -> str:
    """Name the running task by its root; the server's callbacks run outside of any."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return ""  # The loop does not run yet.
    if task is None:
        return "callbacks"
    given = task.get_name()
    return getattr(task.get_coro(), "__qualname__", given) if given.startswith("Task-") else given


def _is_at_its_start(frame: FrameType) -> bool:
    """Tell whether a callback has only just been entered: no Python ran between the interruption and it."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _RESUME and _called_by_the_loop(frame)


def _called_by_the_loop(frame: FrameType) -> bool:
    """The loop is C, so what it calls seems to be called by whoever runs the loop: the server's own start-up code."""
    return frame.f_back is None or "granian" in name(frame.f_back.f_code)


_names: dict[CodeType, str] = {}


def name(code: CodeType) -> str:
    """Return `package.module.function`; the standard library's packages come with `python:` before them."""
    found = _names.get(code)
    if found is None:
        found = _names[code] = f"{_module(code.co_filename)}.{code.co_qualname}"
    return found


def _module(file: str) -> str:
    if library := _LIBRARY.match(file):
        return ("python:" if library[1] else "") + library[2].replace("/", ".").removesuffix(".__init__")
    for folder in sorted(sys.path, key=len, reverse=True):
        if folder and PurePath(file).is_relative_to(folder):
            return ".".join(PurePath(file).relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
    return PurePath(file).stem
