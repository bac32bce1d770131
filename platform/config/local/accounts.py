"""Who runs PostgreSQL: the user of the launcher, or, as PostgreSQL refuses to run as root, the account `nobody`."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534
_OTHERS_MAY_SEARCH = 0o001


@dataclass(frozen=True, slots=True)
class Account:
    """A user to whom a child process drops its privileges."""

    uid: int
    gid: int


def unprivileged() -> Account | None:
    """Return the account to drop to, or None where nothing has to be dropped."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_NOBODY, _NOBODY)
    return Account(entry.pw_uid, entry.pw_gid)


def reaches(account: Account | None, folder: Path) -> bool:
    """Tell whether `account` can walk down to `folder`; `/root`, for one, lets nobody else through."""
    if account is None:
        return True
    return all(parent.stat().st_mode & _OTHERS_MAY_SEARCH for parent in folder.resolve().parents)


def hand_over(folder: Path, account: Account | None) -> None:
    """Make `folder` private, and `account`'s own where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
