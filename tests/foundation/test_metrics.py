import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foundation import metrics

COUNT_AND_SAY_SO = """
from foundation import metrics
metrics.requests("chat.completions", "complete", "200").inc()
metrics.in_flight.inc()
metrics.dependency_degraded("valkey").set(1)
print("ready", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


def start(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", COUNT_AND_SAY_SO],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def stop(process: subprocess.Popen[str], sign: signal.Signals) -> None:
    process.send_signal(sign)
    process.communicate(timeout=20)


def rendered_by_a_third(folder: Path) -> str:
    script = "from foundation import metrics; print(metrics.render().decode())"
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    ).stdout


def test_a_process_renders_its_own_metrics():
    metrics.tokens("prompt", "render-me").inc(7)
    assert b'turnpike_tokens_total{kind="prompt",model="render-me"} 7.0' in metrics.render()


def test_a_child_is_resolved_once():
    assert metrics.requests("chat", "complete", "200") is metrics.requests("chat", "complete", "200")
    assert metrics.requests("chat", "complete", "200") is not metrics.requests("chat", "complete", "500")


@pytest.mark.parametrize("values", [(), ("chat",), ("chat", "complete", "200", "more")])
def test_labels_are_all_or_an_error(values):
    with pytest.raises(ValueError, match="label"):
        metrics.requests(*values)


def test_every_metric_has_the_projects_name_and_says_what_it_is():
    for family in metrics.registry.collect():
        assert re.fullmatch("turnpike_[a-z_]+", family.name)
        assert family.documentation.endswith(".")


def test_processes_of_a_host_render_their_sum(folder):
    processes = [start(folder), start(folder)]
    text = rendered_by_a_third(folder)
    for process in processes:
        stop(process, signal.SIGTERM)
    assert 'turnpike_requests_total{endpoint="chat.completions",outcome="complete",status="200"} 2.0' in text
    assert "turnpike_requests_in_flight 2.0" in text
    assert 'turnpike_dependency_degraded{dependency="valkey"} 1.0' in text


def test_a_killed_process_takes_its_gauges_along_and_leaves_its_counts(folder):
    killed, alive = start(folder), start(folder)
    stop(killed, signal.SIGKILL)
    text = rendered_by_a_third(folder)
    stop(alive, signal.SIGTERM)
    assert "turnpike_requests_in_flight 1.0" in text
    assert 'turnpike_requests_total{endpoint="chat.completions",outcome="complete",status="200"} 2.0' in text
