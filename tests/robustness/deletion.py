#!/usr/bin/env python3
"""Deletes datasets of 400 MB while another client makes small writes. Broken: a small write
that waits for longer than LONGEST seconds.

ROUNDS is how many are deleted.
"""
import struct
import threading
import time
import zlib

from support.service import Service, demand_time, main, rounds

LONGEST = 0.1  # by far more than a write takes; a deletion in one piece holds the others up for a second
SAMPLES, FEATURES = 400000, 1000


def zeros():
    """An .npy file of 400 MB of zeros, gzipped: 400 KB."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({SAMPLES}, {FEATURES}), }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [packer.compress(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())]
    for _ in range(SAMPLES * FEATURES // 10**6):
        parts.append(packer.compress(bytes(10**6)))
    return b"".join(parts) + packer.flush()


class Writer(threading.Thread):
    """Changes the model again and again, and keeps how long each change took."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.client, self.times, self.stops = service.client(), [], False

    def run(self):
        while not self.stops:
            begun = time.monotonic()
            self.client.expect(200, "PATCH", "/models/m", {"description": str(begun)})
            self.times.append(time.monotonic() - begun)


def measure(service, what):
    """How long it takes, and how long each small write beside it."""
    writer = Writer(service)
    writer.start()
    begun = time.monotonic()
    what()
    took = time.monotonic() - begun
    writer.stops = True
    writer.join()
    return took, writer.times


def script():
    service = Service("--log", "errors", "--max-dataset", "1G")
    client, file = service.client(), zeros()
    client.expect(201, "POST", "/models", {"id": "m", "in_features": 2, "out_features": 2, "T": 5})
    deletions, times = [], []
    for _ in range(rounds(2)):
        client.expect(201, "PUT", "/datasets/d/x", file)
        took, waits = measure(service, lambda: client.expect(204, "DELETE", "/datasets/d"))
        deletions.append(took)
        times += waits
    times.sort()
    service.stop()
    service.finish()
    demand_time(times[-1], LONGEST, "a small write waited for")
    return (f"{len(deletions)} datasets of 400 MB deleted in {max(deletions):.2f} s at most; beside them {len(times)} "
            f"small writes, half within {times[len(times) // 2] * 1e3:.1f} ms, the slowest {times[-1] * 1e3:.1f} ms")


if __name__ == "__main__":
    main(script)
