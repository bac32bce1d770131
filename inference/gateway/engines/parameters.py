"""Which of a request's fields a kind of engine understands, and what it calls them.

Nothing is dropped in silence: what an engine does not understand is refused by name, unless the value asks for nothing
that an engine would not do anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from foundation.errors import InvalidRequest
from inference.gateway.surfaces import chat, completions, embeddings

CHAT: Final = frozenset(chat.SENT)
COMPLETIONS: Final = frozenset(completions.SENT)
EMBEDDINGS: Final = frozenset(embeddings.SENT)
STRUCTURE: Final = frozenset(
    {"model", "messages", "prompt", "input", "stream", "stream_options", "max_tokens", "max_completion_tokens"}
)
"""What every generation has; the wires put it."""
COMMON: Final = frozenset({"temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty"})

# Values that ask for nothing. `logprobs` is a count for completions, where 0 asks for something.
_NOTHING: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        "n": (1,),
        "best_of": (1,),
        "presence_penalty": (0,),
        "frequency_penalty": (0,),
        "repetition_penalty": (1,),
        "min_p": (0,),
        "top_k": (-1, 0),
        "top_p": (1,),
        "logit_bias": ({},),
        "stop": ([], ""),
        "suffix": ("",),
        "echo": (False,),
        "top_logprobs": (0,),
        "tools": ([],),
        "tool_choice": ("none", "auto"),
        "parallel_tool_calls": (True,),
        "response_format": ({"type": "text"},),
        "reasoning_effort": ("none",),
        "add_special_tokens": (True,),
        "return_token_strs": (False,),
    }
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What an engine understands at one endpoint, beside the structure of a request; `renamed` are its own names."""

    known: frozenset[str]
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    structure: frozenset[str] = STRUCTURE

    @classmethod
    def of(cls, known: Iterable[str], **renamed: str) -> Parameters:
        """Name the fields that are known as we call them, and those that have another name there."""
        return cls(frozenset(known) | renamed.keys(), MappingProxyType(renamed))

    @classmethod
    def of_text(cls, known: Iterable[str] = (), **renamed: str) -> Parameters:
        """Name them for an endpoint at which an engine takes texts and no messages."""
        return replace(cls.of(known, **renamed), structure=STRUCTURE - {"messages"})

    def check(self, fields: Mapping[str, Any]) -> None:
        """Raise `InvalidRequest`, which names the field, for one that the engine does not understand."""
        for name in fields.keys() - self.known - self.structure:
            if not asks_nothing(name, fields[name]):
                raise cannot(name)

    def put(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are known, as the engine calls them. Raises as `check` does."""
        self.check(fields)
        known = self.known | self.structure
        return {self.renamed.get(name, name): item for name, item in fields.items() if name in known}


def asks_nothing(name: str, value: Any) -> bool:
    """Whether a value is what an engine does anyway."""
    return value is None or (name == "logprobs" and value is False) or value in _NOTHING.get(name, ())


def cannot(name: str) -> InvalidRequest:
    """Return the error for a field that an engine does not understand."""
    return InvalidRequest(f"This model's engine does not support {name}.", param=name)
