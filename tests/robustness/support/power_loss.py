"""What a disk may hold after a loss of power, from the journal that power_loss.c writes.

What was written before a sync of its file is there. Later writes are there or not, in any choice of
them, each whole, up to some byte, or in some of its sectors. A file that was never synced may be gone.
"""
import os
import struct

RECORD = struct.Struct("<IIQQ")
WRITE, TRUNCATE, SYNC, DELETE = 1, 2, 3, 4
DATABASE, LOG = 1, 2
SECTOR = 512
NAMES = {DATABASE: "tempotron.db", LOG: "tempotron.db-wal"}


def read_files(directory):
    """{kind: bytes} of the files that are there."""
    files = {}
    for kind, name in NAMES.items():
        try:
            with open(os.path.join(directory, name), "rb") as file:
                files[kind] = file.read()
        except FileNotFoundError:
            pass
    return files


def write_files(directory, files):
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    for kind, content in files.items():
        with open(os.path.join(directory, NAMES[kind]), "wb") as file:
            file.write(content)


def read_journal(path):
    """[(end, kind, file, offset, bytes)]: `end` is where a record ends in the journal. The last record
    may be cut off."""
    with open(path, "rb") as file:
        text = file.read()
    records, at = [], 0
    while at + RECORD.size <= len(text):
        kind, file, offset, size = RECORD.unpack_from(text, at)
        at += RECORD.size + size
        if at > len(text):
            break
        records.append((at, kind, file, offset, text[at - size:at]))
    return records


def put(content, offset, piece):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(piece)] = piece


def tear(content, offset, piece, chance):
    """Some of the sectors of a write are there, the last of them perhaps in part."""
    if chance.random() < 0.5:
        put(content, offset, piece[:chance.randrange(len(piece) + 1)])
        return
    at = 0
    while at < len(piece):
        size = min(SECTOR - (offset + at) % SECTOR, len(piece) - at)
        if chance.random() < 0.5:
            put(content, offset + at, piece[at:at + size])
        at += size


class Disk:
    """The files at first, and records in their order."""

    def __init__(self, files):
        self.files = {kind: bytearray(content) for kind, content in files.items()}
        self.pending = []

    def add(self, record):
        _, kind, file, _, _ = record
        if kind == SYNC or (kind == DELETE and record[3]):
            for earlier in [one for one in self.pending if one[2] == file]:
                self._apply(self.files, earlier)
            self.pending = [one for one in self.pending if one[2] != file]
            if kind == DELETE:
                self.files.pop(file, None)
        else:
            self.pending.append(record)

    @staticmethod
    def _apply(files, record):
        _, kind, file, offset, piece = record
        content = files.setdefault(file, bytearray())
        if kind == WRITE:
            put(content, offset, piece)
        elif kind == TRUNCATE:
            del content[offset:]
        else:
            files.pop(file)

    def after_power_loss(self, chance):
        """{kind: bytes}, one of the many that are possible."""
        files = {kind: bytearray(content) for kind, content in self.files.items()}
        kept = chance.choice([0, 0.5, 0.9, 1])
        torn = chance.choice([0, 0.3, 1])
        for record in self.pending:
            if chance.random() >= kept:
                continue
            if record[1] == WRITE and chance.random() < torn:
                tear(files.setdefault(record[2], bytearray()), record[3], record[4], chance)
            else:
                self._apply(files, record)
        return files
