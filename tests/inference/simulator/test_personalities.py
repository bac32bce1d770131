"""Each engine on a socket of its own: the shapes that an adapter reads."""

from collections.abc import Iterator
from itertools import pairwise

import anthropic
import openai
import pytest

from inference.simulator.personalities import PERSONALITIES
from tests.inference.simulator.client import CHAT, ROOT, Simulated, simulator

QUICK = "ttft=0 gap=0"
ASKED = [{"role": "user", "content": f"[[sim tokens=3 {QUICK}]]"}]
TRITON = "/v2/models/sim/generate"
VERSION = {"x-api-key": "sk-backend", "anthropic-version": "2023-06-01"}
USAGE = {"include_usage": True}


@pytest.fixture(scope="module", params=[name for name in PERSONALITIES if name != "vllm"])
def named(request) -> Iterator[tuple[str, Simulated]]:
    with simulator("--engine", request.param) as sim:
        yield request.param, sim


def _fixture(name: str, *flags: str):
    def engine() -> Iterator[Simulated]:
        with simulator("--engine", name, *flags) as sim:
            yield sim

    return pytest.fixture(scope="module")(engine)


tgi, triton, sglang = _fixture("tgi"), _fixture("triton"), _fixture("sglang")
llamacpp, provider = _fixture("llamacpp"), _fixture("openai", "--api-key", "sk-backend")
claude = _fixture("anthropic", "--api-key", "sk-backend")


def test_every_path_is_in_the_documentation():
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    paths = {path for one in PERSONALITIES.values() for path in (*one.dialects, *(path for _, path in one.pages))}
    assert [path for path in sorted(paths) if f"{path.replace('{model}', '<model>')}`" not in page] == []


def test_every_engine_has_a_witness_and_metrics(named):
    _, sim = named
    assert sim.witness()["requests"] is not None
    assert b"vllm:num_requests_running" in sim.call("GET", "/metrics").body


def test_an_unknown_path_is_404_in_every_engine(named):
    _, sim = named
    assert sim.call("GET", "/nothing", **VERSION).status == 404


def test_tgi_generates_a_text_with_its_details(tgi):
    asked = f"[[sim tokens=3 {QUICK}]]"
    reply = tgi.post("/generate", inputs=asked, parameters={"details": True, "decoder_input_details": True})
    details = reply.json["details"]
    assert (details["finish_reason"], details["generated_tokens"]) == ("eos_token", 3)
    assert "".join(token["text"] for token in details["tokens"]) == reply.json["generated_text"]
    assert reply.headers["x-prompt-tokens"] == str(len(details["prefill"]))


def test_tgi_streams_token_objects_and_the_whole_text_last(tgi):
    plain = tgi.post("/generate", inputs=f"[[sim tokens=3 {QUICK}]]", parameters={"max_new_tokens": 2}).json
    events = tgi.post("/generate_stream", inputs=f"[[sim tokens=3 {QUICK}]]", parameters={"max_new_tokens": 2}).events
    *tokens, last = events
    assert "".join(event["token"]["text"] for event in tokens) == last["generated_text"] == plain["generated_text"]
    assert (last["details"]["finish_reason"], last["details"]["generated_tokens"]) == ("length", 2)
    assert last["token"]["special"] is True


def test_tgi_names_its_errors(tgi):
    failed = tgi.post("/generate_stream", inputs=f"[[sim tokens=3 err_event=1 {QUICK}]]").events[-1]
    assert failed["error_type"] == "generation"
    assert tgi.post("/generate", inputs=f"[[sim err_event=1 {QUICK}]]").status == 424
    assert tgi.post("/generate", inputs="[[sim status=429]]").json["error_type"] == "overloaded"
    assert tgi.post("/generate").json["error_type"] == "validation"


def test_tgi_chats_under_any_name_without_a_role_chunk(tgi):
    reply = tgi.post(CHAT, model="tgi", messages=ASKED, stream=True, stream_options=USAGE)
    assert (len(reply.deltas), reply.events[0]["choices"][0]["delta"]["role"]) == (3, "assistant")
    assert (reply.events[-1]["usage"]["completion_tokens"], reply.data[-1]) == (3, "[DONE]")


def test_tgi_says_what_it_is(tgi):
    assert tgi.call("GET", "/info").json["model_id"] == "sim"


