"""Every metric of the platform, declared once: `turnpike_…`, in Prometheus' names and units.

With PROMETHEUS_MULTIPROC_DIR set (before this is imported) all processes of a host write to files in that folder and
any of them can `render` the sum; without it a process renders its own. Whoever starts the processes empties the folder
first. Labels come from small closed sets (endpoints, outcomes, models of the catalogue), never from a request as such.
In use: `metrics.requests("chat.completions", "complete", "200").inc()`.
"""

import os
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The content type of what `render` returns."""

_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if _FOLDER:
    Path(_FOLDER).mkdir(parents=True, exist_ok=True)  # Or the first declaration below could not open its file.

registry = CollectorRegistry()
"""The metrics of this process."""


class Labelled[Child]:
    """A metric with labels that remembers its children: one dictionary look-up on the hot path."""

    def __init__(self, labels: Callable[..., Child]) -> None:
        self._labels = labels
        self._children: dict[tuple[str, ...], Child] = {}

    def __call__(self, *values: str) -> Child:
        """Return the child with these values, given in the order of the declaration."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._labels(*values)
        return child


def _counter(name: str, text: str, *labels: str) -> Labelled[Counter]:
    return Labelled(Counter(name, text, labels, registry=registry).labels)


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...]) -> Labelled[Histogram]:
    return Labelled(Histogram(name, text, labels, buckets=buckets, registry=registry).labels)


_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 30.0, 60.0)
_OVERHEAD = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1.0, 5.0)
_ADMISSION = (
    0.0005,
    0.001,
    0.0015,
    0.002,
    0.0025,
    0.003,
    0.004,
    0.005,
    0.0075,
    0.01,
    0.015,
    0.02,
    0.03,
    0.05,
    0.1,
    0.2,
    0.4,
    1.0,
)
_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

# Requests
requests = _counter("turnpike_requests", "Requests that ended.", "endpoint", "outcome", "status")
event_loop_tasks = Gauge(
    "turnpike_event_loop_tasks", "Tasks of the gateway.", registry=registry, multiprocess_mode="livesum"
)
in_flight = Gauge("turnpike_requests_in_flight", "Requests under way.", registry=registry, multiprocess_mode="livesum")
time_to_first_token = _histogram(
    "turnpike_time_to_first_token_seconds", "From the request's head to the first output.", "model", buckets=_SECONDS
)
admission = Histogram(
    "turnpike_admission_seconds",
    "From a known caller to being within all limits and held for; one request in sixteen.",
    buckets=_ADMISSION,
    registry=registry,
)
gateway_overhead = _histogram(
    "turnpike_gateway_overhead_seconds",
    "Time of a request that no engine took.",
    "endpoint",
    buckets=_OVERHEAD,
)

# Usage and money. Prometheus counts in floats: exact to 2**53 nano-dollars (9 million USD); the ledger is the truth.
tokens = _counter("turnpike_tokens", "Tokens metered; kind: prompt, cached, completion.", "kind", "model")
charged = _counter("turnpike_charged_nano_dollars", "Nano-dollars charged.", "model")
holds_expired = Counter("turnpike_holds_expired", "Holds voided because their lease ran out.", registry=registry)
holds_outgrown = Counter("turnpike_holds_outgrown", "Running requests that cost more than held.", registry=registry)
settlements_late = Counter("turnpike_settlements_late", "Settlements after the hold expired.", registry=registry)
settlements_over_hold = Counter("turnpike_settlements_over_hold", "Charges above their hold.", registry=registry)
budget_shadow_refusals = _counter(
    "turnpike_budget_shadow_refusals", "Requests that a shadow budget would have refused.", "scope"
)
ledger_verified = Gauge(
    "turnpike_ledger_verified",
    "1 if the last verification found no difference, 0 if it found one.",
    registry=registry,
    multiprocess_mode="mostrecent",
)
ledger_verified_at = Gauge(
    "turnpike_ledger_verified_timestamp_seconds",
    "When the last verification ended, in Unix time; 0 before the first.",
    registry=registry,
    multiprocess_mode="mostrecent",
)

# Machinery
batch_size = _histogram("turnpike_batch_size", "Items in a flight of a micro-batcher.", "batch", buckets=_SIZES)
batch_waiting = Labelled(
    Gauge(
        "turnpike_batch_waiting",
        "Items waiting for a flight, in steps.",
        ["batch"],
        registry=registry,
        multiprocess_mode="livesum",
    ).labels
)
batch_refused = _counter("turnpike_batch_refused", "Items refused because too many were waiting.", "batch")
dependency_degraded = Labelled(
    Gauge(
        "turnpike_dependency_degraded",
        "1 while a process works without this dependency.",
        ["dependency"],
        registry=registry,
        multiprocess_mode="livemax",
    ).labels
)
pools_without_credential = Gauge(
    "turnpike_pools_without_credential",
    "Pools out of service because no key opens their credential.",
    registry=registry,
    multiprocess_mode="livemax",
)
jobs_not_sent = Counter("turnpike_jobs_not_sent", "Jobs that the broker did not take.", registry=registry)
log_fields_dropped = Counter(
    "turnpike_log_fields_dropped", "Fields kept out of the log because they are not on its list.", registry=registry
)


def render() -> bytes:
    """Return all metrics in Prometheus' text format; it reads files, so call it off the event loop."""
    if not _FOLDER:
        return generate_latest(registry)
    _forget_dead_processes(Path(_FOLDER))
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody, path=_FOLDER)  # type: ignore[no-untyped-call]  # prometheus-client leaves it bare
    return generate_latest(everybody)


def _forget_dead_processes(folder: Path) -> None:
    # A process that was killed cannot take its live gauges back: its requests would stay in flight for ever.
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # prometheus-client leaves it bare
        except PermissionError:
            continue  # Alive, and somebody else's.
