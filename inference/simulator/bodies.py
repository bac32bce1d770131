"""A whole answer as one JSON body."""

from inference.simulator import wire
from inference.simulator.jobs import Job
from inference.simulator.metering import Meter


def whole(job: Job, id_: str, model: str, upto: int | None = None) -> bytes:
    """The body of an answer that is not streamed; with `upto` cut off after so many content tokens."""
    shape, left = job.shape, upto
    parts = [wire.opening(id_, shape.whole_object, model)]
    for choice in range(len(job.choices)):
        parts.append((b"," if choice else b"") + shape.whole_open % choice)
        if left is not None and left <= job.tokens:
            return b"".join((*parts, *job.words(choice, 0, left)))
        parts += job.words(choice, 0, job.tokens)
        parts.append(shape.whole_close % job.finish_reason.encode())
        left = None if left is None else left - job.tokens
    meter = Meter(job)
    usage = b',"usage":' + meter.total() if meter.in_whole else b""
    return b"".join((*parts, b'],"service_tier":null,"system_fingerprint":null', usage, shape.whole_tail))
