#!/usr/bin/env python3
"""API keys under attack: thousands of wrong keys are refused, the time that it takes says nothing of how
near a key is to a right one, and reloads of keys and of the certificate lose no request."""
import http.client
import os
import random
import shutil
import signal
import ssl
import statistics
import subprocess
import tempfile
import threading
import time

from support.service import Broken, PATIENCE, PROGRAM, Service, demand, demand_time, main, rounds

RELOADS, CLIENTS = 30, 4
NEAR_US = 20  # a difference that a client on the same machine can't tell from chance


def new_key(name, role):
    """The key, and its line for the file."""
    made = subprocess.run([PROGRAM, "new-key", name, role], capture_output=True, text=True, check=True)
    return made.stderr.strip(), made.stdout


def write(path, *lines):
    """As a program that renews a file does: beside it, then in its place."""
    with open(path + ".new", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(lines)
    os.rename(path + ".new", path)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def wrong_key(chance, key):
    """Keys of every kind: near ones, long ones, other bytes, other schemes."""
    at = chance.randrange(len(key))
    kinds = [
        key[:at], key + "0", key[:at] + chance.choice("xyzXYZ-_.~+/=") + key[at + 1:], key.upper(),
        "".join(chance.choices("0123456789abcdef", k=64)), "a" * chance.randrange(1, 5000),
        "".join(chr(chance.randrange(33, 127)) for _ in range(chance.randrange(1, 300))),
        "sha256:" + key, f"{key} {key}", f'"{key}"', f"{key},{key}",
    ]
    return chance.choice([kind for kind in kinds if kind != key])


def guess(service, key, count):
    """Asks with that many wrong keys. Returns how many came a second."""
    chance = random.Random(1)
    client = service.client()
    begin = time.monotonic()
    for _ in range(count):
        answer = client.ask("GET", "/models", **bearer(wrong_key(chance, key)))
        demand(answer.status == 401 and answer.code == "unauthorized", "a wrong key:", answer)
    return count / (time.monotonic() - begin)


def time_of(client, key):
    begin = time.perf_counter_ns()
    client.ask("GET", "/models", **bearer(key))
    return (time.perf_counter_ns() - begin) / 1e3


def compare_times(service, key, count):
    """The difference of the medians of keys that are nearly right and not at all, in microseconds. Both are
    asked for in turn, so that whatever else goes on delays both."""
    flipped = "0" if key[-1] != "0" else "1"
    near, far = key[:-1] + flipped, "z" * len(key)
    client = service.client()
    times = {near: [], far: []}
    for i in range(count):
        for wrong in (near, far) if i % 2 else (far, near):
            times[wrong].append(time_of(client, wrong))
    difference = abs(statistics.median(times[near]) - statistics.median(times[far]))
    demand_time(difference, NEAR_US, "a key that is nearly right differs from another wrong one by", "us")
    return difference


class Askers:
    """Clients that ask with a key, each over one connection, or over a new one each time."""

    def __init__(self, connect, key, keeps):
        self.connect, self.key, self.keeps = connect, key, keeps
        self.stopping, self.counts, self.failures = False, [0] * CLIENTS, []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        connection = self.connect()
        try:
            while not self.stopping:
                connection.request("GET", "/models", headers=bearer(self.key))
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise Broken(f"answered {answer.status}")
                self.counts[number] += 1
                if not self.keeps:
                    connection.close()
        except (OSError, http.client.HTTPException, Broken) as failure:
            self.failures.append(repr(failure))
        connection.close()

    def end(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        demand(not self.failures, "a request was lost:", *self.failures)
        return sum(self.counts)


def reload(service, replace, askers):
    """Replaces files and reloads them, each time after the clients have asked some more."""
    for number in range(RELOADS):
        replace(number)
        seen, asked = len(reloads(service)), sum(askers.counts)
        service.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE
        while len(reloads(service)) == seen or (sum(askers.counts) < asked + CLIENTS and not askers.failures):
            demand(time.monotonic() < end, "no reload, or no answers")
            time.sleep(0.001)
    demand(all(line.endswith("reload=done") for line in reloads(service)), "a reload failed")


def reloads(service):
    return [line for line in service.log if "reload=" in line]


def reload_keys(service, path, key, line):
    """Other keys come and go, while one is used."""
    askers = Askers(lambda: http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE), key, True)
    try:
        reload(service, lambda number: write(path, new_key(f"other-{number}", "admin")[1], line), askers)
    finally:
        asked = askers.end()
    return asked


def make_certificate(directory, number):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", f"{directory}/key{number}", "-out", f"{directory}/cert{number}", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                   capture_output=True, check=True)


def reload_certificate(path, key):
    """Two certificates take turns, while each request has a connection of its own."""
    directory = os.path.dirname(path)
    service = Service("--api-key-file", path, "--log", "errors", "--tls-cert", f"{directory}/cert",
                      "--tls-key", f"{directory}/key")
    trust = ssl.create_default_context()
    for number in (0, 1):
        trust.load_verify_locations(f"{directory}/cert{number}")

    def connect():
        return http.client.HTTPSConnection("127.0.0.1", service.port, timeout=PATIENCE, context=trust)

    def replace(number):
        for name in ("cert", "key"):
            shutil.copy(f"{directory}/{name}{number % 2}", f"{directory}/{name}")

    askers = Askers(connect, key, False)
    try:
        reload(service, replace, askers)
    finally:
        asked = askers.end()
    service.stop()
    service.finish()
    return asked


def script():
    count = rounds(10000)
    directory = tempfile.mkdtemp(prefix="tempotrond-robustness-")
    path = f"{directory}/keys"
    key, line = new_key("reader", "read-only")
    write(path, line)
    service = Service("--api-key-file", path, "--log", "errors")
    rate = guess(service, key, count)
    difference = compare_times(service, key, count // 5)
    asked = reload_keys(service, path, key, line)
    service.stop()
    demand(not any(key in line for line in service.log), "the log shows a key")
    service.finish()
    figures = (f"{count} wrong keys, {rate:.0f} a second, 0 let in; a key that is nearly right takes {difference:.1f} us "
               f"more or less; {RELOADS} reloads of keys beside {asked} requests, 0 lost")
    if shutil.which("openssl"):
        for number in (0, 1):
            make_certificate(directory, number)
        for name in ("cert", "key"):
            shutil.copy(f"{directory}/{name}0", f"{directory}/{name}")
        asked = reload_certificate(path, key)
        figures += f"; {RELOADS} of the certificate beside {asked} handshakes, 0 lost"
    shutil.rmtree(directory)
    return figures


if __name__ == "__main__":
    main(script)
