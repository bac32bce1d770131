"""A stream of Anthropic's events, told in OpenAI's chat completion chunks."""

from __future__ import annotations

from typing import Any

import orjson

from inference.gateway.translation.claude_answer import Item, completion_id, finish_reason, with_total

# What Anthropic calls the pieces of blocks, where it has them, and what chat calls them.
_PIECES = {"text_delta": ("text", "content"), "thinking_delta": ("thinking", "reasoning_content")}


class ChatChunks:
    """The state of one stream: its id, and which call of a tool each block is."""

    def __init__(self, *, model: str, created: int, include_usage: bool, continuous_usage: bool) -> None:
        self.finished = False
        self._head: Item = {"id": "", "object": "chat.completion.chunk", "created": created, "model": model}
        self._include_usage = include_usage
        self._continuous = include_usage and continuous_usage
        self._calls: dict[int, int] = {}
        self._written: set[int] = set()

    def event(self, event: Item, usage: Item | None) -> bytes:
        """Tell one event. `usage` is what was used so far, in OpenAI's words."""
        match event.get("type"):
            case "message_start":
                self._head["id"] = completion_id(event["message"].get("id"))
                return self._chunk({"role": "assistant", "content": ""}, usage)
            case "content_block_start" if event["content_block"]["type"] == "tool_use":
                return self._chunk(self._begin(event["index"], event["content_block"]), usage)
            case "content_block_start" if event["content_block"].get("text"):
                return self._chunk({"content": event["content_block"]["text"]}, usage)
            case "content_block_delta":
                return self._piece(event["index"], event["delta"], usage)
            case "content_block_stop" if event["index"] in self._calls.keys() - self._written:
                # A call without arguments: OpenAI's clients parse what there is, and that must be an object.
                return self._chunk(self._arguments(event["index"], "{}"), usage)
            case "message_delta" if event["delta"].get("stop_reason"):
                self.finished = True
                return self._chunk({}, usage, finish_reason(event["delta"]["stop_reason"]))
        return b""

    def last(self, usage: Item | None) -> bytes:
        """Tell what was used, to those who asked for it."""
        if not self._include_usage or usage is None:
            return b""
        return _data(self._head | {"choices": [], "usage": with_total(usage)})

    def _begin(self, block: int, use: Item) -> Item:
        self._calls[block] = number = len(self._calls)
        function = {"name": use["name"], "arguments": ""}
        return {"tool_calls": [{"index": number, "id": use["id"], "type": "function", "function": function}]}

    def _piece(self, block: int, delta: Item, usage: Item | None) -> bytes:
        if delta["type"] == "input_json_delta":
            if not delta["partial_json"]:
                return b""
            self._written.add(block)
            return self._chunk(self._arguments(block, delta["partial_json"]), usage)
        names = _PIECES.get(delta["type"])
        return self._chunk({names[1]: delta[names[0]]}, usage) if names and delta[names[0]] else b""

    def _arguments(self, block: int, text: str) -> Item:
        return {"tool_calls": [{"index": self._calls[block], "function": {"arguments": text}}]}

    def _chunk(self, delta: Item, usage: Item | None, finish: str | None = None) -> bytes:
        chunk: dict[str, Any] = self._head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        if self._continuous and usage is not None:
            chunk["usage"] = with_total(usage)
        elif self._include_usage:
            chunk["usage"] = None
        return _data(chunk)


def _data(chunk: Item) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
