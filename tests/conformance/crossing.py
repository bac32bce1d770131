"""What becomes of a request and of its answer on their way through the gateway.

An answer keeps the engine's recorded shape, but for the changes that are named here; each says why it is meant. Those
in STANDING are made of every answer of an area, others stand in the case that they are for.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tests.conformance.wire import Check

Shape = dict[str, Any]
Change = Callable[[Shape], None]
"""Makes the gateway's shape of the engine's, in place."""

_OPENAIS = ("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier")
_NOT_RESPONSES = (
    *("presence_penalty", "frequency_penalty", "prompt"),
    *("kv_transfer_params", "ec_transfer_params", "input_messages", "output_messages"),
)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The gateway answers with an error in the client's dialect: what it says, and who found the fault."""

    status: int = 400
    code: str = "invalid_request"
    param: str | None = None
    by_engine: bool = False
    """Whether the engine was asked, and refused: then the gateway does not know which field it was."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """How the gateway's answer differs from the engine's, if it does. `why` is for what no rule below explains."""

    path: str = ""
    """Where the gateway has the endpoint, if that is elsewhere."""
    refused: Refused | None = None
    absent: bool = False
    """There is no such page: a person's page says so, as of any address that is not there."""
    own: bool = False
    """The gateway answers by itself, in a shape of its own, of which `holds` says what counts."""
    changes: tuple[Change, ...] = ()
    holds: tuple[Check, ...] | None = None
    """In place of what holds for the engine's answer."""
    why: str = ""

    def shape(self, area: str, recorded: Shape) -> Shape:
        """Return the shape that the gateway's answer must have, after the engine's recorded one."""
        shape = deepcopy(recorded)
        for change in (*STANDING.get(area, ()), *self.changes):
            change(shape)
        return shape


UNCHANGED = Crossing()


def refused(param: str | None = None, *, why: str = "", **more: Any) -> Crossing:
    """Return the crossing of a request that the gateway refuses; the engine may have answered it."""
    return Crossing(refused=Refused(param=param, **more), why=why)


def refused_by_engine(why: str = "") -> Crossing:
    """Return the crossing of a request that passes the gateway and is refused by the engine.

    What the engine wrote stays inside, so no field is named.
    """
    return Crossing(refused=Refused(by_engine=True), why=why)


def absent(why: str) -> Crossing:
    """Return the crossing of a request to what the gateway does not have."""
    return Crossing(absent=True, why=why)


UNKNOWN_MODEL = refused("model", status=404, code="model_not_found")
NO_KEY = refused(status=401, code="invalid_api_key")


def keeps_only_openais_members(shape: Shape) -> None:
    """What vLLM adds to a plain answer stays inside; in a stream it passes, as chunks pass as bytes."""
    if "body" in shape:
        _keep(shape["body"], *_OPENAIS)


def keeps_no_fingerprint_without_usage(shape: Shape) -> None:
    """vLLM says `system_fingerprint` in the last chunk, and the gateway always asks for one with usage.

    So where a client did not ask for it, the fingerprint goes with the chunk.
    """
    for chunk in _chunks(shape):
        if chunk.get("choices"):
            chunk.pop("system_fingerprint", None)


def has_no_usage_as_null(shape: Shape) -> None:
    """Chunks before the one with the usage have `usage: null`, as OpenAI's have and vLLM's have not."""
    chunks = _chunks(shape)
    if any(chunk.get("choices") == [] for chunk in chunks):
        for chunk in chunks:
            chunk.setdefault("usage", None)


def keeps_only_responses_members(shape: Shape) -> None:
    """A response has no members that only vLLM knows, and says that it was not stored."""
    answers = [shape["body"]] if "body" in shape else [chunk.get("response") for chunk in _chunks(shape)]
    for response in answers:
        if isinstance(response, dict):
            for name in _NOT_RESPONSES:
                response.pop(name, None)
            response["store"] = False


def has_a_stop_sequence(shape: Shape) -> None:
    """A message has `stop_sequence`, as Anthropic's SDKs expect; vLLM leaves it out where it is null."""
    if "body" in shape:
        shape["body"].setdefault("stop_sequence", None)


def tells_only_the_count(shape: Shape) -> None:
    """A count of tokens has the number and nothing about the management of contexts, of which there is none."""
    _keep(shape["body"], "input_tokens")


def keeps_only_embeddings_members(shape: Shape) -> None:
    """OpenAI's embeddings have neither id nor time."""
    _keep(shape["body"], "object", "data", "model", "usage")


def leaves_out_what_is_null(shape: Shape) -> None:
    """Lists of tokens have no members for what was not asked."""
    for name in [name for name, value in shape["body"].items() if value is None]:
        del shape["body"][name]


def has_an_id_of_the_gateways(shape: Shape) -> None:
    """The caller's own id for the request is not taken over."""
    shape["body"]["id"] = "chatcmpl-<id>"


def leaves_out_documents(shape: Shape) -> None:
    """Results have no documents where they are not wanted."""
    for result in shape["body"]["results"]:
        del result["document"]


STANDING: Mapping[str, tuple[Change, ...]] = MappingProxyType(
    {
        "chat": (keeps_only_openais_members, keeps_no_fingerprint_without_usage, has_no_usage_as_null),
        "completions": (keeps_only_openais_members, keeps_no_fingerprint_without_usage, has_no_usage_as_null),
        "responses": (keeps_only_responses_members,),
        "messages": (has_a_stop_sequence,),
        "embeddings": (keeps_only_embeddings_members,),
        "tokens": (leaves_out_what_is_null,),
    }
)


def _keep(body: Shape, *names: str) -> None:
    for name in body.keys() - set(names):
        del body[name]


def _chunks(shape: Shape) -> list[Shape]:
    return [event["data"] for event in shape.get("events", ()) if isinstance(event["data"], dict)]
