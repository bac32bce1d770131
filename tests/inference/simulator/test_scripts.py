from inference.simulator import scripts
from inference.simulator.scripts import Part


def _kinds(parts):
    return [(part.kind, part.tokens, part.whole) for part in parts]


def test_a_limit_shortens_the_part_it_falls_into():
    parts = [Part("reasoning", 3), Part("text", 4), Part("text", 2)]
    assert _kinds(scripts.cut(parts, 5)) == [("reasoning", 3, True), ("text", 2, False)]
    assert _kinds(scripts.cut(parts, 3)) == [("reasoning", 3, True)]


def test_tokens_are_found_across_parts():
    parts = [scripts.fixed("text", ("a", "b")), scripts.fixed("call", ("c", "d"), "toll")]
    found = [(one.number, one.at, one.word) for one in scripts.said(parts, 0, 1, 4)]
    assert found == [(0, 1, b"b"), (1, 0, b"c"), (1, 1, b"d")]


def test_pieces_add_up_and_are_escaped():
    pieces = scripts.pieces('{"gate":"東京"}')
    assert "".join(pieces) == '{"gate":"東京"}'
    assert scripts.escaped('"') == b'\\"'
