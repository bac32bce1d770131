from tests.inference.simulator.client import eventually, simulator

AT_ONCE = "[[sim tokens=1 ttft=0 gap=0]]"
LONG = "[[sim ttft=60000]]"


def test_requests_above_the_limit_wait_for_a_place():
    with simulator("--max-num-seqs", "1") as sim, sim.asking(LONG, "first") as first:
        eventually(lambda: sim.witness()["running"])
        with sim.asking(AT_ONCE, "second") as second:
            eventually(lambda: sim.witness()["waiting"])
            assert sim.record("second", ended=False)["running"] == 0
            first.socket.close()
            assert second.reply().status == 200
        assert sim.record("second")["running"] == 1
        assert sim.witness()["max_running"] == 1


def test_a_client_that_leaves_the_queue_is_not_served():
    with simulator("--max-num-seqs", "1") as sim, sim.asking(LONG):
        eventually(lambda: sim.witness()["running"])
        with sim.asking(AT_ONCE, "impatient", stream=True):
            eventually(lambda: sim.witness()["waiting"])
        eventually(lambda: not sim.witness()["waiting"])
        record = sim.record("impatient")
        assert (record["ended"], record["running"]) == ("client_gone", 0)


def test_a_long_queue_of_instant_answers_is_worked_off():
    with simulator("--max-num-seqs", "1") as sim, sim.asking(LONG) as first:
        eventually(lambda: sim.witness()["running"])
        wires = [sim.wire() for _ in range(300)]
        for wire in wires:
            wire.send("POST", "/v1/completions", b'{"prompt": "[[sim tokens=1 ttft=0 gap=0]]"}')
        eventually(lambda: sim.witness()["waiting"] == 300)
        first.socket.close()
        assert [wire.reply().status for wire in wires] == [200] * 300
        for wire in wires:
            wire.socket.close()


def test_the_load_is_what_runs_and_waits():
    with simulator("--max-num-seqs", "1") as sim, sim.asking(LONG), sim.asking(LONG):
        eventually(lambda: sim.call("GET", "/load").json == {"server_load": 2})
