#!/usr/bin/env python3
"""A log that nothing reads: every request is answered as fast as before, the lines that have no room are
counted, none is lost otherwise, and the server stops in time."""
import os
import re
import select
import signal
import time

from support.service import Service, demand, main, rounds

PIECE = 1 << 16
STOP_SECONDS = 5


class UnreadService(Service):
    """Reads its log up to the line that it is ready; then only when told to."""

    def _read_log(self, stream):
        self.end = os.dup(stream.fileno())
        self.text = b""
        while b" ready on " not in self.text or not self.text.endswith(b"\n"):
            piece = os.read(self.end, PIECE)
            if not piece:
                return
            self.text += piece
        self.port = int(re.search(rb" ready on http://[^ ]*:(\d+)", self.text).group(1))
        self.is_ready.set()

    def read_on(self, wanted=None):
        """Until the end of the log, or a text that is wanted."""
        text = b""
        while wanted is None or wanted not in text:
            demand(select.select([self.end], [], [], 30)[0], "the log does not go on:", text[-300:])
            piece = os.read(self.end, PIECE)
            if not piece:
                break
            text += piece
        return text


def count(text):
    return (len(re.findall(rb" path=\"/models\" ", text)),
            sum(int(number) for number in re.findall(rb" dropped=(\d+)\n", text)))


def script():
    service = UnreadService()
    client = service.client()
    requests, slowest, begin = rounds(10000), 0.0, time.monotonic()
    for _ in range(requests):
        asked = time.monotonic()
        client.expect(200, "GET", "/models")
        slowest = max(slowest, time.monotonic() - asked)
    rate = requests / (time.monotonic() - begin)
    lines, dropped = count(service.read_on(b" dropped="))
    client.expect(200, "GET", "/models")
    begin = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    status = service.process.wait(STOP_SECONDS)
    demand(status == 0, "the server ended with status", status)
    more = count(service.read_on())
    lines, dropped = lines + more[0], dropped + more[1]
    demand(dropped > 0, "nothing was dropped")
    demand(lines + dropped == requests + 1, "requests:", requests + 1, "lines:", lines, "dropped:", dropped)

    service.start()
    client = service.client()
    for _ in range(min(requests, 5000)):
        client.expect(200, "GET", "/models")
    begin = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    status = service.process.wait(STOP_SECONDS)
    demand(status == 0, "the server that is not read ended with status", status)
    stopped = time.monotonic() - begin
    service.finish()
    return (f"{requests} requests, {rate:.0f} a second, the slowest {slowest * 1000:.1f} ms; "
            f"{lines} lines read, {dropped} dropped and counted; stopped unread after {stopped:.2f} s")


if __name__ == "__main__":
    main(script)
