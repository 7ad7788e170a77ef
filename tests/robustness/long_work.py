#!/usr/bin/env python3
"""Requests of some KB that take seconds: silence after the last spike takes no longer than spikes do, writes do
not wait for computations, and what nobody waits for any more is not computed.

ROUNDS is how many computations wait at the same time."""
import json
import socket
import time

from support.service import Service, demand, main, rounds

THREADS, SPIKES, STEPS = 2, 20, 100000
SLOWER = 3  # times; a membrane that keeps denormal numbers is ten times slower and more
LEFT_SECONDS = 1.2  # the server takes a client for gone after a second


def predict(service, samples):
    """A connection that has asked, and reads nothing yet."""
    body = json.dumps({"in_spikes": samples}).encode()
    connection = socket.create_connection(("127.0.0.1", service.port))
    connection.sendall(b"POST /models/long/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return connection


def status(connection):
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    connection.close()
    return answer[9:12]


def is_answered(connection):
    connection.setblocking(False)
    try:
        return len(connection.recv(1, socket.MSG_PEEK)) > 0
    except BlockingIOError:
        return False
    finally:
        connection.setblocking(True)


def duration(service, samples):
    begun = time.monotonic()
    demand(status(predict(service, samples)) == b"200", "a prediction is refused")
    return time.monotonic() - begun


def silence_is_cheap(service):
    """How much longer it takes if all spikes are early."""
    early = [[0] * SPIKES] * 100
    spread = [[i * STEPS // SPIKES for i in range(SPIKES)]] * 100
    times = [(duration(service, early), duration(service, spread)) for _ in range(5)]
    return min(time[0] for time in times) / min(time[1] for time in times)


def writes_pass(service, samples, count):
    """How long all computations take, how many of them were not answered when 20 writes were, and how long the
    slowest of these took."""
    begun, waits, client = time.monotonic(), [], service.client()
    connections = [predict(service, samples) for _ in range(count)]
    for turn in range(20):
        asked = time.monotonic()
        client.expect(200, "PATCH", "/models/long", {"description": str(turn)})
        waits.append(time.monotonic() - asked)
    waiting = sum(not is_answered(connection) for connection in connections)
    demand([status(connection) for connection in connections] == count * [b"200"], "a computation is refused")
    return time.monotonic() - begun, waiting, max(waits)


def left_are_dropped(service, samples, count):
    """How long a computation takes that comes after others whose clients leave."""
    begun = time.monotonic()
    connections = [predict(service, samples) for _ in range(count)]
    time.sleep(LEFT_SECONDS)  # clients that wait for a while are what is meant
    for connection in connections:
        connection.close()
    demand(status(predict(service, samples)) == b"200", "a computation is refused")
    return time.monotonic() - begun


def script():
    service = Service("--log", "errors", "--threads", str(THREADS))
    service.client().expect(201, "POST", "/models", {"id": "long", "in_features": SPIKES, "out_features": 8, "T": STEPS})
    slower = silence_is_cheap(service)
    demand(slower < SLOWER, f"silence takes {slower:.1f} times as long as spikes")
    one = duration(service, [[0] * SPIKES] * 100)
    samples = [[0] * SPIKES] * max(1, int(100 * 0.8 / one))
    count = rounds(16)
    all_of_them, waiting, slowest = writes_pass(service, samples, count)
    demand(waiting > THREADS, "writes were answered after", count - waiting, "of", count, "computations")
    after_others = left_are_dropped(service, samples, count)
    demand(after_others < 0.5 * all_of_them, f"{after_others:.1f} s after computations whose clients left; "
           f"{all_of_them:.1f} s if they stay")
    service.stop()
    service.finish()
    return (f"silence takes {slower:.2f} times as long as spikes; {count} computations took {all_of_them:.1f} s, and the "
            f"slowest of 20 writes beside them {slowest * 1e3:.1f} ms; after as many whose clients left, another one was "
            f"answered after {after_others:.1f} s")


if __name__ == "__main__":
    main(script)
