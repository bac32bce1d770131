import time

from inference.simulator.witness import Record, Witness
from tests.inference.simulator.client import eventually, simulator


def _record(number: int) -> Record:
    return Record(f"cmpl-{number}", str(number), "/v1/completions", started_at=float(number))


def test_the_log_is_bounded_and_keeps_the_latest():
    witness = Witness(capacity=3)
    for number in range(5):
        witness.open(_record(number))
    assert [record.request_id for record in witness.records] == ["2", "3", "4"]


def test_how_a_request_ended_is_said_once():
    witness = Witness()
    record = witness.open(_record(1))
    record.ended = "hung"
    witness.close(record, "client_gone")
    assert record.ended == "hung"
    assert record.ended_at is not None


def test_a_request_is_on_record_with_its_tokens_and_times(sim):
    before = time.time()
    sim.ask("[[sim tokens=7 ttft=20 gap=1]]", stream=True, request_id="witnessed")
    record = sim.record("witnessed")
    assert (record["id"], record["model"], record["stream"]) == ("chatcmpl-witnessed", "sim", True)
    assert (record["prompt_tokens"], record["completion_tokens"], record["ended"]) == (12, 7, "complete")
    assert before <= record["started_at"] <= record["ended_at"] - 0.02


def test_what_was_refused_is_on_record_too(sim):
    sim.ask("Hello", model="other", request_id="refused")
    record = sim.record("refused")
    assert (record["status"], record["ended"], record["completion_tokens"]) == (404, "status", 0)


def test_the_witness_says_how_many_ran_at_once():
    with simulator() as sim:
        with sim.asking("[[sim ttft=60000]]", "a"), sim.asking("[[sim ttft=60000]]", "b"):
            eventually(lambda: sim.witness()["running"] == 2)
            assert {record["running"] for record in sim.witness()["requests"]} == {1, 2}
        eventually(lambda: sim.witness()["running"] == 0)
        assert sim.witness()["max_running"] == 2


def test_clearing_forgets_the_requests_and_the_maximum():
    with simulator() as sim, sim.asking("[[sim ttft=60000]]"):
        eventually(lambda: sim.witness()["running"])
        sim.ask("[[sim tokens=1 ttft=0 gap=0]]")
        assert sim.call("DELETE", "/witness").status == 200
        assert sim.witness() == {"max_running": 1, "running": 1, "waiting": 0, "requests": []}
