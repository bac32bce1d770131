"""`POST /v1/audio/speech` in OpenAI's shape: a tone as long as the text, as a WAV file or as bare samples."""

from inference.simulator import fields, jobs, prompts, sounds
from inference.simulator.bodies import Body
from inference.simulator.dialects import Answer, Error, Events, Streamed
from inference.simulator.jobs import Job
from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

_CHARACTERS_PER_SLICE = 2
"""A tenth of a second for so many characters."""
_TYPES = {"wav": b"audio/wav", "pcm": b"audio/pcm"}
_LONGEST = 4096


class Speech(Streamed):
    """Binary: streamed slice by slice unless `stream` is false."""

    endpoint = "/v1/audio/speech"
    id_prefix = "speech-"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        text = fields.text(asked, "input")
        if not 0 < len(text) <= _LONGEST:
            raise Refused(400, f"input: Input should have 1 to {_LONGEST} characters", param="input")
        if asked.get("response_format", "wav") not in _TYPES:
            raise Refused(400, "response_format: the simulator speaks wav and pcm", param="response_format")
        slices = -(-len(text) // _CHARACTERS_PER_SLICE)
        job = jobs.making((prompts.of_text(text),), slices, asked, options, text)
        if job.directive.tokens is not None:
            job.tokens = job.directive.tokens
        job.stream = asked.get("stream") is not False
        return job

    def whole(self, answer: Answer) -> Body:
        count = answer.job.tokens
        head = [sounds.header(count * sounds.SLICE)] if _format(answer.job) == "wav" else []
        return Body([*head, sounds.pcm_slices(count)], _TYPES[_format(answer.job)])

    def events(self, answer: Answer) -> Events:
        return _Slices(answer, self.error)


class _Slices(Events):
    """The slices of one stream, with no events about them."""

    ending = ()

    def __init__(self, answer: Answer, error: Error) -> None:
        super().__init__(answer, error)
        self.content_type = _TYPES[_format(self.job)]

    def opening(self) -> list[bytes]:
        return [sounds.header(None)] if _format(self.job) == "wav" else []

    def content(self, start: int, stop: int) -> list[bytes]:
        return sounds.pcm_slices(stop - start)

    def error(self, message: str) -> list[bytes]:
        # Sound has no place for a message: the connection ends, as a server's does whose answer fails on its way.
        return []


def _format(job: Job) -> str:
    return str(job.asked.get("response_format") or "wav")
