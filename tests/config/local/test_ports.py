"""Ports of the loopback address."""

import socket

from config.local import ports


def listening():
    server = socket.socket()
    server.bind((ports.HOST, 0))
    server.listen()
    return server


def test_a_port_that_is_listened_on_is_taken():
    with listening() as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.free(near=port) > port
    assert ports.is_free(port)


def test_nothing_answers_on_a_free_port():
    assert not ports.answers(ports.free(), "/")
