"""Ports of the loopback address."""

import http.client
import socket

HOST = "127.0.0.1"
_TRIES = 100


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port."""
    with socket.socket() as attempt:
        # As servers do, so that a port whose last connections are only just closing counts as free.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
        return True


def free(*, near: int | None = None) -> int:
    """Return a free port: the first from `near` on, or any."""
    if near is not None:
        for port in range(near, min(near + _TRIES, 65536)):
            if is_free(port):
                return port
    with socket.socket() as anywhere:
        anywhere.bind((HOST, 0))
        return int(anywhere.getsockname()[1])


def answers(port: int, path: str) -> bool:
    """Tell whether a GET on this port is answered with 200. Asked without urllib, which would ask a proxy."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
