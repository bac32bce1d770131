"""Whatever an engine writes is an answer or an error of the engine: nothing that it writes trips its wire."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest

from inference.gateway.charging import Ending, consumption, quantity
from inference.gateway.engines.bridge import Bridged
from inference.gateway.engines.kinds import ENGINES
from inference.gateway.engines.wire import Stream
from inference.gateway.errors import UpstreamError
from inference.gateway.orders import Order
from tests.inference.gateway.engines import answers
from tests.inference.gateway.engines.orders import order_of
from tests.inference.gateway.mutations import ODD, mutated
from tests.inference.gateway.requests import BODIES

EACH = 150
CASES = [
    (kind, surface, template)
    for kind, engine in ENGINES.items()
    for surface, wire in engine.wires.items()
    for template in (("", "chatml") if kind in ("tgi", "triton") and surface != "completions" else ("",))
    if surface in answers.WHOLE
    and (template or not engine.needs_template or not (surface == "chat.completions" or isinstance(wire, Bridged)))
]
NOISE = (b"\n\n", b"{", b"data: ", b"\xff", b"<", b"error: x\n\n", b"event: error\n", b"[DONE]")


def judge(order: Order, usage: Any, outputs: int, *, final: bool) -> None:
    """What it used can be charged, however it is told."""
    for ending in (Ending.COMPLETE, Ending.CLIENT_LEFT):
        for generates in (True, False):
            found = consumption(ending, usage, final=final, outputs=outputs, likely_prompt=5, generates=generates)
            assert 0 <= found.tokens.cached <= found.tokens.prompt
    assert quantity(order.surface.unit, usage, 7) >= 0


@pytest.mark.parametrize(("kind", "surface", "template"), CASES)
def test_a_whole_answer_of_any_shape_is_read_or_is_the_engines_failure(kind, surface, template):
    dice, wire = random.Random(f"{kind} {surface} {template}"), ENGINES[kind].wires[surface]
    order = order_of(surface, {name: item for name, item in BODIES[surface][-1].items() if name != "stream"}, template)
    for body in _bodies(answers.whole(kind, surface, template), dice):
        try:
            whole = wire.whole(order, body, "application/json")
        except UpstreamError:
            continue
        orjson.loads(whole.body)
        judge(order, whole.usage, whole.outputs, final=True)


STREAMED = [case for case in CASES if any(body.get("stream") for body in BODIES[case[1]])]


@pytest.mark.parametrize(("kind", "surface", "template"), STREAMED)
def test_a_stream_of_any_events_is_read_or_is_the_engines_failure(kind, surface, template):
    dice, wire = random.Random(f"{kind} {surface} {template}"), ENGINES[kind].wires[surface]
    order = order_of(surface, BODIES[surface][-1], template)
    for _ in range(EACH):
        sent = _events(answers.events(kind, surface, template), dice)
        stream = wire.stream(order)
        with suppress(UpstreamError):
            _read(stream, sent, dice)
        judge(order, stream.usage(), stream.outputs, final=stream.final)


def _read(stream: Stream, sent: bytes, dice: random.Random) -> None:
    place = 0
    while place < len(sent):
        size = dice.choice((1, 7, 100, 5000))
        passage = stream.feed(sent[place : place + size])
        if passage.marker or passage.broken:
            return
        place += size
    stream.finish()


def _bodies(right: Any, dice: random.Random) -> Iterator[bytes]:
    for _ in range(EACH):
        if isinstance(right, tuple):
            yield answers.written(tuple(mutated(event, dice) for event in right))
            continue
        body = orjson.dumps(dice.choice(ODD) if dice.random() < 0.05 else mutated(right, dice))
        yield body[: dice.randrange(len(body) + 1)] if dice.random() < 0.05 else body


def _events(right: tuple[Any, ...], dice: random.Random) -> bytes:
    changed = (mutated(event, dice) if dice.random() < 0.3 else event for event in right)
    sent = answers.written(tuple(dice.choice(ODD) if dice.random() < 0.03 else event for event in changed))
    if right in (answers.CHUNKS, answers.TEXTS):
        sent += b"data: [DONE]\n\n"
    if dice.random() < 0.1:
        place = dice.randrange(len(sent))
        return sent[:place] + dice.choice(NOISE) + sent[place:]
    return sent
