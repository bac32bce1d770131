"""The command line: `python -m tests.conformance`, which is what `make conformance-vllm` calls.

Installs the real vLLM, starts it, runs the tests of this folder against it, straight and through a gateway, then
against the simulator in the same way, and writes what came of it as a table. With `--record` vLLM's answers become the
golden ones first.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.interrupts import Interrupts
from config.local.environment import DEFAULT_DATA
from config.local.errors import CannotStart, Stopped
from config.local.places import REPOSITORY
from config.local.steps import Steps, complain, say
from tests.conformance import report, targets, vllm
from tests.conformance.wire import Role

_HERE = Path(__file__).parent
_TESTS = {Role.GENERATE: [_HERE], Role.POOLING: [_HERE / "test_cases.py", _HERE / "test_crossing.py"]}


def main() -> int:
    """Return 0 when vLLM and the simulator both answer as recorded."""
    given = _arguments()
    interrupts = Interrupts()
    interrupts.install()
    try:
        return _run(vllm.Place((given.data / "vllm").absolute()), given, interrupts)
    except Stopped:
        complain("\nStopped.")
        return 130
    except CannotStart as reason:
        complain(f"\n{reason}")
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("DATA") or DEFAULT_DATA, help="the data folder")
    parser.add_argument("--uv", type=Path, default=Path(".local/uv/bin/uv"), help="what installs vLLM")
    parser.add_argument("--record", action="store_true", help="keep vLLM's answers as the golden ones")
    return parser.parse_args()


def _run(place: vllm.Place, given: argparse.Namespace, interrupts: Interrupts) -> int:
    steps = Steps()
    with steps.step("Installing vLLM for the CPU"):
        vllm.install(place, given.uv.absolute(), interrupts.pause)
    with steps.step("Making a tiny Llama"):
        vllm.make_model(place, interrupts.pause)
    real: report.Results = {}
    for role in Role:
        real |= _ask_vllm(place, role, steps, interrupts, record=given.record)
    with steps.step("Asking the simulator"):
        simulated = _pytest([_HERE], {}, place.folder / "simulator")
    return _tell(report.Report({"vLLM": real, "simulator": simulated}), given.data / "conformance.md")


def _ask_vllm(place: vllm.Place, role: Role, steps: Steps, interrupts: Interrupts, *, record: bool) -> report.Results:
    with steps.step(f"Starting vLLM to {'generate' if role is Role.GENERATE else 'embed and rank'}"):
        child, url = vllm.start(place, role, interrupts.pause)
    try:
        with steps.step("Asking it"):
            env = {targets.variable(role): url} | ({"CONFORMANCE_RECORD": "1"} if record else {})
            return _pytest(_TESTS[role], env, place.folder / f"vllm-{role}")
    finally:
        child.stop(hurry=interrupts.in_a_hurry)


def _pytest(tests: list[Path], env: Mapping[str, str], output: Path) -> report.Results:
    """Run the tests in a process of their own; its output and its results lie beside each other."""
    results = output.with_suffix(".xml")
    results.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={results}",
        *map(str, tests),
    ]
    with output.with_suffix(".txt").open("w") as log:
        subprocess.run(command, env={**os.environ, **env}, cwd=REPOSITORY, stdout=log, stderr=log, check=False)
    if not results.exists():
        raise CannotStart(f"pytest has no results; see {output.with_suffix('.txt')}")
    return report.read(results)


def _tell(told: report.Report, file: Path) -> int:
    file.write_text("\n".join(told.lines()) + "\n")
    for line in [*told.summary(), *told.failures]:
        say(line)
    say(f"Written to {file}")
    return 1 if told.failures else 0


if __name__ == "__main__":
    sys.exit(main())
