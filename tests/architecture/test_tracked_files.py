"""What the repository must not name: this or that machine, and the hosts of package registries."""

import re

import pytest

from tests.architecture import checkout

# Every word is written so that this file does not match itself.
MACHINE = re.compile(r"(?<![\w.$}\-])/(tm[p]|roo[t]|wor[k]|far[m]|hom[e]|User[s]|op[t]/whee[l]s)/[a-z]")
REGISTRIES = re.compile(r"python[h]osted|np[m]js\.org|py[p]i\.org|registry\.yar[n]pkg|crate[s]\.io|proxy\.golan[g]")


def _mentions(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{checkout.name(path)}:{number}: {line.strip()[:120]}"
        for path in checkout.files()
        if "/vendor/" not in checkout.name(path)
        for number, line in enumerate(checkout.text(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_path_of_one_machine():
    assert not _mentions(MACHINE)


def test_no_file_names_the_host_of_a_package_registry():
    assert not _mentions(REGISTRIES)


@pytest.mark.parametrize("line", ["cd /wor" + "k/main", "at=/tm" + "p/data", 'open("/hom' + 'e/anna/key")'])
def test_a_path_of_one_machine_is_recognised(line: str):
    assert MACHINE.search(line)


def test_big_files_do_not_slip_in():
    big = {checkout.name(path): path.stat().st_size for path in checkout.files() if path.stat().st_size > 2_000_000}
    assert not big
