"""What operators and gateways ask of an engine besides answers: its models, its state, its tokens."""

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.crossing import NO_KEY, Crossing, absent
from tests.conformance.generating import MESSAGES, TOOL
from tests.conformance.wire import PUBLIC_MODEL, Request

_tokenize = posting("/tokenize", {"prompt": "Hello there"})
_detokenize = posting("/detokenize", {"tokens": [40, 41]})
_OPERATORS = absent("what an engine says of itself is not for clients")
_OURS = Crossing(own=True, holds=(checks.mentions(PUBLIC_MODEL),), why="the catalogue has the models")


def _get(name: str, path: str, *, with_key: bool = False, gateway: Crossing = _OPERATORS) -> Case:
    return Case(area="state", name=name, request=Request(path=path, method="GET", with_key=with_key), gateway=gateway)


def _tokens(name: str, request: Request, path: str) -> Case:
    crossing = Crossing(path=path, why="all that the gateway serves is below /v1")
    return Case(area="tokens", name=name, request=request, gateway=crossing)


CASES = [
    _get("models", "/v1/models", with_key=True, gateway=_OURS),
    _get("models, without a key", "/v1/models", gateway=NO_KEY),
    _get("health, without a key", "/health"),
    _get("version, without a key", "/version"),
    _get("load, without a key", "/load"),
    _get("ping, without a key", "/ping"),
    _tokens("tokenize a text", _tokenize(), "/v1/tokenize"),
    _tokens("tokenize a text, tokens as text", _tokenize(return_token_strs=True), "/v1/tokenize"),
    _tokens("tokenize a chat", _tokenize(prompt=..., messages=MESSAGES), "/v1/tokenize"),
    _tokens("tokenize a chat with tools", _tokenize(prompt=..., messages=MESSAGES, tools=[TOOL]), "/v1/tokenize"),
    _tokens("detokenize", _detokenize(), "/v1/detokenize"),
]
