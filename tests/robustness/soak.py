#!/usr/bin/env python3
"""Requests and runs, for as long as it is asked for: once the server is warm, its memory and its
descriptors stay as they are."""
import threading
import time

from support.service import Service, demand, main, rounds
from support.story import PATTERNS, TABLE, WEIGHTS, model, order

CLIENTS = 4
PARTS = 5     # of the work; the memory is looked at after each
WARM = 16     # clients that warm the server first: it opens connections to its database as it needs them
DRIFT = 0.01  # of the memory; and
NOISE = 512   # KiB that a short soak may not tell from a leak
BATCH = 1000  # requests with each run


def work(service, number, batches, failures):
    """A client that makes, uses and deletes its things, over and over."""
    client = service.client()
    id = f"soak{number}"
    try:
        for batch in range(batches):
            client.expect(201, "POST", "/models", model(id, batch))
            client.expect(201, "PUT", f"/datasets/{id}?label=species", TABLE)
            client.expect(200, "PUT", f"/models/{id}/weights", {"weight": WEIGHTS})
            run = client.expect(200, "POST", f"/models/{id}/train", order(1), Prefer="wait=60")
            demand(run["state"] == "succeeded", "a run did not succeed:", run)
            for _ in range(BATCH - 7):
                client.expect(200, "POST", f"/models/{id}/predict", {"in_spikes": PATTERNS})
            client.expect(200, "GET", "/models?limit=5")
            client.expect(204, "DELETE", f"/datasets/{id}")
            client.expect(204, "DELETE", f"/models/{id}")
    except BaseException as failure:
        failures.append(failure)
    finally:
        client.close()


def part(service, batches, clients=CLIENTS):
    failures = []
    threads = [threading.Thread(target=work, args=(service, i, batches, failures)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return service.status_field("VmRSS"), settled_descriptors(service)


def settled_descriptors(service):
    """Once the connections that clients have closed are closed by the server too."""
    looks = []
    for _ in range(50):
        looks.append(service.descriptors())
        time.sleep(0.01)
    return min(looks)


def script():
    batches = rounds(1)  # of each client, in each part
    service = Service("--log", "errors", "--threads", "2", "--workers", "2")
    part(service, batches, WARM)
    looks = [part(service, batches) for _ in range(PARTS)]
    service.stop()
    service.finish()
    (first, descriptors), (last, last_descriptors) = looks[0], looks[-1]
    drift = (last - first) / first
    runs = PARTS * CLIENTS * batches
    figures = (f"{runs * BATCH} requests, {runs} runs; {first} KiB after the first part of {PARTS}, {last} KiB at the "
               f"end ({drift:+.2%}); {descriptors} descriptors, {last_descriptors} at the end")
    demand(drift < max(DRIFT, NOISE / first / batches), "the memory grows:", figures, [look[0] for look in looks])
    demand(last_descriptors <= descriptors, "descriptors are not closed:", figures)
    return figures


if __name__ == "__main__":
    main(script)
