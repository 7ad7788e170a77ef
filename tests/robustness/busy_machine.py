#!/usr/bin/env python3
"""A run beside processes of others that keep every core busy: it keeps a twentieth of its speed at least, and
small writes are answered meanwhile.

ROUNDS is how many epochs the run has."""
import contextlib
import os
import subprocess
import sys
import time

from support.service import SLACK, Service, demand, demand_time, main, rounds
from support.story import PATTERNS, model, order

SLOWER = 20 * min(SLACK, 3)  # times; a run of no priority becomes 300 times slower
LONGEST = 1  # seconds of a small write


@contextlib.contextmanager
def busy_processes():
    """One for each core."""
    spin = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(spin) for _ in range(os.cpu_count())]
    try:
        yield len(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def train(client, epochs, may_take):
    """How long a run takes, and the slowest of the small writes beside it."""
    slowest, begun = 0.0, time.monotonic()
    run = client.expect(202, "POST", "/models/m/train", {**order(1), "in_spikes": PATTERNS * 20, "label": [0, 1, 2] * 40,
                                                         "epochs": epochs})
    while run["state"] in ("queued", "running"):
        asked = time.monotonic()
        client.expect(200, "PATCH", "/models/m", {"description": str(asked)})
        slowest = max(slowest, time.monotonic() - asked)
        demand(time.monotonic() - begun < may_take, "epoch", run["epoch"], "of", epochs, f"after {may_take:.1f} s; "
               f"the slowest write took {slowest:.1f} s")
        time.sleep(0.01)  # a client that writes now and then
        run = client.expect(200, "GET", f"/runs/{run['id']}")
    demand(run["state"] == "succeeded", "a run failed:", run)
    return time.monotonic() - begun, slowest


def script():
    service, epochs = Service("--log", "errors"), rounds(3000)
    client = service.client()
    client.expect(201, "POST", "/models", model("m", 1))
    alone, _ = train(client, epochs, 600)
    with busy_processes() as count:
        beside, slowest = train(client, epochs, SLOWER * alone)
    demand_time(slowest, LONGEST, "a small write took")
    service.stop()
    service.finish()
    return (f"{epochs} epochs took {alone:.2f} s, and {beside / alone:.1f} times as long beside {count} busy processes; "
            f"the slowest small write took {slowest * 1e3:.1f} ms")


if __name__ == "__main__":
    main(script)
