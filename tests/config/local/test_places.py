"""The data folder and the folder of the sockets."""

import os
import stat
from pathlib import Path

import pytest

from config.local import places, postgres, valkey
from config.local.errors import CannotStart


def test_sockets_lie_in_the_data_folder_where_they_fit():
    here = places.at(Path("/nowhere"))
    assert here.sockets == here.run


def test_a_long_path_gets_a_short_folder_and_always_the_same(tmp_path):
    long = tmp_path / ("x" * 110)
    here = places.at(long)
    assert len(os.fsencode(here.postgres_socket / ".s.PGSQL.5432")) <= 107
    assert places.at(long).sockets == here.sockets
    assert places.at(tmp_path / ("y" * 110)).sockets != here.sockets


def test_a_path_with_blanks_never_gets_into_an_address():
    here = places.at(Path("/nowhere/a folder"))
    assert "%" not in postgres.url(here) + valkey.url(here)
    assert " " not in str(here.sockets)


def test_the_short_folder_goes_with_the_installation(tmp_path):
    here = places.at(tmp_path / ("x" * 110))
    places.prepare(here)
    assert here.sockets.is_dir()
    places.forget_sockets(here)
    assert not here.sockets.exists()


def test_nobody_else_may_look_in(here):
    assert not stat.S_IMODE(here.data.stat().st_mode) & 0o066


def test_a_folder_in_place_of_ours_is_refused(tmp_path):
    here = places.at(tmp_path / ("x" * 110))
    (tmp_path / "trap").mkdir()
    here.sockets.symlink_to(tmp_path / "trap")
    try:
        with pytest.raises(CannotStart, match="somebody else"):
            places.prepare(here)
    finally:
        here.sockets.unlink()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart) as reason:
        places.prepare(places.at(tmp_path / "file" / "data"))
    assert "\n" not in str(reason.value)
