"""A client that makes small writes beside something large, and files of arrays."""
import struct
import threading
import time


def npy(dtype, rows, columns):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


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
