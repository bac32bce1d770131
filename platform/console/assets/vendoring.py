"""What comes from other people: taken from npm's tarballs by `npm pack`, committed, and held to the hashes of a lock.

The lock names packages, versions and hashes but no registry: which one answers is the machine's business.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from console.assets.building import HERE, ROOT

LOCK = HERE / "vendor.lock.json"
# npm puts everything into a folder of this name.
INSIDE = "package"


class WrongHash(RuntimeError):
    """A tarball is not the one that was locked."""


def differences() -> list[str]:
    """Return what is not as locked: files that are changed, missing, or there without being in the lock."""
    lock = _read()
    locked = {name: digest for package in lock["packages"] for name, digest in package["files"].items()}
    present = {path.relative_to(ROOT).as_posix() for package in lock["packages"] for path in _files(package)}
    wrong = [name for name in sorted(locked.keys() & present) if _sha256(ROOT / name) != locked[name]]
    return [
        *(f"{name} is not the file that was vendored" for name in wrong),
        *(f"{name} is missing" for name in sorted(locked.keys() - present)),
        *(f"{name} is not in the lock" for name in sorted(present - locked.keys())),
    ]


def vendor() -> None:
    """Fetch every package at its locked version and put its files in place; a new version gets its hashes locked.

    To move to another version, change `version` in the lock, empty `integrity`, and run this.
    """
    lock = _read()
    for package in lock["packages"]:
        with tempfile.TemporaryDirectory() as folder:
            tarball = _pack(package, Path(folder))
            _check_integrity(package, tarball)
            for path in _files(package):
                path.unlink()
            package["files"] = dict(sorted(_extract(package, tarball)))
    LOCK.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def _read() -> dict[str, Any]:
    lock: dict[str, Any] = json.loads(LOCK.read_text(encoding="utf-8"))
    return lock


def _files(package: dict[str, Any]) -> list[Path]:
    return sorted(path for path in (ROOT / package["into"]).rglob("*") if path.is_file())


def _pack(package: dict[str, Any], folder: Path) -> Path:
    wanted = f"{package['name']}@{package['version']}"
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, wanted], check=True, capture_output=True)
    (tarball,) = folder.glob("*.tgz")
    return tarball


def _check_integrity(package: dict[str, Any], tarball: Path) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if package["integrity"] not in {"", found}:
        raise WrongHash(f"{package['name']} {package['version']} is not the package that was locked")
    package["integrity"] = found


def _extract(package: dict[str, Any], tarball: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(tarball) as archive:
        for member in archive:
            inside = PurePosixPath(member.name).relative_to(INSIDE)
            content = archive.extractfile(member)
            if content is None or not any(fnmatch(str(inside), pattern) for pattern in package["take"]):
                continue
            # Strips the folders that say nothing here, such as fontsource's `files/`.
            target = ROOT / package["into"] / inside.relative_to(package["strip"] if _below(inside, package) else ".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            yield target.relative_to(ROOT).as_posix(), _sha256(target)


def _below(inside: PurePosixPath, package: dict[str, Any]) -> bool:
    return bool(package["strip"]) and inside.is_relative_to(package["strip"])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
