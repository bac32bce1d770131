"""What a dialect is: how one endpoint of one engine reads requests and writes answers, streams and errors."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from inference.simulator import wire
from inference.simulator.bodies import Body
from inference.simulator.jobs import Job
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.protocol import Request

Error = Callable[[int, str, str | None, str | None], bytes]
"""The body of an error from status, message, kind and param."""

DONE = b"data: [DONE]\n\n"
EVENTS = b"text/event-stream; charset=utf-8"


class Answer(NamedTuple):
    """For whom an answer is written, under which id and name."""

    job: Job
    id: str
    model: str


class Events(ABC):
    """Renders the events of one stream.

    Tokens are numbered through: token by token, and choice by choice within a token.
    """

    content_type = EVENTS
    ending: tuple[bytes, ...] = (DONE,)
    """The end markers: what `no_done` leaves out and `dup_done` sends twice."""

    def __init__(self, answer: Answer, error: Error) -> None:
        self.job, self.id, self.model = answer
        self.meter = Meter(self.job)
        self._error = error

    def opening(self) -> list[bytes]:
        """What comes with the first token, before it."""
        return []

    @abstractmethod
    def content(self, start: int, stop: int) -> list[bytes]:
        """The tokens from `start` to `stop`."""

    def finishes(self) -> list[bytes]:
        """What says that every choice has ended, and why."""
        return []

    def usages(self) -> list[bytes]:
        """The usage, where this stream has one of its own."""
        return []

    def error(self, message: str) -> list[bytes]:
        """A failure in mid-stream: vLLM's is an event like any other with an error body. Without one it is cut off."""
        return [b"data: %s\n\n" % self._error(500, message, "InternalServerError", None)]

    def dones(self) -> list[bytes]:
        """The end markers, as the directive wants them."""
        directive = self.job.directive
        return [] if directive.no_done else list(self.ending) * (2 if directive.dup_done else 1)


class Dialect(ABC):
    """One endpoint."""

    endpoint: str
    """Its path, and how the witness names it."""
    aliases: tuple[str, ...] = ()
    """Other paths that do the same."""
    id_prefix = ""
    failure = 500
    """The status of an answer that failed while it was generated."""

    def __init__(self, error: Error = wire.error) -> None:
        self.error = error

    @abstractmethod
    def read(self, request: Request, options: Options) -> Job:
        """The job in a request. Raises Refused."""

    @abstractmethod
    def whole(self, answer: Answer) -> Body:
        """The answer in one piece."""

    def headers(self, answer: Answer) -> bytes:
        """Lines of headers of its own, for a 200."""
        del answer
        return b""


class Streamed(Dialect):
    """One endpoint that can stream."""

    @abstractmethod
    def events(self, answer: Answer) -> Events:
        """The answer as a stream."""
