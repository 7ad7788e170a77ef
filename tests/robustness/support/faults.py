"""The file that faults.c maps: which calls of the server's fail."""
import mmap
import os
import struct

from support.service import preload

FAULTS = struct.Struct("@iiqq")
KINDS = {"malloc": 1, "write": 2, "sync": 3, "read": 4, "open": 5}


class Faults:
    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(FAULTS.size))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), FAULTS.size)
        self.environment = {**preload("faults"), "FAULTS": path}

    def arm(self, kind, call, is_persistent):
        """The call-th call of the kind fails, counted from now; and every later one if it is persistent."""
        self.map[:] = FAULTS.pack(0, is_persistent, call, 0)
        self.map[:4] = struct.pack("@i", KINDS[kind])

    def disarm(self):
        """How many calls have failed."""
        self.map[:4] = struct.pack("@i", 0)
        return FAULTS.unpack(self.map)[3]
