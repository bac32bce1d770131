import math
import time

from inference.simulator.latency import Latency
from tests.inference.simulator import client


def test_a_longer_prompt_takes_longer_to_its_first_token():
    assert Latency().ttft(16_000) - Latency().ttft(0) > 0.9


def test_a_fuller_batch_decodes_more_slowly():
    assert Latency().gap(128) > 1.5 * Latency().gap(1)


def test_speed_divides_every_delay():
    assert math.isclose(Latency(speed=4).ttft(100), Latency().ttft(100) / 4)
    assert math.isclose(Latency(speed=4).gap(10), Latency().gap(10) / 4)


def test_infinite_speed_has_no_delay():
    assert Latency(speed=math.inf).ttft(1000) == Latency(speed=math.inf).gap(1000) == 0


def test_without_a_directive_the_delay_is_realistic(sim):
    started = time.monotonic()
    reply = sim.ask("Hello there", max_tokens=20)
    assert reply.json["usage"]["completion_tokens"] == 20
    assert 0.15 < time.monotonic() - started < 2


def test_infinite_speed_answers_at_once():
    with client.simulator("--speed", "inf") as sim:
        started = time.monotonic()
        sim.ask("Hello there", ignore_eos=True, max_tokens=500)
        assert time.monotonic() - started < 1


def test_directed_delays_are_kept(sim):
    started = time.monotonic()
    sim.ask("[[sim tokens=10 ttft=100 gap=20]]")
    assert 0.295 <= time.monotonic() - started < 2


def test_a_stream_takes_as_long_as_the_same_answer_in_one_piece(sim):
    with sim.asking("[[sim tokens=10 ttft=100 gap=20]]", stream=True) as wire:
        started = time.monotonic()
        wire.read_until(b"assistant")
        to_first = time.monotonic() - started
        wire.read_until(b"[DONE]")
    assert 0.09 <= to_first < 0.28
    assert 0.29 <= time.monotonic() - started < 2
