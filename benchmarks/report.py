"""What a run says: tables for people, and `bench.json` in the shape of the outside contract."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cores import Cores
from benchmarks.proof import Proof
from benchmarks.rounds import Pair

_PLAIN = ("c1", "c32", "c128")
_STREAM = ("s1", "s64", "s256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a run has found out."""

    results: Mapping[str, Pair]
    rounds: int
    seconds: int
    cores: Cores
    compiled_reader: bool
    rss_mb: float
    rss_after_mb: float
    degraded: int
    """How often Valkey did not answer in time."""
    proof: Proof

    def as_json(self) -> dict[str, Any]:
        """Return the contract's keys, and a few more; times in milliseconds, `cpu_us` per request or chunk."""
        return {
            "plain": {name: self._whole(f"plain {name}") for name in _PLAIN},
            "calm": {"c128": self._whole("calm c128")},
            "stream": {name: self._stream(name) for name in _STREAM},
            "rss_mb": round(self.rss_mb, 1),
            "rss_after_mb": round(self.rss_after_mb, 1),
            "cores": self.cores.count,
            "degraded": self.degraded,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "stream_reader": "c" if self.compiled_reader else "python",
            "ledger": asdict(self.proof),
        }

    def write(self, file: Path) -> None:
        """Replace the file."""
        file.write_text(json.dumps(self.as_json(), indent=2) + "\n")

    def lines(self) -> list[str]:
        """Return the tables, line by line."""
        return ["", *self._plain_table(), "", *self._stream_table(), "", *self._notes()]

    def _whole(self, name: str) -> dict[str, Any]:
        pair = self.results[name]
        return {
            "rps": round(pair.gateway.rate, 1),
            "direct_rps": round(pair.direct.rate, 1),
            **_delays(pair, ""),
            **_cost(pair),
            "admission_p99_ms": round(pair.gateway.admission_p99_ms, 3),
            "errors": pair.errors,
        }

    def _stream(self, name: str) -> dict[str, Any]:
        flood, paced = self.results[f"stream {name}"], self.results[f"paced {name}"]
        return {
            "chunks_per_s": round(flood.gateway.rate, 1),
            "direct_chunks_per_s": round(flood.direct.rate, 1),
            **_delays(paced, "ttft_"),
            **_cost(flood),
            "errors": flood.errors + paced.errors,
        }

    def _plain_table(self) -> Iterator[str]:
        yield f"{'Whole answers':<16}{_HEADS.format('requests/s', 'direct/s')}"
        for name in _PLAIN:
            yield f"  {name:<14}{_row(self.results[f'plain {name}'])}"
        yield f"  {'c128, calm':<14}{_row(self.results['calm c128'])}"

    def _stream_table(self) -> Iterator[str]:
        yield f"{'Streams':<16}{_HEADS.format('chunks/s', 'direct/s')}"
        for name in _STREAM:
            yield f"  {name:<14}{_row(self.results[f'stream {name}'], self.results[f'paced {name}'])}"

    def _notes(self) -> Iterator[str]:
        worst = max(pair.gateway.strangers for pair in self.results.values())
        yield f"Medians of {self.rounds} round(s) of {self.seconds} s; {self.cores.describe()}."
        yield "Times: of the whole request; for streams to the first token, at a calmer load. Added: to the engine's."
        yield "Calm: each connection waits before each request, so that none has to queue for the gateway."
        yield "Adm. p99: 99 of 100 requests were within all limits and held for in this time."
        yield f"Memory of the gateway's process: {self.rss_mb:.0f} MB idle, {self.rss_after_mb:.0f} MB after the load."
        yield f"Ledger: {self.proof.ledger}"
        yield f"Other programs had up to {worst:.0%} of the gateway's core."
        if self.degraded:
            yield (
                f"Valkey was too slow {self.degraded} time(s); each time the gateway counted limits alone for a second."
            )
        if not self.compiled_reader:
            yield "No C compiler was found: streams were read by Python, which takes CPU from engine and database."


_HEADS = "{:>11}{:>11}   ratio   p50 ms   p99 ms  added p50  added p99  adm. p99   CPU µs  errors"


def _row(pair: Pair, timed: Pair | None = None) -> str:
    """Return a line of a table. For streams the times are those to the first token of another load, `timed`."""
    gateway, direct = (timed or pair).gateway, (timed or pair).direct
    errors = pair.errors + (timed.errors if timed else 0)
    return (
        f"{pair.gateway.rate:>11,.0f}{pair.direct.rate:>11,.0f}{pair.ratio:>8.2f}"
        f"{gateway.p50_ms:>9.2f}{gateway.p99_ms:>9.2f}"
        f"{gateway.p50_ms - direct.p50_ms:>11.2f}{gateway.p99_ms - direct.p99_ms:>11.2f}"
        f"{pair.gateway.admission_p99_ms:>10.2f}{pair.gateway.cpu_us:>9.1f}{errors:>8}"
    )


def _delays(pair: Pair, prefix: str) -> dict[str, float]:
    return {
        f"{prefix}p50_ms": round(pair.gateway.p50_ms, 3),
        f"{prefix}p99_ms": round(pair.gateway.p99_ms, 3),
        f"direct_{prefix}p50_ms": round(pair.direct.p50_ms, 3),
        f"direct_{prefix}p99_ms": round(pair.direct.p99_ms, 3),
        f"{prefix}added_p50_ms": round(pair.gateway.p50_ms - pair.direct.p50_ms, 3),
        f"{prefix}added_p99_ms": round(pair.gateway.p99_ms - pair.direct.p99_ms, 3),
    }


def _cost(pair: Pair) -> dict[str, float]:
    return {
        "ratio": round(pair.ratio, 4),
        "cpu_us": round(pair.gateway.cpu_us, 2),
        "strangers": round(pair.gateway.strangers, 3),
    }
