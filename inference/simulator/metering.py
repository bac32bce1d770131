"""When an answer tells its usage, and what it says: as the client asked, unless a directive wants it otherwise."""

from typing import NamedTuple

from inference.simulator import wire
from inference.simulator.directives import HUGE
from inference.simulator.jobs import Job
from inference.simulator.prefix_cache import BLOCK_TOKENS


class Counts(NamedTuple):
    """What a usage says, before a dialect words it."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0
    created: int = 0
    """Tokens of the prompt that are cached from now on: of its full blocks those that were not before."""


class Meter:
    """The usage of one answer."""

    __slots__ = ("_constant", "_job", "at_end", "in_chunks", "in_whole")

    def __init__(self, job: Job) -> None:
        self._job = job
        kind = job.directive.usage
        self._constant = {"zero": 0, "huge": HUGE}.get(kind or "")
        self.in_whole = kind != "none"
        """Whether an answer that is not streamed has a usage, and a stream of an API that always tells it."""
        self.at_end = job.include_usage if kind is None else kind != "none"
        """Whether a stream ends with a usage chunk."""
        self.in_chunks = kind == "continuous" or (job.continuous_usage and kind not in ("final", "none"))
        """Whether every chunk of a stream has a usage."""

    def so_far(self, choice: int, tokens: int, details: bytes) -> bytes:
        """The usage in a chunk: cumulative, and of its own choice only, as in vLLM."""
        if self._constant is not None:
            return wire.usage(self._constant, self._constant, details)
        return wire.usage(self._job.choices[choice].prompt_tokens, tokens, details)

    def begun(self) -> Counts:
        """The counts before the first token."""
        if self._constant is not None:
            return Counts(self._constant, self._constant)
        return Counts(self._job.prompt_tokens, 0, self._job.cached_tokens)

    def counts(self) -> Counts:
        """The counts of the whole answer, all choices together."""
        job = self._job
        if self._constant is not None:
            return Counts(self._constant, self._constant)
        completion = job.tokens * len(job.choices) if job.generates else 0
        full_blocks = sum(prompt.tokens // BLOCK_TOKENS * BLOCK_TOKENS for prompt in job.prompts)
        created = max(0, full_blocks - job.cached_tokens) // BLOCK_TOKENS * BLOCK_TOKENS
        return Counts(job.prompt_tokens, completion, job.cached_tokens, job.reasoning_tokens, created)
