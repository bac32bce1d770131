"""Forms: one file, fields, and nothing that can be read in two ways."""

import pytest

from foundation.errors import InvalidRequest
from inference.gateway.surfaces import forms
from tests.inference.gateway.forms import FORM, close, part

TYPE = FORM["content-type"].encode()
FILE = part("file", b"RIFF\r\n--edg\0", filename="a.wav")


def test_a_form_has_values_in_their_order_and_a_file_as_it_was():
    form = forms.read(close(part("a", "1"), FILE, part("b[]", "x"), part("b[]", "ü")), TYPE)
    assert form.values == {"a": ["1"], "b[]": ["x", "ü"]}
    assert form.file == forms.File("a.wav", b"RIFF\r\n--edg\0")


def test_nothing_of_it_is_shown():
    assert "secret" not in repr(forms.read(close(part("a", "secret"), part("file", "secret", filename="a.wav")), TYPE))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no end"),
        (close(part("a", "1"))[:-8], "no end"),
        (b"nothing like it", "not well-formed"),
        (close(FILE, FILE), "more than one file"),
        (close(part("other", b"x", filename="a.wav")), "must be called file"),
        (close(*[part("a", "1")] * 65), "more than 64 parts"),
        (close(part("a", "x" * 16_385)), "longer than 16384"),
        (close(part("a" * 65, "1")), "a name of at most 64"),
        (close(part("", "1")), "a name of at most 64"),
        (close(part("a", b"\xff")), "not UTF-8"),
        (close(part("a", b"x\0y")), "has a NUL"),
        (close(part("file", b"x", filename="a\0.wav")), "NUL|well-formed"),
        (close(part("a", "1", more="content-transfer-encoding: base64\r\n")), "is encoded"),
        (close(part("a", "1", more="content-disposition: form-data; name=b\r\n")), "a header twice"),
        (close(part("a", "1", more="x: y\r\n" * 1 + "z: y\r\nu: v\r\nw: v\r\n")), "not well-formed"),
        (close(part("a", "1", more=f"x: {'y' * 1100}\r\n")), "not well-formed"),
        (close(b"--edge\r\ncontent-type: text/plain\r\n\r\n1\r\n"), "needs a name"),
    ],
)
def test_what_is_no_such_form_is_refused(body, why):
    with pytest.raises(InvalidRequest, match=why):
        forms.read(body, TYPE)


@pytest.mark.parametrize("kind", [b"multipart/form-data", b"multipart/form-data; boundary=" + b"x" * 71])
def test_a_boundary_must_be_there_and_short(kind):
    with pytest.raises(InvalidRequest, match="boundary"):
        forms.read(close(FILE), kind)


def test_a_value_that_may_be_there_once_is_there_once():
    form = forms.read(close(part("a", "1"), part("a", "2")), TYPE)
    with pytest.raises(InvalidRequest, match="more than once"):
        form.single("a")
    assert form.single("b") is None
