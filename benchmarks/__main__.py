"""The command line: `python -m benchmarks`, which is what `make bench` calls, and `python -m benchmarks profile`."""

import argparse
import os
import sys
from pathlib import Path

from benchmarks import plain, profiling, streams
from benchmarks.installation import Installation, running
from benchmarks.interrupts import Interrupts
from benchmarks.proof import prove
from benchmarks.report import Report
from benchmarks.rounds import Rounds, loads
from config.local.environment import DEFAULT_DATA
from config.local.errors import CannotStart, Stopped
from config.local.lock import AlreadyRunning
from config.local.steps import complain, say


def main() -> int:
    """Measure or profile; 0 when every answer was right and the ledger is, too."""
    given = _arguments()
    interrupts = Interrupts()
    interrupts.install()
    try:
        plain.require_wrk()
        if given.command == "profile":
            return profiling.profile(given.data, interrupts, seconds=given.seconds, connections=given.connections)
        return _measure(given.data, interrupts, rounds=given.rounds, seconds=given.seconds)
    except Stopped:
        complain("\nStopped.")
        return 130
    except (CannotStart, AlreadyRunning) as reason:
        complain(f"\n{reason}")
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["measure", "profile"], default="measure")
    parser.add_argument("--data", type=Path, default=os.environ.get("DATA") or DEFAULT_DATA, help="the data folder")
    parser.add_argument("--rounds", type=_at_least_one, default=3, help="how often each load is put on (default 3)")
    parser.add_argument("--seconds", type=_at_least_one, default=3, help="for how long each time (default 3)")
    parser.add_argument("--connections", type=_at_least_one, default=128, help="for the profile (default 128)")
    return parser.parse_args()


def _measure(data: Path, interrupts: Interrupts, *, rounds: int, seconds: int) -> int:
    with running(data, interrupts) as installation:
        idle = installation.resident_mb()
        reader = streams.reader(installation.places.data)
        measured = Rounds(installation)
        measured.warm_up()
        for number in range(1, rounds + 1):
            for load in loads(reader, seconds=seconds):
                measured.run(load, label=f"round {number}/{rounds}")
        report = _finish(installation, measured, reader, idle=idle, rounds=rounds, seconds=seconds)
    return _tell(report, measured.answered, data / "bench.json")


def _finish(
    installation: Installation, measured: Rounds, reader: streams.Command, *, idle: float, rounds: int, seconds: int
) -> Report:
    after = installation.resident_mb()
    return Report(
        results=measured.results(),
        rounds=rounds,
        seconds=seconds,
        cores=installation.cores,
        compiled_reader=streams.is_compiled(reader),
        rss_mb=idle,
        rss_after_mb=after,
        degraded=installation.times_degraded(),
        proof=prove(installation),
    )


def _tell(report: Report, answered: int, file: Path) -> int:
    report.write(file)
    for line in report.lines():
        say(line)
    errors = sum(pair.errors for pair in report.results.values())
    faults = report.proof.faults(answered)
    if errors:
        faults.append(f"{errors} answers were wrong, cut short or missing.")
    for fault in faults:
        complain(fault)
    say(f"Written to {file}")
    return 1 if faults else 0


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
