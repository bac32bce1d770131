"""What processes and cores have used, as Linux tells it in /proc."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM = 1, 11, 12  # fields of /proc/<pid>/stat behind the name, counted from 0 (man 5 proc)
_IDLE, _WAITING = 3, 4  # fields of /proc/stat


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of CPU: of a set of processes, and of the cores they run on, by whomever these were used."""

    processes: float
    cores: float
    passed: float

    def since(self, earlier: "Usage") -> "Usage":
        """Return what was used between two moments."""
        return Usage(
            self.processes - earlier.processes, self.cores - earlier.cores, max(self.passed - earlier.passed, _TICK)
        )

    @property
    def strangers(self) -> float:
        """Which part of the cores' time other processes had, from 0 to 1: what makes a measurement a bad one."""
        return min(1.0, max(0.0, (self.cores - self.processes) / self.passed))


def usage(pids: Iterable[int], cores: frozenset[int]) -> Usage:
    """Read what these processes and these cores have used so far."""
    busy, passed = _cores(cores)
    return Usage(cpu_seconds(pids), busy, passed)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the seconds of CPU that these processes have used, themselves and in the kernel for them."""
    found = [fields for pid in pids if (fields := _stat(pid))]
    return sum(int(fields[_USER]) + int(fields[_SYSTEM]) for fields in found) * _TICK


def children(pid: int) -> list[int]:
    """Return the processes that this one has started and that still run."""
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [child for child in found if (fields := _stat(child)) and int(fields[_PARENT]) == pid]


def resident_mb(pid: int) -> float:
    """Return the memory that a process has in RAM, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cores(cores: frozenset[int]) -> tuple[float, float]:
    """Return the seconds that these cores were busy, and all of their seconds."""
    busy = whole = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *counts = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            times = [int(count) for count in counts[:8]]
            whole += sum(times)
            busy += sum(times) - times[_IDLE] - times[_WAITING]
    return busy * _TICK, whole * _TICK


def threads(pid: int) -> dict[str, float]:
    """Return the seconds of CPU of a process by the names of its threads; those of one name together."""
    spent: defaultdict[str, float] = defaultdict(float)
    for folder in Path(f"/proc/{pid}/task").iterdir():
        text = (folder / "stat").read_text()
        fields = text.rpartition(")")[2].split()
        name = "Python" if folder.name == str(pid) else text.partition("(")[2].rpartition(")")[0]
        spent[name] += (int(fields[_USER]) + int(fields[_SYSTEM])) * _TICK
    return dict(spent)
