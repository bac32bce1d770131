"""What operators and gateways ask of an engine besides answers: its models, its state, its tokens."""

from tests.conformance.cases import Case, posting
from tests.conformance.generating import MESSAGES
from tests.conformance.wire import Request

_tokenize = posting("/tokenize", {"prompt": "Hello there"})
_detokenize = posting("/detokenize", {"tokens": [40, 41]})


def _get(name: str, path: str, *, with_key: bool, through_gateway: bool = False) -> Case:
    request = Request(path=path, method="GET", with_key=with_key)
    return Case(area="state", name=name, request=request, through_gateway=through_gateway)


CASES = [
    _get("models", "/v1/models", with_key=True, through_gateway=True),
    _get("models, without a key", "/v1/models", with_key=False),
    _get("health, without a key", "/health", with_key=False),
    _get("version, without a key", "/version", with_key=False),
    _get("load, without a key", "/load", with_key=False),
    _get("ping, without a key", "/ping", with_key=False),
    Case(area="tokens", name="tokenize a text", request=_tokenize()),
    Case(area="tokens", name="tokenize a chat", request=_tokenize(prompt=..., messages=MESSAGES)),
    Case(area="tokens", name="detokenize", request=_detokenize()),
]
