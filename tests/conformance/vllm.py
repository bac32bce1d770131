"""Install and start the real vLLM on the CPU: a Python, a model and processes of its own, below the data folder.

`deploy/vllm/` pins the version and says what an operator should know. Flags that a Turnpike relies on are set as there.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.local import ports, processes
from config.local.errors import CannotStart
from config.local.places import REPOSITORY
from tests.conformance.wire import CONTEXT, KEY, MODEL, Role

PYTHON = "3.11"  # vLLM's CPU build of torch exists for this one
_REQUIREMENTS = REPOSITORY / "deploy" / "vllm"
_SECONDS_TO_START = 300
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
_GENERATE = [
    *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
    # Without blanks between its members the JSON of a random model comes to an end.
    *("--structured-outputs-config", json.dumps({"backend": "xgrammar", "disable_any_whitespace": True})),
]
_FLAGS = {Role.GENERATE: _GENERATE, Role.POOLING: ["--runner", "pooling"]}


@dataclass(frozen=True)
class Place:
    """Where vLLM, its model and its logs are."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def model(self) -> Path:
        return self.folder / MODEL


def install(place: Place, uv: Path, pause: Callable[[float], None]) -> None:
    """Install the pinned vLLM with `uv`; at once where it is there already. Raises CannotStart."""
    place.folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "UV_FIND_LINKS": _find_links(), "VIRTUAL_ENV": str(place.folder / "venv")}
    if not place.python.exists():
        _run(place, [uv, "venv", "-q", "--python", PYTHON, place.folder / "venv"], env, pause)
    requirements: list[str | Path] = ["--requirement", _REQUIREMENTS / "requirements-cpu.txt"]
    overrides: list[str | Path] = ["--override", _REQUIREMENTS / "overrides-cpu.txt"]
    _run(place, [uv, "pip", "install", "-q", *requirements, *overrides], env, pause)


def make_model(place: Place, pause: Callable[[float], None]) -> None:
    """Make the tiny model anew: it takes seconds, and what is asked of it may have changed."""
    shutil.rmtree(place.model, ignore_errors=True)
    script = Path(__file__).with_name("tiny_llama.py")
    _run(place, [place.python, script, place.model], {**os.environ, **_QUIET}, pause)


def start(place: Place, role: Role, pause: Callable[[float], None]) -> tuple[processes.Running, str]:
    """Start a vLLM of this role on a free port of the loopback address; return it and its address when it is ready."""
    port = ports.free()
    program = processes.Program(
        name=f"vllm-{role}",
        command=_command(place, role, port),
        env={**os.environ, **_QUIET},
        cwd=place.folder,
        grace=20,
    )
    child = processes.start(program, logs=place.folder, run=place.folder)
    try:
        ready = lambda: ports.answers(port, "/health")  # noqa: E731 - a name for the next line
        processes.wait_until_ready(child, ready, seconds=_SECONDS_TO_START, pause=pause)
    except BaseException:
        child.stop()
        raise
    return child, f"http://{ports.HOST}:{port}"


def _command(place: Place, role: Role, port: int) -> list[str | Path]:
    return [
        *(place.python, "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", MODEL, "--served-model-name", MODEL, "--host", ports.HOST, "--port", str(port)),
        *("--dtype", "float32", "--enforce-eager", "--max-model-len", str(CONTEXT), "--max-num-seqs", "8"),
        *("--api-key", KEY, "--enable-prompt-tokens-details", "--enable-request-id-headers"),
        "--enable-server-load-tracking",
        *_FLAGS[role],
    ]


def _run(place: Place, command: list[str | Path], env: dict[str, str], pause: Callable[[float], None]) -> None:
    program = processes.Program(name="vllm-setup", command=command, env=env, cwd=place.folder)
    child = processes.start(program, logs=place.folder, run=place.folder)
    try:
        while child.alive:
            pause(0.1)
    finally:
        child.stop()
    if child.process.returncode:
        raise CannotStart(processes.why_it_died(child))


def _find_links() -> str:
    """Where pip looks besides the index; a CPU build of torch may lie there, and uv does not read pip's settings."""
    if links := os.environ.get("UV_FIND_LINKS"):
        return links
    asked = subprocess.run(
        [shutil.which("pip") or "pip", "config", "get", "global.find-links"],
        capture_output=True,
        text=True,
        check=False,
    )
    return os.environ.get("PIP_FIND_LINKS") or asked.stdout.strip()
