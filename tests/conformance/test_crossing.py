"""Each case through the gateway: what passes, what is refused, what is charged."""

from dataclasses import replace

from tests.conformance import golden, metrics, shapes, usages
from tests.conformance.behind import Turnpike, price
from tests.conformance.cases import Case
from tests.conformance.crossing import Refused
from tests.conformance.usages import Usage
from tests.conformance.wire import MODEL, Answer, Request, Target
from tests.inference.simulator.client import eventually

# Free at any price, and so on record without tokens.
_FREE = {"/v1/messages/count_tokens", "/v1/tokenize", "/v1/detokenize"}
# Nothing of an engine's headers is among them.
_HEADERS = {
    *("content-type", "content-length", "transfer-encoding", "date", "server", "cache-control"),
    *("x-content-type-options", "x-accel-buffering"),
    *("x-request-id", "request-id", "x-turnpike-model", "x-turnpike-cost-nano-usd"),
}
_COUNTERS = "vllm:prompt_tokens_total", "vllm:generation_tokens_total"


def test_the_gateway_passes_on_what_is_the_engines_and_charges_it(case: Case, gateway: Turnpike, target: Target):
    crossing = case.gateway
    request = replace(case.request, path=crossing.path or case.request.path)
    before = _counted(target) if _tells_nothing(request) else Usage(0, 0, 0)
    answer = gateway.send(request)
    if crossing.absent:
        assert (answer.status, answer.content_type) == (404, "text/html; charset=utf-8")
    elif crossing.refused:
        _is_refused(answer, crossing.refused, gateway, in_anthropics_words=request.path.startswith("/v1/messages"))
    else:
        assert answer.status == 200
        assert MODEL not in answer.text
        assert answer.headers.keys() <= _HEADERS
        if not crossing.own:
            _has_the_shape(answer, case, target)
        if request.method == "POST":
            _is_charged(answer, gateway, before, target, free=request.path in _FREE)
        for holds in case.holds if crossing.holds is None else crossing.holds:
            holds(answer)


def _has_the_shape(answer: Answer, case: Case, target: Target) -> None:
    expected = case.gateway.shape(case.area, golden.recorded(case.area, case.name))
    if case.simulator_differs and target.name == "simulator":
        assert shapes.of(answer) != expected
    else:
        golden.compare(expected, shapes.of(answer))


def _is_refused(answer: Answer, refused: Refused, gateway: Turnpike, *, in_anthropics_words: bool) -> None:
    assert answer.status == refused.status
    body = answer.json
    if in_anthropics_words:
        assert body.keys() == {"type", "error", "request_id"}
        assert (body["type"], body["request_id"]) == ("error", answer.headers["request-id"])
        assert body["error"].keys() - {"param"} == {"type", "message", "code"}
    else:
        assert body.keys() == {"error"}
        assert body["error"].keys() == {"message", "type", "param", "code"}
    assert (body["error"]["code"], body["error"].get("param")) == (refused.code, refused.param)
    record = gateway.record(answer)
    assert (record is not None) == refused.by_engine
    assert record is None or record.cost_nusd == 0


def _is_charged(answer: Answer, gateway: Turnpike, before: Usage, target: Target, *, free: bool) -> None:
    """The books have what the answer tells; where it tells nothing, they have what the engine itself has counted."""
    record = gateway.record(answer)
    assert record is not None
    assert record.outcome == "complete"
    assert record.cost_nusd == price(record.usage)
    if not answer.streamed:
        assert answer.headers["x-turnpike-cost-nano-usd"] == str(record.cost_nusd)
    told = usages.told(answer)
    if free:
        assert (record.usage, told) == (Usage(0, 0, 0), None)
    elif told:
        assert (record.usage, record.source) == (told, "final")
    else:
        used = record.usage
        after = before.prompt + used.prompt, before.completion + used.completion
        eventually(lambda: (_counted(target).prompt, _counted(target).completion) == after)
        assert record.source == "final"


def _tells_nothing(request: Request) -> bool:
    """Say whether it is for a stream whose chunks have no usage; those of other dialects always have."""
    body = request.body or {}
    options = body.get("stream_options") or {}
    return request.path.endswith("completions") and bool(body.get("stream")) and not options.get("include_usage")


def _counted(target: Target) -> Usage:
    prompt, completion = (int(metrics.value(target, name)) for name in _COUNTERS)
    return Usage(prompt, 0, completion)
