"""What an engine writes for one short stream in each of its dialects, and the odd ways in which it may write it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from tests.tables.streams import Way

TEXT = "Grüße 🌍"
CHAT_USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
RESPONSE_USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def block(value: Any) -> bytes:
    """Write an event as its dialect does: with its type for a name where it has one."""
    named = b"event: %s\n" % value["type"].encode() if "type" in value else b""
    return named + b"data: " + orjson.dumps(value) + b"\n\n"


@dataclass(frozen=True)
class Script:
    """A stream in parts: what says `TEXT`, or other texts, what comes before and after, and the end marker."""

    opening: list[Any]
    piece: Callable[[str], Any]
    closing: list[Any]
    done: bytes

    def events(self, *texts: str) -> bytes:
        """Write everything but the end marker."""
        said = [self.piece(text) for text in texts or (TEXT,)]
        return b"".join(map(block, [*self.opening, *said, *self.closing]))

    def whole(self, *texts: str) -> bytes:
        """Write everything."""
        return self.events(*texts) + self.done

    def begun(self) -> bytes:
        """Write as much as says the text."""
        return b"".join(map(block, [*self.opening, self.piece(TEXT)]))


def _chunk(**more: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "model": "up", "choices": [], **more}


def _choice(said: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return _chunk(choices=[{"index": 0, **said, "finish_reason": finish}])


DONE = b"data: [DONE]\n\n"
CHAT = Script(
    [],
    lambda text: _choice({"delta": {"content": text}}),
    [_choice({"delta": {}}, "stop"), _chunk(usage=CHAT_USAGE)],
    DONE,
)
COMPLETION = Script(
    [], lambda text: _choice({"text": text}), [_choice({"text": ""}, "stop"), _chunk(usage=CHAT_USAGE)], DONE
)
TRANSCRIPT = Script(
    [], lambda text: _choice({"delta": {"content": text}}), [_choice({"delta": {"content": ""}}, "stop")], DONE
)
_RESPONSE = {"id": "r", "object": "response", "model": "up", "status": "in_progress", "output": []}
RESPONSE = Script(
    [{"type": "response.created", "response": _RESPONSE}],
    lambda text: {"type": "response.output_text.delta", "item_id": "m", "delta": text},
    [{"type": "response.output_text.done", "item_id": "m", "text": TEXT}],
    block(
        {"type": "response.completed", "response": _RESPONSE | {"status": "completed", "usage": RESPONSE_USAGE}},
    ),
)
_MESSAGE: dict[str, Any] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "up",
    "content": [],
    "stop_reason": None,
}
MESSAGE = Script(
    [
        {"type": "message_start", "message": _MESSAGE | {"usage": {"input_tokens": 3, "output_tokens": 0}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ],
    lambda text: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
    [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    ],
    block({"type": "message_stop"}),
)
_NATIVE = {
    "chat.completions": CHAT,
    "completions": COMPLETION,
    "responses": RESPONSE,
    "messages": MESSAGE,
    "audio.transcriptions": TRANSCRIPT,
}


def script(way: Way) -> Script:
    """Return what the engine writes on a way: where a dialect is translated, its chat."""
    return CHAT if way.bridged else _NATIVE[way.surface]


STREAMED, PLAIN, CHUNKED = (
    "content-type: text/event-stream",
    "content-type: application/json",
    "transfer-encoding: chunked",
)


class OddEngine:
    """Says the same bytes to everybody, in pieces if it is told to, and then hangs up."""

    def __init__(self) -> None:
        self.says = b""
        self.piece = 2**20

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for start in range(0, len(self.says), self.piece):
            writer.write(self.says[start : start + self.piece])
            await writer.drain()
        writer.close()


def answer(body: bytes, *headers: str, status: str = "200 OK", before: bytes = b"") -> bytes:
    """Write an answer that ends with its connection, unless a header says otherwise."""
    head = "\r\n".join((f"HTTP/1.1 {status}", *headers, "connection: close", "", ""))
    return before + head.encode() + body


def chunked(body: bytes, trailer: bytes = b"") -> bytes:
    """Write a body as one chunk, with a trailer."""
    return b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailer)


def _in_lines(events: bytes) -> bytes:
    """Write the JSON of each event over several data lines."""
    written = []
    for event in events.split(b"\n\n"):
        name, _, data = event.rpartition(b"data: ")
        if data.startswith(b"{"):
            lines = orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2).splitlines()
            written.append(name + b"\n".join(b"data: " + line for line in lines))
        else:
            written.append(event)
    return b"\n\n".join(written)


def _values(events: bytes) -> list[bytes]:
    return [event.rpartition(b"data: ")[2] for event in events.split(b"\n\n")]


def read(it: Script) -> dict[str, bytes]:
    """Return answers that are odd, and say the text all the same."""
    whole, events = it.whole(), it.events()
    return {
        "until it hangs up": answer(whole, STREAMED),
        "with CRLF": answer(whole.replace(b"\n", b"\r\n"), STREAMED),
        "with a byte order mark": answer(b"\xef\xbb\xbf" + whole, STREAMED),
        "with comments": answer(b": hi\n\n" + events + b": bye\n\n" + it.done, STREAMED),
        "with a comment in each event": answer(whole.replace(b"data:", b": hi\ndata:"), STREAMED),
        "with ids and times to retry": answer(b"retry: 5\n" + whole.replace(b"data:", b"id: 1\ndata:"), STREAMED),
        "with several data lines": answer(_in_lines(whole), STREAMED),
        "with two end markers": answer(whole + it.done, STREAMED),
        "with more after the end": answer(whole + whole, STREAMED),
        "without spaces": answer(whole.replace(b"data: ", b"data:").replace(b"event: ", b"event:"), STREAMED),
        "after a 103": answer(whole, STREAMED, before=b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
        "after a 100": answer(whole, STREAMED, before=b"HTTP/1.1 100 Continue\r\n\r\n" * 2),
        "with trailers": answer(chunked(whole, b"x-checksum: 1\r\n"), STREAMED, CHUNKED),
        "with cookies and its own headers": answer(whole, STREAMED, "set-cookie: a=b", "server: secret/1"),
        "with a charset": answer(whole, STREAMED + "; charset=utf-8"),
    }


def broken(it: Script) -> dict[str, bytes]:
    """Return answers that are none."""
    whole = it.whole()
    return {
        "JSON without framing": answer(b"\n\n".join(_values(whole)) + b"\n\n", STREAMED),
        "the wrong content type": answer(whole, PLAIN),
        "no content type": answer(whole),
        "bad gzip": answer(b"\x1f\x8b\x08\x00", STREAMED, "content-encoding: gzip"),
        "good bytes that claim to be gzip": answer(whole, STREAMED, "content-encoding: gzip"),
        "a redirect": answer(b"", "location: http://127.0.0.1:1/", status="307 Temporary Redirect"),
        "no content": answer(b"", status="204 No Content"),
        "another protocol": answer(b"", "upgrade: websocket", "connection: upgrade", status="101 Switching Protocols"),
        "nothing at all": b"",
        "no HTTP": b"SSH-2.0-OpenSSH_9.7\r\n",
        "an empty stream": answer(b"", STREAMED),
        "a page": answer(b"<html>\n\n", STREAMED),
        "half a chunk": answer(b"ffff\r\ndata: {", STREAMED, CHUNKED),
        "an error first": answer(b'data: {"error": {"message": "secret"}}\n\n', STREAMED),
        "an error of Anthropic's first": answer(
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"secret"}}\n\n', STREAMED
        ),
    }


def cut(it: Script) -> dict[str, bytes]:
    """Return answers that begin well."""
    begun, events = it.begun(), it.events()
    # Beside what says of which type it is, an event of these dialects has no such member.
    more = {
        "an error after other members": answer(begun + b'data: {"id":"c","error":{"message":"secret"}}\n\n', STREAMED)
    }
    return (more if it in (RESPONSE, MESSAGE) else {}) | {
        "an error in the middle": answer(
            begun + b'event: error\ndata: {"message": "secret"}\n\n' + events + it.done, STREAMED
        ),
        "an error without a name": answer(begun + b'data: {"error":{"message":"secret"}}\n\n' + it.done, STREAMED),
        "an error after a space": answer(begun + b'data: { "error" : {"message":"secret"}}\n\n' + it.done, STREAMED),
        "an error that is a string": answer(
            begun + b'data: {"error":"secret","error_type":"x"}\n\n' + it.done, STREAMED
        ),
        "an error in lines": answer(begun + b'data: {\ndata: "error": {"message": "secret"}}\n\n' + it.done, STREAMED),
        "the connection ends": answer(b"ffff\r\n" + begun, STREAMED, CHUNKED),
        "it ends in an event": answer(begun + b'data: {"secret', STREAMED),
        "it goes on in HTML": answer(begun + b"<h1>secret</h1>\n\n" + it.done, STREAMED),
        "it goes on in JSON": answer(begun + b'{"detail":"secret"}\n\n' + it.done, STREAMED),
    }
