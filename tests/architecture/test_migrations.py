"""Migrations have names that say their concern."""

import re

from tests.architecture import checkout

NAMED = re.compile(r"0001_(?!initial)[a-z0-9_]+|\d{4}_(?!auto|alter_|add_field|initial)[a-z][a-z0-9_]+")


def test_every_migration_is_named():
    names = [path for path in checkout.code_files() if checkout.is_migration(path)]
    assert names
    assert not [checkout.name(path) for path in names if not NAMED.fullmatch(path.stem) or "_auto_" in path.stem]


def test_numbers_of_migrations_run_without_gaps():
    for app in checkout.APPS:
        migrations = [path for path in checkout.code_files() if checkout.is_migration(path)]
        numbers = [int(path.stem[:4]) for path in migrations if path.parent.parent.name == app]
        assert numbers == list(range(1, len(numbers) + 1)), app
