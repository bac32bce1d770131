"""The embedded Valkey as `make up` starts it."""

import time

import redis

from config.local import valkey


def test_it_listens_on_its_socket_only_and_remembers(here):
    for expected in (None, b"kept"):
        server = valkey.start(here, pause=time.sleep)
        try:
            with redis.Redis.from_url(valkey.url(here)) as client:
                assert client.get("note") == expected
                client.set("note", "kept")
                assert client.config_get("port", "maxmemory-policy") == {"port": "0", "maxmemory-policy": "noeviction"}
        finally:
            server.stop()
