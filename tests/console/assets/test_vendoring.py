"""What was vendored is what the lock says."""

import base64
import json
import re

import pytest

from console.assets import vendoring

LOCK = json.loads(vendoring.LOCK.read_text())


def test_every_vendored_file_is_as_it_was_locked():
    assert vendoring.differences() == []


def test_the_lock_names_no_registry():
    assert "://" not in vendoring.LOCK.read_text()


@pytest.mark.parametrize("package", LOCK["packages"], ids=lambda package: package["name"])
def test_each_package_has_an_exact_version_a_hash_a_licence_and_its_text(package):
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
    algorithm, _, digest = package["integrity"].partition("-")
    assert algorithm == "sha512"
    assert len(base64.b64decode(digest)) == 64
    assert package["licence"] in {"MIT", "ISC", "OFL-1.1", "MPL-2.0"}
    assert f"{package['into']}/LICENSE" in package["files"]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A checkout of one package with two files, to break."""
    (tmp_path / "vendor").mkdir()
    for name in ("a.js", "b.js"):
        (tmp_path / "vendor" / name).write_text(name)
    files = {f"vendor/{name}": vendoring._sha256(tmp_path / "vendor" / name) for name in ("a.js", "b.js")}
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"packages": [{"name": "x", "into": "vendor", "files": files}]}))
    monkeypatch.setattr(vendoring, "LOCK", lock)
    monkeypatch.setattr(vendoring, "ROOT", tmp_path)
    return tmp_path / "vendor"


def test_a_changed_file_is_found(copy):
    (copy / "a.js").write_text("evil()")
    assert vendoring.differences() == ["vendor/a.js is not the file that was vendored"]


def test_a_missing_file_is_found(copy):
    (copy / "a.js").unlink()
    assert vendoring.differences() == ["vendor/a.js is missing"]


def test_a_file_that_nobody_vendored_is_found(copy):
    (copy / "c.js").write_text("")
    assert vendoring.differences() == ["vendor/c.js is not in the lock"]
