"""Clients that tests use."""

import socket


def dial(gate, timeout=30.0):
    """Returns a connection through a gate."""
    return socket.create_connection(gate.address, timeout)


def say(gate, data=b"ping", timeout=30.0):
    """Says something through a gate, and returns the answer."""
    with dial(gate, timeout) as connection:
        connection.sendall(data)
        answer = b""
        while len(answer) < len(data):
            part = connection.recv(1 << 16)
            if not part:
                break
            answer += part
        return answer
