import pytest

from inference.simulator import bodies
from inference.simulator.bodies import Tokens


def test_tokens_stand_in_their_place():
    body = bodies.json({"a": Tokens([b"x", b"y"]), "b": [bodies.items([b"1", b"2"])]})
    assert body.data() == b'{"a":"xy","b":[1,2]}'


@pytest.mark.parametrize(
    ("upto", "left"), [(0, b'{"a":"'), (1, b'{"a":"x'), (2, b'{"a":"xy'), (3, b'{"a":"xy","b":"z')]
)
def test_a_body_is_cut_right_after_its_kth_token(upto, left):
    assert bodies.json({"a": Tokens([b"x", b"y"]), "b": Tokens([b"z"])}).data(upto) == left


def test_a_nul_in_a_text_is_no_slot():
    assert bodies.json({"a": "\0", "b": Tokens([b"x"])}).data() == b'{"a":"\\u0000","b":"x"}'


def test_what_is_no_json_is_an_error():
    with pytest.raises(TypeError):
        bodies.json({"a": object()})
