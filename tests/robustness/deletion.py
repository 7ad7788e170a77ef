#!/usr/bin/env python3
"""Deletes datasets of 400 MB, and models whose versions have as much, while another client makes small writes.
Broken: a small write that waits for longer than LONGEST seconds.

ROUNDS is how many of each are deleted.
"""
import zlib

from support.service import Service, demand_time, main, rounds
from support.writer import measure, npy

LONGEST = 0.1  # by far more than a write takes; a deletion in one piece holds the others up for a second
SAMPLES, FEATURES = 400000, 1000
WIDTH, VERSIONS = 4096, 6  # the largest layer: 67 MB


def zeros():
    """An .npy file of 400 MB of zeros, gzipped: 400 KB."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [packer.compress(npy("|u1", SAMPLES, FEATURES))]
    for _ in range(SAMPLES * FEATURES // 10**6):
        parts.append(packer.compress(bytes(10**6)))
    return b"".join(parts) + packer.flush()


def put_dataset(client, file):
    client.expect(201, "PUT", "/datasets/d/x", file)


def put_model(client, weights):
    client.expect(201, "POST", "/models", {"id": "d", "in_features": WIDTH, "out_features": WIDTH, "T": 5})
    for _ in range(VERSIONS):
        client.expect(200, "PUT", "/models/d/weights", weights, Content_Type="application/x-npy")


def delete_each(service, put, file, path):
    """Figures of several deletions of what is put."""
    deletions, times, client = [], [], service.client()
    for _ in range(rounds(2)):
        put(client, file)
        took, waits = measure(service, lambda: client.expect(204, "DELETE", path))
        deletions.append(took)
        times += waits
    times.sort()
    demand_time(times[-1], LONGEST, f"beside DELETE {path}, a small write waited for")
    return (f"in {max(deletions):.2f} s at most; beside them {len(times)} small writes, half within "
            f"{times[len(times) // 2] * 1e3:.1f} ms, the slowest {times[-1] * 1e3:.1f} ms")


def script():
    service = Service("--log", "errors", "--max-dataset", "1G", "--max-body", "128M")
    service.client().expect(201, "POST", "/models", {"id": "m", "in_features": 2, "out_features": 2, "T": 5})
    datasets = delete_each(service, put_dataset, zeros(), "/datasets/d")
    models = delete_each(service, put_model, npy("<f4", WIDTH, WIDTH) + bytes(4 * WIDTH * WIDTH), "/models/d")
    service.stop()
    service.finish()
    return f"{rounds(2)} datasets of 400 MB deleted {datasets}; as many models of {VERSIONS} versions of 67 MB {models}"


if __name__ == "__main__":
    main(script)
