"""What can go wrong while an installation starts, each said in one line."""

import errno
from pathlib import Path


class CannotStart(Exception):
    """A start that failed for a reason its user can act on; the message is one line and says what to do."""


class Stopped(Exception):
    """Somebody asked the launcher to stop while it was still starting."""


# As the C library says it, and as PostgreSQL does when it could write a part of what it wanted to.
_FULL = ("No space left on device", "Disk quota exceeded", "could not extend file")


def tells_of_a_full_disk(text: str) -> bool:
    """Recognise a full disk in what a program says."""
    return any(words in text for words in _FULL)


def explain(error: OSError, folder: Path) -> CannotStart:
    """Turn an error of the operating system, met while using `folder`, into one clear line."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(folder)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        where = error.filename or folder
        return CannotStart(
            f"{where} cannot be written ({error.strerror}): choose another data folder with DATA=<folder>."
        )
    return CannotStart(f"{error.filename or folder}: {error.strerror or error}")


def disk_full(folder: Path) -> CannotStart:
    """Say that the disk below `folder` has no room left."""
    return CannotStart(
        f"The disk that holds {folder} is full: make room, or choose another data folder with DATA=<folder>."
    )
