"""TensorRT-LLM's own server, `trtllm-serve`: vLLM's APIs of some time ago, and no field that it does not know."""

from inference.simulator import fields
from inference.simulator.chat import Chat
from inference.simulator.chunks import Document
from inference.simulator.completions import Completions
from inference.simulator.dialects import Error
from inference.simulator.jobs import Job
from inference.simulator.options import Options
from inference.simulator.pages import Pages, empty, models
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused
from inference.simulator.sglang import error

_BOTH = frozenset(
    {
        "model",
        "stream",
        "stream_options",
        "max_tokens",
        "n",
        "best_of",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "stop",
        "seed",
        "logit_bias",
        "logprobs",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "user",
        "ignore_eos",
    }
)
_CHAT = _BOTH | {
    "messages",
    "max_completion_tokens",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
}
_COMPLETIONS = _BOTH | {"prompt", "echo", "suffix"}


def known(request: Request, options: Options, names: frozenset[str]) -> Document:
    """The body, if it has none but these members. Raises Refused."""
    asked = fields.document(request, options)
    for name in asked.keys() - names:
        message = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}]"
        raise Refused(400, message, kind="BadRequestError")
    top_k = asked.get("top_k")
    if isinstance(top_k, int) and top_k < 0:
        raise Refused(400, f"require top_k >= 0, got top_k={top_k}", kind="BadRequestError")
    return asked


class TrtChat(Chat):
    """Tools are used only where the request says so."""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def document(self, request: Request, options: Options) -> Document:
        asked = known(request, options, _CHAT)
        return asked | {"tool_choice": asked.get("tool_choice", "none")}


class TrtCompletions(Completions):
    """The same for completions."""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def read(self, request: Request, options: Options) -> Job:
        known(request, options, _COMPLETIONS)
        return super().read(request, options)


PAGES: Pages = {("GET", "/v1/models"): models, ("GET", "/health"): empty}