@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_triton_gives_a_text_and_no_usage(triton, version):
    path = f"/v2/models/sim{version}/generate"
    answer = triton.post(path, text_input=f"[[sim tokens=3 {QUICK}]]", max_tokens=9).json
    assert len(answer["text_output"].split(" ")) == 3
    assert not {"usage", "num_output_tokens"} & answer.keys()


def test_triton_counts_where_it_is_asked(triton):
    wanted = {"return_num_input_tokens": True, "return_num_output_tokens": True}
    answer = triton.post(TRITON, text_input=f"[[sim tokens=3 {QUICK}]]", max_tokens=9, parameters=wanted).json
    assert (answer["num_output_tokens"], answer["num_input_tokens"] > 0) == (3, True)


def test_triton_streams_pieces_and_just_ends(triton):
    text = f"[[sim tokens=3 {QUICK}]]"
    reply = triton.post(f"{TRITON}_stream", text_input=text, max_tokens=9)
    pieces = [event["text_output"] for event in reply.events]
    assert (len(pieces), reply.whole, "[DONE]" in reply.data) == (3, True, False)
    assert "".join(pieces) == triton.post(TRITON, text_input=text, max_tokens=9).json["text_output"]


def test_triton_names_its_errors(triton):
    reply = triton.post("/v2/models/other/generate", text_input="x")
    assert (reply.status, reply.json) == (400, {"error": "Request for unknown model: 'other' is not found"})
    failed = triton.post(f"{TRITON}_stream", text_input=f"[[sim tokens=3 err_event=1 {QUICK}]]").events[-1]
    assert list(failed) == ["error"]


def test_triton_is_ready(triton):
    assert triton.call("GET", "/v2/health/ready").status == 200
    assert triton.call("GET", "/v2/models/sim").json["name"] == "sim"


def test_sglang_generates_with_meta_info(sglang):
    sampling = {"max_new_tokens": 2}
    answer = sglang.post("/generate", text=f"[[sim tokens=3 {QUICK}]]", sampling_params=sampling).json
    info = answer["meta_info"]
    assert (info["finish_reason"], info["completion_tokens"]) == ({"type": "length", "length": 2}, 2)


def test_sglang_streams_the_text_from_its_beginning(sglang):
    reply = sglang.post("/generate", text=f"[[sim tokens=3 {QUICK}]]", stream=True)
    texts = [event["text"] for event in reply.events]
    assert all(after.startswith(before) for before, after in pairwise(texts))
    assert [event["meta_info"]["completion_tokens"] for event in reply.events] == [1, 2, 3, 3]
    assert (reply.events[-1]["meta_info"]["finish_reason"]["type"], reply.data[-1]) == ("stop", "[DONE]")


def test_sglang_chats_with_all_members_named(sglang):
    reply = sglang.post(CHAT, messages=ASKED, stream=True, stream_options=USAGE)
    assert len(reply.deltas) == 3
    assert reply.events[1]["choices"][0]["delta"].keys() == {"role", "content", "reasoning_content", "tool_calls"}
    assert (reply.events[-2]["choices"][0]["matched_stop"], reply.events[-1]["usage"]["reasoning_tokens"]) == (2, 0)
    assert sglang.post(CHAT, model="other", messages=ASKED).json["object"] == "error"


def test_llamacpp_tells_its_timings(llamacpp):
    plain = llamacpp.post(CHAT, messages=ASKED).json
    assert (plain["timings"]["predicted_n"], plain["usage"]["completion_tokens"]) == (3, 3)
    streamed = llamacpp.post(CHAT, messages=ASKED, stream=True)
    assert [event["timings"]["predicted_n"] for event in streamed.events if "timings" in event] == [3]
    assert "timings" in streamed.events[-1]


def test_llamacpp_has_its_own_tokens_and_health(llamacpp):
    tokens = llamacpp.post("/tokenize", content="12345678").json["tokens"]
    assert llamacpp.post("/detokenize", tokens=tokens).json == {"content": "12345678"}
    assert llamacpp.call("GET", "/health").json == {"status": "ok"}
    assert llamacpp.post(CHAT, messages=[]).json["error"]["type"] == "invalid_request_error"


