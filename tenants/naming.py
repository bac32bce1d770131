"""What names may be."""

import re
import zoneinfo
from collections.abc import Iterable

from tenants.errors import InvalidName
from tenants.models.organizations import SLUG_PATTERN

MOST_ORIGINS = 100
# As a browser writes them (RFC 6454 §6.2): scheme, host, and the port if it is not the scheme's own; nothing behind.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def name(text: str) -> str:
    """Return the name without surrounding blanks; InvalidName if nothing, too much or no plain text is left."""
    cleaned = text.strip()
    if not cleaned or len(cleaned) > 200 or not cleaned.isprintable():
        raise InvalidName("A name has 1 to 200 printable characters.", param="name")
    return cleaned


def slug(text: str) -> str:
    """Return the slug as it is; InvalidName unless it is lower-case words joined by hyphens, 63 characters at most."""
    if len(text) > 63 or not re.fullmatch(SLUG_PATTERN.strip("^$"), text):
        raise InvalidName("A short name has up to 63 lower-case letters, digits and single hyphens.", param="slug")
    return text


def time_zone(text: str) -> str:
    """Return the time zone's IANA name as it is; InvalidName if there is no such zone."""
    if text not in zoneinfo.available_timezones():
        raise InvalidName("There is no such time zone. Use an IANA name like Europe/Berlin.", param="time_zone")
    return text


def origins(texts: Iterable[str]) -> list[str]:
    """Return origins in lower case, sorted, each once; InvalidName for what no browser would ever send as one."""
    cleaned = sorted({text.strip().lower() for text in texts})
    for text in cleaned:
        usual = _USUAL_PORTS.get(text.partition(":")[0])
        if text != "*" and (len(text) > 255 or not _ORIGIN.fullmatch(text) or (usual and text.endswith(usual))):
            raise InvalidName(
                "An origin is a scheme and a host, as https://app.example.com, with the port where it is not the usual"
                " one and without a path; * is every origin.",
                param="allowed_origins",
            )
    if len(cleaned) > MOST_ORIGINS:
        raise InvalidName(f"There can be at most {MOST_ORIGINS} origins.", param="allowed_origins")
    return cleaned
