"""A multipart form: its fields and its file."""

from io import BytesIO
from typing import Any, NamedTuple

import python_multipart
from python_multipart.exceptions import FormParserError

from inference.simulator import fields
from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused


class Form(NamedTuple):
    """What a form holds; fields named `x[]` are lists."""

    fields: dict[str, Any]
    files: dict[str, bytes]


def read(request: Request, options: Options) -> Form:
    """The form in a request that names the model served, or none. Raises Refused."""
    form = Form({}, {})

    def on_field(field: Any) -> None:
        name, value = field.field_name.decode(), (field.value or b"").decode("utf-8", "replace")
        if name.endswith("[]"):
            form.fields.setdefault(name, []).append(value)
        else:
            form.fields[name] = value

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        form.files[file.field_name.decode()] = file.file_object.read()
        file.close()

    headers = {"Content-Type": request.headers.get("content-type", "").encode("latin-1")}
    try:
        python_multipart.parse_form(headers, BytesIO(request.body), on_field, on_file)
    except (FormParserError, ValueError) as error:
        raise Refused(400, f"There was an error parsing the body: {error}", kind="Bad Request") from None
    fields.check_model(form.fields.get("model"), options)
    return form


def flag(form: Form, name: str) -> bool:
    """A field that says yes or no. Raises Refused."""
    value = str(form.fields.get(name, "false")).lower()
    if value not in ("true", "false", "1", "0"):
        raise Refused(400, f"{name}: Input should be a valid boolean", param=name)
    return value in ("true", "1")
