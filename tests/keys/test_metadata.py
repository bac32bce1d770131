"""What an organisation may note on its keys."""

import pytest

from keys.errors import InvalidLimit
from keys.metadata import checked


@pytest.mark.parametrize("metadata", [{}, {"team": "search", "Kürzel": ""}, {str(n): "x" * 512 for n in range(16)}])
def test_short_text_under_short_names_is_kept(metadata):
    assert checked(metadata) == metadata
    assert checked(metadata) is not metadata


@pytest.mark.parametrize(
    "metadata",
    [{str(n): "" for n in range(17)}, {"": "x"}, {"n" * 65: ""}, {"n": "x" * 513}, {"n": "a\nb"}, {"n\0": "x"}],
)
def test_anything_else_is_refused_by_name(metadata):
    with pytest.raises(InvalidLimit) as caught:
        checked(metadata)
    assert caught.value.param == "metadata"
