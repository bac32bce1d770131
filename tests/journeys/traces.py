"""Where something that was said could be found again: the database, Valkey, the files of every process."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import redis
from django.conf import settings

from tests.databases import Database
from tests.own_servers import HERE

type Found = set[tuple[str, str]]


def in_database(database: Database, needles: Collection[str]) -> Found:
    """Look into every column of every row of every table; return which needle stands in which table."""
    tables = database.sql("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    found: Found = set()
    for (table,) in tables:
        # A row as text has its binary columns in hexadecimal.
        query = f"""SELECT DISTINCT n.plain FROM {table} t, unnest(%s::text[], %s::text[]) AS n(plain, hexadecimal)
            WHERE position(n.plain IN t::text) > 0 OR position(n.hexadecimal IN t::text) > 0"""
        rows = database.sql(query, list(needles), [needle.encode().hex() for needle in needles])
        found |= {(needle, table) for (needle,) in rows}
    return found


def in_valkey(needles: Collection[str]) -> Found:
    """Look into every key and value, the queues of jobs among them."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return {
            (needle, name.decode(errors="replace"))
            for name in client.scan_iter(count=1000)
            for needle in _among(needles, repr((name, _value(client, name))).encode() + name)
        }


def in_files(needles: Collection[str], since: float) -> Found:
    """Look into every file that was written to after a moment: logs, metrics, the stores' own data and journals."""
    return {
        (needle, str(file.relative_to(HERE.data)))
        for file in _written(since)
        for needle in _among(needles, file.read_bytes())
    }


def _value(client: redis.Redis, name: bytes) -> object:
    readers: dict[object, Callable[[bytes], object]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    # It may have run out since it was listed.
    return readers.get(client.type(name), lambda key: None)(name)


def _written(since: float) -> Iterator[Path]:
    for file in HERE.data.rglob("*"):
        facts = file.lstat()
        if file.is_file() and not file.is_symlink() and facts.st_size and facts.st_mtime >= since:
            yield file


def _among(needles: Collection[str], content: bytes) -> Iterator[str]:
    return (needle for needle in needles if any(form in content for form in _forms(needle)))


def _forms(needle: str) -> set[bytes]:
    """How a text may be written down: as it is, and with what is beyond ASCII escaped."""
    return {needle.encode(), needle.encode("unicode_escape"), needle.encode().hex().encode()}
