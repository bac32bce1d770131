"""The streams of OpenAI's APIs of choices (chat, completions, transcriptions): chunks alike but for details."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import orjson

from inference.simulator import bodies, scripts, wire
from inference.simulator.bodies import SLOT, Tokens
from inference.simulator.dialects import Answer, Events, Streamed
from inference.simulator.jobs import FinishReason, Job
from inference.simulator.metering import Counts
from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.scripts import Said

Document = dict[str, Any]


class Choices(Streamed):
    """An API whose answers and chunks are lists of choices; engines differ in what these methods give."""

    chunk_object: str
    whole_object: str

    @abstractmethod
    def read(self, request: Request, options: Options) -> Job: ...

    @abstractmethod
    def head(self, answer: Answer, object_: str) -> Document:
        """An answer's first members, up to the array of choices."""

    @abstractmethod
    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        """One choice in a chunk."""

    @abstractmethod
    def deltas(self, answer: Answer, choice: int, said: Said) -> list[Document]:
        """What one token adds: the last delta holds it. None where an engine keeps such a token to itself."""

    def logprobs(self, job: Job, words: list[bytes]) -> Any:
        """What the model might have said instead, where the client asks."""
        del job, words
        return None

    def role(self, job: Job) -> Document | None:
        """The delta that opens a choice."""
        del job
        return None

    def last(self, job: Job) -> Document:
        """The delta that ends a choice."""
        del job
        return {"content": ""}

    details_so_far = b""
    """Members of the usage in a chunk of text, after the counts."""

    def usage(self, counts: Counts) -> bytes:
        """The usage of a whole answer."""
        return wire.usage(counts.prompt, counts.completion, wire.chunk_details(counts.cached, None, counts.reasoning))

    def last_usage(self, counts: Counts) -> bytes:
        """The usage in a stream's last chunk."""
        return self.usage(counts)

    def prologue(self, answer: Answer) -> Document:
        """Members of the chunks that open a choice, after the choices."""
        del answer
        return {}

    def no_usage(self, job: Job) -> bytes:
        """What a chunk says in place of usage; the member comes last."""
        del job
        return b""

    def epilogue(self, answer: Answer) -> Document:
        """Members of the very last chunk that are this engine's own."""
        del answer
        return {}

    def events(self, answer: Answer) -> "Chunks":
        return Chunks(answer, self)


class Chunks(Events):
    """Renders chunks; the ones with text, which are nearly all, from templates that are filled once for each answer."""

    def __init__(self, answer: Answer, dialect: Choices) -> None:
        super().__init__(answer, dialect.error)
        self._answer, self._dialect = answer, dialect
        self._head = dialect.head(answer, dialect.chunk_object)
        self._blank = dialect.no_usage(self.job)
        self._text_only = [part.kind for part in self.job.parts] == ["text"] and not self.job.asked.get("logprobs")
        template = dialect.deltas(answer, 0, Said(0, scripts.fixed("text", ("",)), 1, b""))[-1]
        slotted = {name: SLOT if isinstance(value, Tokens) else value for name, value in template.items()}
        around = [bodies.around(self._chunk(choice, slotted)) for choice in range(len(self.job.choices))]
        self._before = [b"data: " + before for before, _ in around]
        self._goes_on = around[0][1].removesuffix(b"}")

    def opening(self) -> list[bytes]:
        role = self._dialect.role(self.job)
        if role is None:
            return []
        prologue = self._dialect.prologue(self._answer)
        chunks = [self._chunk(choice, role) | prologue for choice in range(len(self.job.choices))]
        return [self._event(choice, 0, chunk) for choice, chunk in enumerate(chunks)]

    def content(self, start: int, stop: int) -> list[bytes]:
        choices = len(self.job.choices)
        if self._text_only and choices == 1 and not self.meter.in_chunks:
            before, after = self._before[0], self._goes_on + self._blank + b"}\n\n"
            return [before + word + after for word in self.job.words(0, start, stop) if word]
        render: Callable[[int, int], list[bytes]] = self._text if self._text_only else self._any
        return [event for number in range(start, stop) for event in render(number % choices, number // choices)]

    def finishes(self) -> list[bytes]:
        job, delta = self.job, self._dialect.last(self.job)
        documents = [self._chunk(choice, delta, job.finish_reason) for choice in range(len(job.choices))]
        for document in documents if job.stopped_by is not None else ():
            if "stop_reason" in document["choices"][0]:  # An engine that tells it.
                document["choices"][0]["stop_reason"] = job.stopped_by
        if not self.meter.at_end:
            documents[-1] |= self._dialect.epilogue(self._answer)
        return [self._event(choice, job.tokens, document) for choice, document in enumerate(documents)]

    def usages(self) -> list[bytes]:
        if not self.meter.at_end:
            return []
        document = orjson.dumps(self._head | {"choices": []} | self._dialect.epilogue(self._answer))
        return [b'data: %s,"usage":%s}\n\n' % (document[:-1], self._dialect.last_usage(self.meter.counts()))]

    def _text(self, choice: int, position: int) -> list[bytes]:
        (word,) = self.job.words(choice, position, position + 1)
        if not word:
            return []  # It has been made, but is not said: the answer ends before it.
        return [self._before[choice] + word + self._goes_on + self._tail(choice, position + 1)]

    def _any(self, choice: int, position: int) -> list[bytes]:
        job = self.job
        (said,) = scripts.said(job.parts, job.choices[choice].seed, position, position + 1)
        deltas = self._dialect.deltas(self._answer, choice, said)
        if not deltas:
            return []
        *earlier, last = deltas
        logprobs = self._dialect.logprobs(job, [said.word]) if said.part.kind == "text" else None
        events = [self._event(choice, position, self._chunk(choice, delta)) for delta in earlier]
        return [*events, self._event(choice, position + 1, self._chunk(choice, last, logprobs=logprobs))]

    def _chunk(
        self, choice: int, delta: Document, finish: FinishReason | None = None, logprobs: Any = None
    ) -> Document:
        return self._head | {"choices": [self._dialect.chunk(choice, delta, logprobs, finish)]}

    def _event(self, choice: int, tokens: int, document: Document) -> bytes:
        return b"data: " + bodies.json(document).data()[:-1] + self._tail(choice, tokens)

    def _tail(self, choice: int, tokens: int) -> bytes:
        usage = (
            b',"usage":' + self.meter.so_far(choice, tokens, self._dialect.details_so_far)
            if self.meter.in_chunks
            else self._blank
        )
        return usage + b"}\n\n"
