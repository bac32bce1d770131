"""Forms with a recording, written by hand as a browser sends them."""

from tests.inference.simulator.recordings import recording

EDGE = "edge"
FORM = {"content-type": f"multipart/form-data; boundary={EDGE}"}
SECONDS = 90


def part(name: str, value: str | bytes, *, filename: str | None = None, more: str = "") -> bytes:
    """Write one part."""
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--{EDGE}\r\ncontent-disposition: form-data; name="{name}"{named}\r\n{more}\r\n'
    return head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


def close(*parts: bytes) -> bytes:
    """Write a whole form."""
    return b"".join(parts) + f"--{EDGE}--\r\n".encode()


def form(
    *, file: bytes | None = None, filename: str = "hello.wav", directive: str = "tokens=5", **fields: str
) -> bytes:
    """Write a form with a recording of `SECONDS` and these fields. The simulator reads its directive in the prompt."""
    data = recording(SECONDS) if file is None else file
    prompt = {"prompt": f"[[sim ttft=1 gap=0 {directive}]]"}
    values = [part(name, value) for name, value in (prompt | fields).items()]
    return close(*values, part("file", data, filename=filename))
