"""What an organisation may note on its keys: short text under short names, within OpenAI's bounds for metadata."""

from collections.abc import Mapping

from keys.errors import InvalidLimit

MOST_ENTRIES = 16
LONGEST_NAME = 64
LONGEST_VALUE = 512


def checked(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return a copy, or raise InvalidLimit for too many or too long entries, and for what is not printable text."""
    if len(metadata) > MOST_ENTRIES:
        raise InvalidLimit(f"Metadata has at most {MOST_ENTRIES} entries.", param="metadata")
    for name, value in metadata.items():
        if not (0 < len(name) <= LONGEST_NAME and len(value) <= LONGEST_VALUE and (name + value).isprintable()):
            raise InvalidLimit(
                f"Metadata has names of 1 to {LONGEST_NAME} and values of up to {LONGEST_VALUE} printable characters.",
                param="metadata",
            )
    return dict(metadata)
