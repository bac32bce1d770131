"""The files of NAME=value lines."""

import os
import stat
import subprocess

import pytest

from config.local import environment, postgres, valkey
from config.local.errors import CannotStart


@pytest.fixture
def elsewhere(prepared, tmp_path):
    return prepared(tmp_path / "elsewhere")


@pytest.fixture(autouse=True)
def no_addresses(monkeypatch):
    """Keep what adopt() writes into the environment to one test."""
    saved = dict(os.environ)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "DATA", "KEY_PEPPER"):
        monkeypatch.delenv(name, raising=False)
    yield
    os.environ.clear()
    os.environ.update(saved)


def settings_of(place, pepper):
    environment.write(place.settings, {"DATABASE_URL": postgres.url(place), "KEY_PEPPER": pepper})


def test_a_shell_reads_what_is_written(tmp_path):
    values = {"A": "postgresql://a@/b?host=/c/d", "B": "with blank & ampersand; $HOME", "C": ""}
    environment.write(tmp_path / "x.env", values)
    script = f'. {tmp_path}/x.env; printf \'%s|%s|%s\' "$A" "$B" "$C"'
    assert subprocess.check_output(["sh", "-c", script], text=True) == "|".join(values.values())
    assert environment.read(tmp_path / "x.env") == values


def test_only_the_owner_may_read_them(tmp_path):
    environment.write(tmp_path / "x.env", {"A": "1"})
    assert stat.S_IMODE((tmp_path / "x.env").stat().st_mode) == 0o600


def test_what_such_a_file_cannot_say_is_refused(tmp_path):
    with pytest.raises(CannotStart):
        environment.write(tmp_path / "x.env", {"A": "it's"})


def test_secrets_are_made_once(here):
    first = environment.own_secrets(here)
    assert environment.own_secrets(here) == first
    assert len(set(first.values())) == 5


def test_a_lost_pepper_is_never_replaced(here):
    here.postgres.mkdir()
    (here.postgres / "PG_VERSION").write_text("18")
    environment.write(here.demo, {"OPENAI_API_KEY": "x"})
    with pytest.raises(CannotStart, match="put it back"):
        environment.own_secrets(here)


def test_stores_are_embedded_by_default(here):
    assert environment.stores(here)["REDIS_URL"] == valkey.url(here)


def test_a_database_of_ones_own_is_used(here, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.internal/turnpike")
    found = environment.stores(here)
    assert found["DATABASE_URL"] == found["DATABASE_OWNER_URL"] == "postgresql://app@db.internal/turnpike"


def test_the_demo_env_of_another_installation_in_the_shell_is_no_wish(here, elsewhere, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.url(elsewhere))
    monkeypatch.setenv("REDIS_URL", valkey.url(elsewhere))
    assert environment.stores(here)["DATABASE_URL"] == postgres.url(here)
    assert environment.stores(here)["REDIS_URL"] == valkey.url(here)


def test_a_command_finds_the_installation_in_data(here, monkeypatch):
    settings_of(here, "of-here")
    monkeypatch.setenv("DATA", str(here.data))
    environment.adopt()
    assert (os.environ["DATABASE_URL"], os.environ["KEY_PEPPER"]) == (postgres.url(here), "of-here")


def test_a_command_finds_the_installation_whose_demo_env_is_in_the_shell(here, monkeypatch):
    settings_of(here, "of-here")
    monkeypatch.setenv("DATABASE_URL", postgres.url(here))
    environment.adopt()
    assert os.environ["KEY_PEPPER"] == "of-here"


def test_data_beats_a_demo_env_in_the_shell(here, elsewhere, monkeypatch):
    settings_of(here, "of-here")
    monkeypatch.setenv("DATA", str(here.data))
    monkeypatch.setenv("DATABASE_URL", postgres.url(elsewhere))
    environment.adopt()
    assert (os.environ["DATABASE_URL"], os.environ["KEY_PEPPER"]) == (postgres.url(here), "of-here")


def test_who_migrates_stays_the_owner(here, monkeypatch):
    settings_of(here, "of-here")
    monkeypatch.setenv("DATA", str(here.data))
    monkeypatch.setenv("DATABASE_URL", postgres.url(here, user=postgres.OWNER))
    environment.adopt()
    assert os.environ["DATABASE_URL"] == postgres.url(here, user=postgres.OWNER)


def test_a_database_of_ones_own_is_left_alone(here, monkeypatch):
    settings_of(here, "of-here")
    monkeypatch.setenv("DATA", str(here.data))
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.internal/turnpike")
    environment.adopt()
    assert "KEY_PEPPER" not in os.environ
