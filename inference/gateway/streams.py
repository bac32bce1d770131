"""Server-sent events of a chat completion, handled as bytes: whole events go on, the rest waits for more.

Nothing is decoded and encoded again. That is safe because JSON escapes quotes and line ends inside strings, so what
looks like a key or like the start of a line is one. Format: WHATWG HTML §9.2, OpenAI's chat completion chunks.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from inference.gateway.errors import UpstreamError

# An event that does not end by then is no event.
LONGEST_EVENT = 8 * 1024 * 1024

_VALUE = rb"(?:null|\{(?:[^{}]|\{[^{}]*\})*\})"
_USAGE = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')
_USAGE_FIELD = re.compile(rb',\s*"usage"\s*:\s*' + _VALUE)
_NO_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*\]')
_DONE = re.compile(rb"(?:^|(?<=[\r\n]))data: ?\[DONE\]")
_ERROR = re.compile(rb'(?:^|(?<=[\r\n]))(?:event: ?error|error:|data: ?\{\s*"(?:error"|object"\s*:\s*"error"))')
# How an engine ends a choice that it could not finish: it broke, or somebody there ended it.
_FAILURES = ("error", "abort")
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')
_EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\n\r\n)")
_INDEX = re.compile(rb'"choices"\s*:\s*\[\s*\{\s*"index"\s*:\s*(\d+)')
_DATA = re.compile(rb"data: ?(\{.*\})\s*\Z", re.DOTALL)
_MODEL = re.compile(rb'("model"\s*:\s*)"(?:[^"\\]|\\.)*"')
# One event of an engine carries one token, or a few; this counts those that carry something.
_OUTPUT = re.compile(rb'"(?:content|reasoning|reasoning_content|arguments|refusal|text)"\s*:\s*"[^"]')


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# JSON or HTML where an event should be: its lines begin with no field's name.
_NO_EVENT = re.compile(rb"(?:\A|(?<=\n))[\[{<]")
# A data line that goes on in the next one, or a line that is no part of an event: an engine's own `id` and `retry`, and
# its comments, of which some name who it is.
_UNUSUAL = re.compile(rb"(?:\A|\n)(?:data:[^\n]*+\n(?=data:)|(?!data:|event:|error:|[\r\n\[{<]|\Z))")
_KEPT = (b"event:", b"error:", b"[", b"{", b"<")

# What engines tell about themselves. Inside text the quotes would be escaped, so these are keys where they are found.
_PRIVATE = tuple(
    b'"%s"' % name
    for name in (b"kv_transfer_params", b"metrics", b"metadata", b"timings", b"provider", b"x_groq", b"sglext")
)


class Blocks:
    """Cuts a stream of bytes into blocks of whole events, wherever the reads were cut.

    Events come out with one data line each, and without what is of no use to a client: a byte order mark at the start,
    an engine's own `id`, `retry` and comments. Lines end as the engine likes, by LF or CRLF.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._started = False

    def feed(self, chunk: bytes) -> bytes:
        """Return all events that are complete by now; keep the rest.

        Raises `UpstreamError` for an event without an end.
        """
        if not self._rest and (end := _end_of_events(chunk)) == len(chunk):
            return self._plain(chunk)
        # A blank line may be cut, so the end of what is kept is looked at again; never all of it, for events are long.
        known = max(0, len(self._rest) - 3)
        self._rest += chunk
        end = _end_of_events(self._rest, known)
        block = bytes(self._rest[:end])
        del self._rest[:end]
        if len(self._rest) > LONGEST_EVENT:
            raise UpstreamError from ValueError("an event is too long")
        return self._plain(block) if block else b""

    def _plain(self, block: bytes) -> bytes:
        if not self._started:
            self._started = True
            block = block.removeprefix(_BYTE_ORDER_MARK)
        if _UNUSUAL.search(block):
            return b"".join(_with_one_data_line(event) for event in events_of(block))
        return block


def events_of(block: bytes) -> list[bytes]:
    """Cut a block of whole events into its events."""
    return _EVENT_END.split(block)


def _end_of_events(data: bytes | bytearray, start: int = 0) -> int:
    """Return where the last blank line ends, 0 if there is none."""
    end = max(data.rfind(b"\n\n", start) + 2, data.rfind(b"\n\r\n", start) + 3)
    return 0 if end < 3 else end  # Neither was found.


def _with_one_data_line(event: bytes) -> bytes:
    """Write an event anew if it has several data lines or fields that stay here; empty if nothing is left of it."""
    if not _UNUSUAL.search(event):
        return event
    lines = event.splitlines()
    kept = [line for line in lines if line.startswith(_KEPT)]
    # The values of data lines are joined by LF, which means nothing between the parts of JSON and is in none of them.
    data = b"".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    if data:
        kept.append(b"data: " + data)
    return b"\n".join([*kept, b"", b""]) if kept else b""