def test_openai_tells_usage_only_when_asked(provider):
    key = {"authorization": "Bearer sk-backend"}
    continuous = {"include_usage": True, "continuous_usage_stats": True}
    silent = provider.post(CHAT, headers=key, messages=ASKED, stream=True)
    asked = provider.post(CHAT, headers=key, messages=ASKED, stream=True, stream_options=continuous)
    assert not any("usage" in event for event in silent.events)
    assert [bool(event["usage"]) for event in asked.events] == [False] * 5 + [True]
    assert asked.events[0].keys() >= {"service_tier", "system_fingerprint"}


def test_openai_keeps_its_reasoning_to_itself(provider):
    asked = [{"role": "user", "content": f"[[sim reasoning=4 tokens=2 {QUICK}]]"}]
    key = {"authorization": "Bearer sk-backend"}
    streamed = provider.post(CHAT, headers=key, messages=asked, stream=True, stream_options=USAGE)
    plain = provider.post(CHAT, headers=key, messages=asked).json
    assert (len(streamed.deltas), "reasoning" in plain["choices"][0]["message"]) == (2, False)
    assert streamed.events[-1]["usage"]["completion_tokens"] == plain["usage"]["completion_tokens"] == 6
    assert plain["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4


def test_openais_errors_have_words_for_codes(provider):
    assert provider.post(CHAT, messages=ASKED).json["error"]["code"] == "invalid_api_key"
    with openai_client(provider) as sdk, pytest.raises(openai.RateLimitError):
        sdk.chat.completions.create(model="sim", messages=[{"role": "user", "content": "[[sim status=429]]"}])


def test_openais_sdk_streams_from_openais_engine(provider):
    with openai_client(provider) as sdk, sdk.responses.stream(model="sim", input=ASKED[0]["content"]) as stream:
        assert len(stream.get_final_response().output_text.split(" ")) == 3


def test_anthropics_sdk_streams_from_anthropics_engine(claude):
    with anthropic_client(claude) as sdk:
        messages: list = ASKED
        with sdk.messages.stream(model="sim", max_tokens=9, messages=messages) as stream:
            final = stream.get_final_message()
        assert (final.usage.output_tokens, final.id[:4]) == (3, "msg_")
        assert [model.id for model in sdk.models.list()] == ["sim"]


def test_anthropics_stream_ends_with_message_stop(claude):
    reply = claude.post("/v1/messages", headers=VERSION, max_tokens=9, messages=ASKED, stream=True)
    assert reply.events[-1] == {"type": "message_stop"}
    assert "[DONE]" not in reply.data


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({}, 401, "authentication_error"),
        ({**VERSION, "x-api-key": "wrong"}, 401, "authentication_error"),
        ({"x-api-key": "sk-backend"}, 400, "invalid_request_error"),
    ],
)
def test_anthropic_wants_its_headers(claude, headers, status, kind):
    reply = claude.post("/v1/messages", headers=headers, max_tokens=9, messages=ASKED)
    assert (reply.status, reply.json["error"]["type"]) == (status, kind)


def test_anthropic_may_be_overloaded(claude):
    asked = [{"role": "user", "content": "[[sim status=529]]"}]
    reply = claude.post("/v1/messages", headers=VERSION, max_tokens=9, messages=asked)
    assert (reply.status, reply.json["error"]["type"]) == (529, "overloaded_error")


def test_anthropic_serves_messages_only(claude):
    assert claude.post(CHAT, headers=VERSION, messages=ASKED).status == 404


@pytest.mark.parametrize(
    ("engine", "path", "members"),
    [
        ("tgi", "/generate_stream", {"inputs": f"[[sim tokens=5 die_after=2 {QUICK}]]"}),
        ("triton", f"{TRITON}_stream", {"text_input": f"[[sim tokens=5 die_after=2 {QUICK}]]", "max_tokens": 9}),
        ("sglang", "/generate", {"text": f"[[sim tokens=5 die_after=2 {QUICK}]]", "stream": True}),
    ],
)
def test_native_streams_can_die(request, engine, path, members):
    sim = request.getfixturevalue(engine)
    reply = sim.post(path, request_id="dies", **members)
    assert (len(reply.events), reply.whole) == (2, False)
    assert sim.record("dies")["completion_tokens"] == 2


def openai_client(sim: Simulated) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{sim.url}/v1", api_key="sk-backend", max_retries=0)


def anthropic_client(sim: Simulated) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=sim.url, api_key="sk-backend", max_retries=0)
