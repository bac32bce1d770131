"""The simulator's own log: what a test compares a gateway's books with. It holds no prompt and no answer."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

Ended = Literal["complete", "client_gone", "died", "reset", "hung", "error", "status"]


@dataclass(slots=True)
class Record:
    """One request for a completion. Times are seconds since the epoch."""

    id: str
    """The id in the answer, as `chatcmpl-…`."""
    request_id: str | None
    """The incoming `x-request-id`."""
    endpoint: str
    started_at: float
    """When it arrived."""
    model: str | None = None
    stream: bool = False
    prompt_tokens: int = 0
    cached_tokens: int = 0
    status: int = 200
    """Of the answer; what was refused (400, 401, 404 …) is on record too."""
    completion_tokens: int = 0
    """Content tokens written, all choices together; an answer cut short counts what left."""
    running: int = 0
    """How many ran at once when it began to run, itself included; 0 while it waits and when it never ran."""
    ended: Ended | None = None
    """None while it goes on; "hung" from the moment of silence, although the client has not left yet."""
    ended_at: float | None = None


class Witness:
    """The last records, in order of arrival, and the largest number that ever ran at once."""

    def __init__(self, capacity: int = 100_000) -> None:
        self.records: deque[Record] = deque(maxlen=capacity)
        self.max_running = 0

    def open(self, record: Record) -> Record:
        """Put a request on record from its arrival on."""
        self.records.append(record)
        return record

    def close(self, record: Record, ended: Ended) -> None:
        """Say how and when it ended; what is already said about how stays."""
        record.ended = record.ended or ended
        record.ended_at = time.time()

    def clear(self, running: int) -> None:
        """Forget everything, also the requests that still run; they are not listed when they end."""
        self.records.clear()
        self.max_running = running

    def report(self, running: int, waiting: int) -> dict[str, Any]:
        """The log as `GET /witness` shows it."""
        return {
            "max_running": self.max_running,
            "running": running,
            "waiting": waiting,
            "requests": list(self.records),
        }
