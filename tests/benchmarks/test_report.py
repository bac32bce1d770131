"""`bench.json` has the shape that the outside contract promises, and bad books or answers are told."""

import pytest

from benchmarks.cores import Cores
from benchmarks.figures import Figures
from benchmarks.proof import Proof
from benchmarks.report import Report
from benchmarks.rounds import Pair

WHOLE = ("plain c1", "plain c32", "plain c128", "calm c128")
LOADS = (*WHOLE, *(f"{kind} {many}" for kind in ("stream", "paced") for many in ("s1", "s64", "s256")))
GOOD = Proof(charged=100, records=120, holds=0, ledger="8 checks passed", differences=False)


@pytest.fixture
def report() -> Report:
    direct = Figures(rate=10_000, p50_ms=1, p99_ms=2, answers=10, errors=0)
    gateway = Figures(rate=2_000, p50_ms=4, p99_ms=9, answers=10, errors=1, cpu_us=400)
    return Report(
        results={name: Pair(direct, gateway, 0.2) for name in LOADS},
        rounds=3,
        seconds=3,
        cores=Cores(frozenset({0}), frozenset({1})),
        compiled_reader=True,
        rss_mb=101.0,
        rss_after_mb=130.0,
        degraded=0,
        proof=GOOD,
    )


@pytest.mark.parametrize("name", ["c1", "c32", "c128"])
def test_whole_answers_have_the_contracts_keys(report: Report, name: str):
    found = report.as_json()["plain"][name]
    assert {"rps": 2000, "direct_rps": 10_000, "p50_ms": 4, "p99_ms": 9, "errors": 1}.items() <= found.items()


@pytest.mark.parametrize("name", ["s64", "s256"])
def test_streams_have_the_contracts_keys(report: Report, name: str):
    found = report.as_json()["stream"][name]
    assert {"chunks_per_s": 2000, "direct_chunks_per_s": 10_000, "ttft_p50_ms": 4, "ttft_p99_ms": 9}.items() <= (
        found.items()
    )
    assert found["errors"] == 2, "those of the flood and those of the paced load"


def test_memory_and_cores_have_the_contracts_keys(report: Report):
    assert {"rss_mb": 101.0, "cores": 2}.items() <= report.as_json().items()


def test_the_tables_name_every_load(report: Report):
    text = "\n".join(report.lines())
    assert all(name in text for name in ("c1 ", "c32", "c128 ", "c128, calm", "s1 ", "s64", "s256"))


def test_good_books_have_no_fault():
    assert not GOOD.faults(answered=100)


def test_an_answer_that_was_not_charged_is_a_fault():
    assert GOOD.faults(answered=101) == ["101 requests were answered, and only 100 were charged."]


def test_a_hold_that_was_left_behind_is_a_fault():
    assert Proof(charged=1, records=1, holds=2, ledger="", differences=False).faults(answered=1)


def test_a_difference_in_the_ledger_is_a_fault():
    assert Proof(charged=1, records=1, holds=0, ledger="2 differences found", differences=True).faults(answered=1)
