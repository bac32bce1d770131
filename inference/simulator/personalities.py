"""The engines that the simulator can be: which paths each serves, in which words, and behind which key."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inference.simulator import anthropic, guards, llamacpp, mistral, openai, pages, sglang, tgi, triton, trtllm, wire
from inference.simulator.dialects import Dialect, Error
from inference.simulator.embeddings import Embeddings
from inference.simulator.guards import Guard
from inference.simulator.items import Moderations, Rerank, Score
from inference.simulator.messages import CountTokens, Messages
from inference.simulator.pages import Pages
from inference.simulator.pictures import Images
from inference.simulator.responses import Responses
from inference.simulator.speech import Speech
from inference.simulator.tokenizing import (
    Detokenize,
    NativeDetokenize,
    NativeTokenize,
    SglangDetokenize,
    SglangTokenize,
    TgiTokenize,
    Tokenize,
)
from inference.simulator.transcriptions import Transcriptions, Translations
from inference.simulator.vllm import VllmChat, VllmCompletions


@dataclass(frozen=True)
class Personality:
    """One engine as a client sees it."""

    dialects: dict[str, Dialect]
    """By path."""
    pages: Pages
    error: Error = wire.error
    """Of what is refused before an endpoint has read it: no key, no JSON, members of the wrong type."""
    guard: Guard = guards.bearer_below_v1
    place: Callable[[str], str] = str
    """A path as the tables above have it."""
    lost: Error | None = None
    """Of a path or a method that is not there, where that is worded in another way."""


def _served(dialects: Iterable[Dialect]) -> dict[str, Dialect]:
    return {path: dialect for dialect in dialects for path in (dialect.endpoint, *dialect.aliases)}


def _kept_response(path: str) -> str:
    return pages.KEPT_RESPONSE if path.startswith("/v1/responses/") else path


def _openai(error: Error) -> tuple[Dialect, ...]:
    """What OpenAI has beside text."""
    sounds = (Transcriptions(error), Translations(error), Speech(error))
    return (Moderations(error), *sounds, Images(error))


PERSONALITIES: dict[str, Personality] = {
    "vllm": Personality(
        _served(
            (
                *(VllmChat(), VllmCompletions(), Embeddings(), Messages(), CountTokens(), Responses()),
                *(Rerank(), Score(), Tokenize(), Detokenize()),
                *_openai(wire.error),
            )
        ),
        pages.VLLM,
        lost=wire.detail,
        place=_kept_response,
    ),
    "openai": Personality(
        _served(
            (
                *(openai.OpenAiChat(openai.error), openai.OpenAiCompletions(openai.error)),
                *(openai.OpenAiEmbeddings(openai.error), openai.OpenAiResponses(openai.error)),
                *_openai(openai.error),
            )
        ),
        openai.PAGES,
        openai.error,
        guards.bearer,
    ),
    "anthropic": Personality(
        _served((anthropic.AnthropicMessages(), anthropic.AnthropicCount())),
        anthropic.PAGES,
        anthropic.error,
        anthropic.guard,
    ),
    "tgi": Personality(
        _served((tgi.Generate(), tgi.GenerateStream(), tgi.CompatGenerate(), tgi.TgiChat(), TgiTokenize(tgi.error))),
        tgi.PAGES,
        tgi.error,
        guards.bearer_but_health,
    ),
    "triton": Personality(
        _served((triton.Generate(), triton.GenerateStream())),
        triton.PAGES,
        triton.error,
        guards.bearer_but_health,
        triton.place,
    ),
    "sglang": Personality(
        _served(
            (
                *(sglang.Generate(), sglang.SglangChat(), sglang.SglangCompletions()),
                *(Embeddings(sglang.error), Rerank(sglang.error), Score(sglang.error)),
                *(SglangTokenize(sglang.error), SglangDetokenize(sglang.error)),
            )
        ),
        sglang.PAGES,
        sglang.error,
        guards.bearer_but_health,
    ),
    "trtllm": Personality(
        _served((trtllm.TrtChat(), trtllm.TrtCompletions(), Embeddings(sglang.error))),
        trtllm.PAGES,
        sglang.error,
        guards.bearer_but_health,
    ),
    "mistral": Personality(
        _served((mistral.MistralChat(), mistral.MistralEmbeddings(mistral.error))),
        mistral.PAGES,
        mistral.error,
        guards.bearer,
    ),
    "llamacpp": Personality(
        _served(
            (
                *(
                    llamacpp.LlamaChat(),
                    llamacpp.LlamaCompletions(),
                    Embeddings(llamacpp.error),
                    Rerank(llamacpp.error),
                ),
                *(NativeTokenize(llamacpp.error), NativeDetokenize(llamacpp.error)),
            )
        ),
        llamacpp.PAGES,
        llamacpp.error,
        llamacpp.guard,
    ),
}