class Meter:
    """What a stream has said so far: the latest usage, how much output there was, how it ended."""

    def __init__(self, choices: int = 1) -> None:
        self.outputs = 0
        self.finished = False
        self.final = False
        self._usage: bytes | None = None
        # With several choices, continuous usage counts each choice on its own (vLLM); only the final one sums them.
        self._by_choice: dict[bytes, bytes] | None = {} if choices > 1 else None

    def observe(self, block: bytes) -> None:
        """Look at whole events. Usage is cumulative: the last one counts, none is added."""
        self.outputs += sum(1 for _ in _OUTPUT.finditer(block))
        if not self.finished and _FINISHED.search(block):
            self.finished = True
        if b'"usage"' in block:
            found = _USAGE.findall(block)
            if found:
                self._usage = found[-1]
                self.final = _NO_CHOICES.search(block) is not None
                if self._by_choice is not None:
                    self._note_choices(block)

    def usage(self) -> Any:
        """Return the latest usage as the engine wrote it, summed over the choices while it is not final, or None."""
        latest = _parsed(self._usage)
        if self.final or not self._by_choice or not isinstance(latest, dict):
            return latest
        counts = [_parsed(usage) for usage in self._by_choice.values()]
        made = [count.get("completion_tokens") for count in counts if isinstance(count, dict)]
        return latest | {"completion_tokens": sum(count for count in made if type(count) is int)}

    def _note_choices(self, block: bytes) -> None:
        for event in events_of(block):
            index, usage = _INDEX.search(event), _USAGE.search(event)
            if index and usage and self._by_choice is not None:
                self._by_choice[index.group(1)] = usage.group(1)


class Rewriter:
    """Makes an engine's events ours: the public model name, and usage only for those who asked for it."""

    def __init__(self, public_name: str, *, include_usage: bool, continuous_usage: bool) -> None:
        self._model = rb"\1" + orjson.dumps(public_name).replace(b"\\", rb"\\")
        self._include_usage = include_usage
        self._keep_all = include_usage and continuous_usage

    def rewrite(self, block: bytes) -> bytes:
        """Return a block as the client should see it."""
        if any(name in block for name in _PRIVATE):
            block = b"".join(_without_private(event) for event in events_of(block))
        block = _MODEL.sub(self._model, block)
        if b'"usage"' not in block or self._keep_all:
            return block
        if _NO_CHOICES.search(block) is None:
            return self._without_usage(block)
        return b"".join(self._event(event) for event in events_of(block))

    def _event(self, event: bytes) -> bytes:
        if _NO_CHOICES.search(event) is None:
            return self._without_usage(event)
        return event if self._include_usage else b""

    def _without_usage(self, block: bytes) -> bytes:
        return _USAGE_FIELD.sub(b',"usage":null' if self._include_usage else b"", block)


def _without_private(event: bytes) -> bytes:
    """Rare, and so the one place where an event is decoded and written anew."""
    data = _DATA.match(event)
    if data is None or not any(name in event for name in _PRIVATE):
        return event
    try:
        value = orjson.loads(data.group(1))
    except orjson.JSONDecodeError as cause:
        raise UpstreamError from cause
    kept = {name: item for name, item in value.items() if b'"%s"' % name.encode() not in _PRIVATE}
    return b"data: " + orjson.dumps(kept) + b"\n\n"


def _parsed(usage: bytes | None) -> Any:
    try:
        return None if usage is None else orjson.loads(usage)
    except orjson.JSONDecodeError:
        return None


def split_at_done(block: bytes) -> tuple[bytes, bytes]:
    """Cut a block before its end marker: what comes first, and the marker's event, empty if there is none."""
    if b"[DONE]" not in block:
        return block, b""
    marker = _DONE.search(block)
    if marker is None:
        return block, b""
    event = _EVENT_END.split(block[marker.start() :], maxsplit=1)[0]
    return block[: marker.start()], event


def split_at_failure(block: bytes) -> tuple[bytes, bool]:
    """Cut a block before its first event that is no chunk of an answer, and tell whether there is any.

    That is an error in whatever form, a chunk that has one beside its choices, or a choice that ended in one. Events
    are read only where one of the words occurs, or where choices are fewer than data lines.
    """
    block, broken = split_at_error(block)
    choices = block.count(b'"choices":[') + block.count(b'"choices": [')
    if b'"error"' in block or b'"abort"' in block or choices < block.count(b"data:"):
        place = 0
        for event in events_of(block):
            if b"data:" in event and not _is_chunk(event):
                return block[:place], True
            place += len(event)
    return block, broken


def _is_chunk(event: bytes) -> bool:
    try:
        value = next((orjson.loads(line[5:]) for line in event.splitlines() if line.startswith(b"data:")), None)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and is_sound(value)


def is_sound(answer: dict[str, Any]) -> bool:
    """Say whether an answer, or a chunk of one, is none that its engine could not finish."""
    choices = answer.get("choices")
    return not answer.get("error") and isinstance(choices, list) and all(map(_is_choice, choices))


def _is_choice(choice: Any) -> bool:
    return isinstance(choice, dict) and not choice.get("error") and choice.get("finish_reason") not in _FAILURES


def split_at_error(block: bytes) -> tuple[bytes, bool]:
    """Cut a block before an error that the engine reports, or what is no event, and tell whether there is any."""
    found = [_ERROR.search(block) if b"error" in block else None]
    # Nearly every block begins with a field and has none of these, and finding that out is cheaper than the search.
    if block[:1] in (b"[", b"{", b"<") or b"\n{" in block or b"\n[" in block or b"\n<" in block:
        found.append(_NO_EVENT.search(block))
    places = [match.start() for match in found if match is not None]
    return (block[: min(places)], True) if places else (block, False)
