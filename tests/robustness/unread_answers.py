#!/usr/bin/env python3
"""Clients that ask for large answers and do not read them: they take little memory, others are served,
and those that read almost nothing are cut off."""
import socket
import time

from support.service import Service, demand, main, rounds

TIMEOUT = 4  # of the server, in seconds
LIMIT_MIB = 400
MIB = 1 << 10  # in KiB
REQUEST = b"GET /models/large/weights HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(service):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", service.port))
    client.sendall(REQUEST)
    return client


def dribble(client):
    """Reads less than the server asks for, until it is cut off. Returns how long that took."""
    begin = time.monotonic()
    while time.monotonic() - begin < 10 * TIMEOUT:
        try:
            if not client.recv(300):
                break
        except OSError:
            break
        time.sleep(0.5)  # a slow client is what is meant
    return time.monotonic() - begin


def script():
    service = Service("--log", "errors", "--request-timeout", str(TIMEOUT))
    other = service.client()
    other.expect(201, "POST", "/models", {"id": "large", "in_features": 16384, "out_features": 1024, "T": 20})
    other.expect(201, "POST", "/models", {"id": "small", "in_features": 2, "out_features": 2, "T": 20})
    before = service.status_field("VmRSS")
    clients = [connect(service) for _ in range(rounds(16))]
    for client in clients:
        demand(client.recv(12) == b"HTTP/1.1 200", "no answer begins")
        client.recv(1000)
    times = []
    other = service.client()  # the former connection has been idle
    for _ in range(1000):
        begin = time.monotonic()
        other.expect(200, "POST", "/models/small/predict", {"in_spikes": [[1, 2]]})
        times.append(time.monotonic() - begin)
    grown = (service.status_field("VmHWM") - before) // MIB
    demand(grown < LIMIT_MIB, "the server grew by", grown, "MiB")
    cut_off = dribble(clients[0])
    demand(cut_off < 5 * TIMEOUT, "a client that reads almost nothing is served for", cut_off, "s")
    for client in clients:
        client.close()
    service.stop()
    service.finish()
    return (f"{len(clients)} unread answers of 200 MB, the server grew by {grown} MiB; p99 of another's predict "
            f"{sorted(times)[989] * 1000:.2f} ms; a slow reader cut off after {cut_off:.1f} s")


if __name__ == "__main__":
    main(script)
