"""What vLLM refuses, with which status and in which of its three shapes of error."""

from dataclasses import replace

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.crossing import NO_KEY, UNKNOWN_MODEL, Crossing, refused, refused_by_engine
from tests.conformance.generating import MESSAGES, THIS_TOOL
from tests.conformance.wire import Request

_JSON = {"content-type": "application/json"}
_chat = posting("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 5})
_completion = posting("/v1/completions", {"prompt": "Hello", "max_tokens": 5})
_responses = posting("/v1/responses", {"input": "Hello", "max_output_tokens": 5})
_messages = posting("/v1/messages", {"messages": MESSAGES, "max_tokens": 5})
_tokenize = posting("/tokenize", {"prompt": "Hello"})
_too_long = "word " * 3000
_long_chat = [{"role": "user", "content": _too_long}]


_NO_ENDPOINT = refused(status=404, code="not_found")
_TOO_LONG = refused_by_engine("only the engine knows how many tokens a text has")
_CUT = Crossing(
    own=True, holds=(checks.counts_tokens_within_the_context,), why="the bound that credit covers is never above it"
)


def _case(name: str, request: Request, gateway: Crossing) -> Case:
    return Case(area="refusals", name=name, request=request, gateway=gateway)


def _get(path: str, **more) -> Request:
    return Request(path=path, method="GET", **more)


DOORS = [
    _case("no key", replace(_chat(), with_key=False), NO_KEY),
    _case("a wrong key", replace(_chat(), with_key=False, headers={"authorization": "Bearer sk-wrong"}), NO_KEY),
    _case("x-api-key is no key", replace(_messages(), with_key=False, headers={"x-api-key": "sk-backend"}), NO_KEY),
    _case("a path that is not there", _get("/v1/absent"), _NO_ENDPOINT),
    _case("a path that is not there, without a key", _get("/v1/absent", with_key=False), _NO_ENDPOINT),
    _case("a method that is not there", _get("/v1/chat/completions"), refused(status=405, code="method_not_allowed")),
    _case("no JSON", Request(path="/v1/chat/completions", raw=b"{", headers=_JSON), refused()),
    _case("JSON that is no object", Request(path="/v1/chat/completions", raw=b"[]", headers=_JSON), refused()),
    _case(
        "another content type",
        Request(path="/v1/chat/completions", raw=b"{}", headers={"content-type": "text/plain"}),
        refused(status=415, code="unsupported_media_type"),
    ),
]

CHATS = [
    _case("chat: unknown model", _chat(model="absent"), UNKNOWN_MODEL),
    _case("chat: no messages", _chat(messages=...), refused("messages")),
    _case("chat: an empty list of messages", _chat(messages=[]), refused("messages")),
    _case("chat: max_tokens of 0", _chat(max_tokens=0), refused("max_tokens")),
    _case("chat: max_tokens that is text", _chat(max_tokens="many"), refused("max_tokens")),
    _case("chat: max_tokens above the context", _chat(max_tokens=5000), _CUT),
    _case("chat: too long", _chat(messages=_long_chat), _TOO_LONG),
    _case("chat: stream, too long", _chat(messages=_long_chat, stream=True), _TOO_LONG),
    _case("chat: negative temperature", _chat(temperature=-1), refused("temperature")),
    _case("chat: top_p above 1", _chat(top_p=2), refused("top_p")),
    _case("chat: n of 0", _chat(n=0), refused("n")),
    _case(
        "chat: stream_options without stream", _chat(stream_options={"include_usage": True}), refused("stream_options")
    ),
    _case("chat: top_logprobs without logprobs", _chat(top_logprobs=2), refused_by_engine()),
    _case("chat: too many logprobs", _chat(logprobs=True, top_logprobs=21), refused("top_logprobs")),
    _case("chat: tool_choice without tools", _chat(tool_choice=THIS_TOOL), refused_by_engine()),
    _case("chat: json_schema without a schema", _chat(response_format={"type": "json_schema"}), refused_by_engine()),
]

OTHERS = [
    _case("completions: unknown model", _completion(model="absent"), UNKNOWN_MODEL),
    _case("completions: no prompt", _completion(prompt=...), refused("prompt")),
    _case("completions: an empty prompt", _completion(prompt=""), refused("prompt")),
    _case("responses: unknown model", _responses(model="absent"), UNKNOWN_MODEL),
    _case("responses: stream, unknown model", _responses(model="absent", stream=True), UNKNOWN_MODEL),
    _case(
        "responses: unknown previous response",
        _responses(previous_response_id="resp_absent"),
        refused("previous_response_id", why="responses are not kept"),
    ),
    _case("responses: too long", _responses(input=_too_long), _TOO_LONG),
    _case("responses: one that is not there", _get("/v1/responses/resp_absent"), _NO_ENDPOINT),
    _case("messages: unknown model", _messages(model="absent"), UNKNOWN_MODEL),
    _case("messages: stream, unknown model", _messages(model="absent", stream=True), UNKNOWN_MODEL),
    _case("messages: no max_tokens", _messages(max_tokens=...), refused("max_tokens")),
    _case("messages: max_tokens of 0", _messages(max_tokens=0), refused("max_tokens")),
    _case("messages: an empty list of messages", _messages(messages=[]), refused("messages")),
    _case("messages: too long", _messages(messages=_long_chat), _TOO_LONG),
    _case("messages: no JSON", Request(path="/v1/messages", raw=b"{", headers=_JSON), refused()),
    _case("tokenize: unknown model", _tokenize(model="absent"), replace(UNKNOWN_MODEL, path="/v1/tokenize")),
]

CASES = [*DOORS, *CHATS, *OTHERS]
