"""What names may be."""

import re
import zoneinfo

from tenants.errors import InvalidName
from tenants.models.organizations import SLUG_PATTERN


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
