#!/usr/bin/env python3
"""500 clients that send a byte now and then, of the headers or of the body, and connections that come and go
at the limit: others are served as before, the slow ones are all cut off, and the server stops in time."""
import concurrent.futures
import http.client
import socket
import threading
import time

from support.service import Client, Service, demand, demand_time, main, rounds, seconds

TIMEOUT = 6  # of the server, in seconds
STOP_SECONDS = 10
OTHERS_MS = 20  # more than a busy machine alone makes of it
SMALL = {"id": "small", "in_features": 2, "out_features": 2, "T": 20}
HEAD = b"GET /models HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /psp_kernel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n["


def predict_times(service, count):
    client, times = service.client(), []
    for _ in range(count):
        begin = time.monotonic()
        client.expect(200, "POST", "/models/small/predict", {"in_spikes": [[1, 2]]})
        times.append(time.monotonic() - begin)
    client.close()
    return sorted(times)


def p99(times):
    return times[len(times) * 99 // 100] * 1000


def slow_clients(service, count):
    clients = []
    for number in range(count):
        client = socket.create_connection(("127.0.0.1", service.port))
        client.sendall((HEAD, BODY)[number % 2])
        clients.append(client)
    return clients


def cut_off(clients, until):
    """Sends a byte now and then; returns how many the server has not cut off by then."""
    open_ones = list(clients)
    while open_ones and time.monotonic() < until:
        still = []
        for client in open_ones:
            try:
                client.send(b"1", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                still.append(client)
            except OSError:
                client.close()
        open_ones = still
        time.sleep(0.2)  # slow clients are what is meant
    return len(open_ones)


def come_and_go(port, until, counts):
    while time.monotonic() < until:
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            counts.append(client.recv(12))
            client.close()
        except OSError:
            counts.append(b"")


def predict_from_elsewhere(port, duration):
    """The p99 of predictions from an address of its own. A connection that has made room for another is opened
    again."""
    client, times, until = Client(port), [], time.monotonic() + duration
    client.connection.source_address = ("127.0.0.2", 0)
    while time.monotonic() < until:
        begin = time.monotonic()
        while True:
            try:
                client.expect(200, "POST", "/models/small/predict", {"in_spikes": [[1, 2]]})
                break
            except (OSError, http.client.HTTPException):
                demand(time.monotonic() < until + STOP_SECONDS, "another address is not served")
        times.append(time.monotonic() - begin)
    return p99(sorted(times))


def at_the_limit(duration):
    """More threads than connections come and go. Returns how often, and the p99 of another's predict."""
    service = Service("--log", "errors", "--connections", "16", "--connections-per-address", "0")
    service.client().expect(201, "POST", "/models", SMALL)
    with concurrent.futures.ProcessPoolExecutor(1) as prober:  # it does not wait for the threads here
        beside = prober.submit(predict_from_elsewhere, service.port, duration)
        counts, until = [], time.monotonic() + duration
        threads = [threading.Thread(target=come_and_go, args=(service.port, until, counts)) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        aside = beside.result()
    service.client().expect(200, "GET", "/health/ready")
    begin = time.monotonic()
    service.stop()
    demand(time.monotonic() - begin < STOP_SECONDS, "the stop took", time.monotonic() - begin, "s")
    service.finish()
    demand(any(count.endswith(b" 200") for count in counts), "none was served")
    demand_time(aside, OTHERS_MS, "the p99 of another address is", "ms")
    return len(counts), aside


def script():
    service = Service("--log", "errors", "--request-timeout", str(TIMEOUT))
    service.client().expect(201, "POST", "/models", SMALL)
    before = p99(predict_times(service, 2000))
    clients = slow_clients(service, rounds(500))
    begin = time.monotonic()
    beside = []
    asker = threading.Thread(target=lambda: beside.extend(predict_times(service, 2000)))
    asker.start()
    left = cut_off(clients, begin + 3 * TIMEOUT)
    asker.join()
    demand(left == 0, left, "slow clients were not cut off")
    took = time.monotonic() - begin
    demand_time(p99(beside) - before, OTHERS_MS, "the p99 of others grew by", "ms")
    begin = time.monotonic()
    service.stop()
    demand(time.monotonic() - begin < STOP_SECONDS, "the stop took", time.monotonic() - begin, "s")
    service.finish()
    came, aside = at_the_limit(seconds(5))
    return (f"{len(clients)} slow clients, all cut off after {took:.1f} s; p99 of another's predict {before:.2f} ms before, "
            f"{p99(beside):.2f} ms beside them; {came} connections came and went at the limit of 16, and the p99 of another address "
            f"was {aside:.2f} ms")


if __name__ == "__main__":
    main(script)
