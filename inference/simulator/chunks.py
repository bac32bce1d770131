"""The events of one stream as JSON, rendered from templates that are filled once for each answer."""

from inference.simulator import wire
from inference.simulator.jobs import Job
from inference.simulator.metering import Meter

DONE = b"data: [DONE]\n\n"


class Chunks:
    """Renders the events of one stream.

    Events of content are numbered through: token by token, and choice by choice within a token.
    """

    __slots__ = ("_goes_on", "_job", "_meter", "_open", "_opening")

    def __init__(self, job: Job, id_: str, model: str) -> None:
        shape = job.shape
        self._job = job
        self._meter = Meter(job)
        self._opening = b"data: " + wire.opening(id_, shape.chunk_object, model)
        self._open = [self._opening + shape.chunk_open % index for index in range(len(job.choices))]
        self._goes_on = shape.chunk_goes_on + b"}\n\n"

    def roles(self) -> list[bytes]:
        """The role chunk of each choice; `/v1/completions` has none."""
        if not self._job.shape.has_role:
            return []
        return [self._role(choice) for choice in range(len(self._job.choices))]

    def content(self, start: int, stop: int) -> list[bytes]:
        """The content events from `start` to `stop`, each with one token."""
        choices = len(self._job.choices)
        if choices == 1 and not self._meter.in_chunks:
            before, after = self._open[0], self._goes_on
            return [before + word + after for word in self._job.words(0, start, stop)]
        return [self._content(event % choices, event // choices) for event in range(start, stop)]

    def finishes(self) -> list[bytes]:
        """The finish chunk of each choice."""
        tokens, reason = self._job.tokens, self._job.finish_reason.encode()
        ending = self._job.shape.chunk_finishes % reason
        return [before + ending + self._tail(choice, tokens) for choice, before in enumerate(self._open)]

    def usages(self) -> list[bytes]:
        """The usage chunk, if this stream has one."""
        if not self._meter.at_end:
            return []
        return [b'%s],"usage":%s}\n\n' % (self._opening, self._meter.total())]

    def error(self, message: str) -> bytes:
        """VLLM's error in mid-stream: an event like any other, with an error body."""
        return b"data: %s\n\n" % wire.error(500, message, "InternalServerError")

    def dones(self) -> list[bytes]:
        """The end markers."""
        directive = self._job.directive
        return [] if directive.no_done else [DONE] * (2 if directive.dup_done else 1)

    def _role(self, choice: int) -> bytes:
        delta = b'{"index":%d,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]' % choice
        usage = self._usage(choice, 0)
        return b'%s%s%s,"prompt_token_ids":null}\n\n' % (self._opening, delta, usage)

    def _content(self, choice: int, position: int) -> bytes:
        (word,) = self._job.words(choice, position, position + 1)
        return self._open[choice] + word + self._job.shape.chunk_goes_on + self._tail(choice, position + 1)

    def _tail(self, choice: int, tokens: int) -> bytes:
        return self._usage(choice, tokens) + b"}\n\n"

    def _usage(self, choice: int, tokens: int) -> bytes:
        return b',"usage":' + self._meter.so_far(choice, tokens) if self._meter.in_chunks else b""
