#!/usr/bin/env python3
"""Creates large models whose weights are drawn, and puts the weights of another, while another client makes small
writes. Broken: a small write that waits for longer than LONGEST seconds, or LONGEST_BESIDE_WEIGHTS.

ROUNDS is how many models each client creates, and how often each puts weights.
"""
import threading

from support.service import Service, demand_time, main, rounds
from support.writer import measure, npy

CLIENTS, WIDTH = 4, 4096  # the largest layer: 67 MB
LONGEST = 0.15  # to draw the weights of one and their checksum takes 0.4 s
LONGEST_BESIDE_WEIGHTS = 1.0  # those that are put are written in one transaction


def together(work):
    """Runs work(number) for each client at the same time."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def create(service, number):
    client = service.client()
    for seed in range(rounds(3)):
        client.expect(201, "POST", "/models", {"in_features": WIDTH, "out_features": WIDTH, "T": 100,
                                               "seed": CLIENTS * seed + number})


def put(service, weights):
    client = service.client()
    for _ in range(rounds(3)):
        client.expect(200, "PUT", "/models/large/weights", weights, Content_Type="application/x-npy")


def figures(service, what, work, longest):
    took, times = measure(service, work)
    times.sort()
    demand_time(times[-1], longest, f"beside {what}, a small write waited for")
    return (f"{what} took {took:.1f} s; beside them {len(times)} small writes, half within "
            f"{times[len(times) // 2] * 1e3:.1f} ms, the slowest {times[-1] * 1e3:.1f} ms")


def script():
    service = Service("--log", "errors", "--max-body", "128M")
    client = service.client()
    client.expect(201, "POST", "/models", {"id": "m", "in_features": 2, "out_features": 2, "T": 5})
    client.expect(201, "POST", "/models", {"id": "large", "in_features": WIDTH, "out_features": WIDTH, "T": 5})
    weights = npy("<f4", WIDTH, WIDTH) + bytes(4 * WIDTH * WIDTH)
    created = figures(service, f"{CLIENTS * rounds(3)} models created by {CLIENTS} clients",
                      lambda: together(lambda number: create(service, number)), LONGEST)
    written = figures(service, f"{rounds(3)} times 67 MB of weights", lambda: put(service, weights),
                      LONGEST_BESIDE_WEIGHTS)
    service.stop()
    service.finish()
    return f"{created}; {written}"


if __name__ == "__main__":
    main(script)
