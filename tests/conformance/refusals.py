"""What vLLM refuses, with which status and in which of its three shapes of error."""

from dataclasses import replace

from tests.conformance.cases import Case, posting
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


def _case(name: str, request: Request) -> Case:
    return Case(area="refusals", name=name, request=request)


def _get(path: str, **more) -> Request:
    return Request(path=path, method="GET", **more)


DOORS = [
    _case("no key", replace(_chat(), with_key=False)),
    _case("a wrong key", replace(_chat(), with_key=False, headers={"authorization": "Bearer sk-wrong"})),
    _case("x-api-key is no key", replace(_messages(), with_key=False, headers={"x-api-key": "sk-backend"})),
    _case("a path that is not there", _get("/v1/absent")),
    _case("a path that is not there, without a key", _get("/v1/absent", with_key=False)),
    _case("a method that is not there", _get("/v1/chat/completions")),
    _case("no JSON", Request(path="/v1/chat/completions", raw=b"{", headers=_JSON)),
    _case("JSON that is no object", Request(path="/v1/chat/completions", raw=b"[]", headers=_JSON)),
    _case(
        "another content type", Request(path="/v1/chat/completions", raw=b"{}", headers={"content-type": "text/plain"})
    ),
]

CHATS = [
    _case("chat: unknown model", _chat(model="absent")),
    _case("chat: no messages", _chat(messages=...)),
    _case("chat: an empty list of messages", _chat(messages=[])),
    _case("chat: max_tokens of 0", _chat(max_tokens=0)),
    _case("chat: max_tokens that is text", _chat(max_tokens="many")),
    _case("chat: max_tokens above the context", _chat(max_tokens=5000)),
    _case("chat: too long", _chat(messages=_long_chat)),
    _case("chat: stream, too long", _chat(messages=_long_chat, stream=True)),
    _case("chat: negative temperature", _chat(temperature=-1)),
    _case("chat: top_p above 1", _chat(top_p=2)),
    _case("chat: n of 0", _chat(n=0)),
    _case("chat: stream_options without stream", _chat(stream_options={"include_usage": True})),
    _case("chat: top_logprobs without logprobs", _chat(top_logprobs=2)),
    _case("chat: too many logprobs", _chat(logprobs=True, top_logprobs=21)),
    _case("chat: tool_choice without tools", _chat(tool_choice=THIS_TOOL)),
    _case("chat: json_schema without a schema", _chat(response_format={"type": "json_schema"})),
]

OTHERS = [
    _case("completions: unknown model", _completion(model="absent")),
    _case("completions: no prompt", _completion(prompt=...)),
    _case("completions: an empty prompt", _completion(prompt="")),
    _case("responses: unknown model", _responses(model="absent")),
    _case("responses: stream, unknown model", _responses(model="absent", stream=True)),
    _case("responses: unknown previous response", _responses(previous_response_id="resp_absent")),
    _case("responses: too long", _responses(input=_too_long)),
    _case("responses: one that is not there", _get("/v1/responses/resp_absent")),
    _case("messages: unknown model", _messages(model="absent")),
    _case("messages: stream, unknown model", _messages(model="absent", stream=True)),
    _case("messages: no max_tokens", _messages(max_tokens=...)),
    _case("messages: max_tokens of 0", _messages(max_tokens=0)),
    _case("messages: an empty list of messages", _messages(messages=[])),
    _case("messages: too long", _messages(messages=_long_chat)),
    _case("messages: no JSON", Request(path="/v1/messages", raw=b"{", headers=_JSON)),
    _case("tokenize: unknown model", _tokenize(model="absent")),
]

CASES = [*DOORS, *CHATS, *OTHERS]
