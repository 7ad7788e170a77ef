"""The real server as a process of its own, with a database in a directory of its own."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PROGRAM = os.path.realpath(os.environ.get("TEMPOTROND", "build/tempotrond"))
PATIENCE = 60 * float(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))  # seconds, for what must happen


# The short form runs wherever the tests run, beside whatever else goes on there: it demands only that nothing
# hangs. The promised times are for the long form, on a machine that is otherwise idle.
SLACK = 1 if "ROUNDS" in os.environ or "SECONDS" in os.environ else 20


def rounds(short):
    """How often a script does what it does: ROUNDS says otherwise."""
    return int(os.environ.get("ROUNDS", short))


def seconds(short):
    """How long a script goes on: SECONDS says otherwise."""
    return float(os.environ.get("SECONDS", short))


def preload(name):
    """The environment in which NAME.c is loaded into the server before its libraries."""
    library = os.path.join(os.path.dirname(PROGRAM), "tests/robustness", name + ".so")
    demand(os.path.exists(library), "what would be loaded is not there:", library)  # without it, nothing would fail
    return {"LD_PRELOAD": library,
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


class Broken(Exception):
    """A promise is broken."""


def demand(is_met, what, *details):
    if not is_met:
        raise Broken(" ".join([what] + [str(detail) for detail in details]))


def demand_time(time, bound, what, unit="s"):
    """A time keeps its promise; in the short form it may be SLACK times as long."""
    demand(time < bound * SLACK, what, f"{time:.3f} {unit}; promised are {bound} {unit}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem; "" if it is not a problem document; None of a success."""
        if self.status < 400:
            return None
        try:
            return self.json()["code"]
        except (ValueError, KeyError):
            return ""

    def __str__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One connection, which is opened again if it has been closed. Raises OSError or HTTPException."""

    def __init__(self, port, timeout=PATIENCE):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, method, path, body=None, **headers):
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self.connection.request(method, path, body, names)
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except BaseException:
            self.connection.close()
            raise

    def expect(self, status, method, path, body=None, **headers):
        answer = self.ask(method, path, body, **headers)
        demand(answer.status == status, f"{method} {path}: {status} expected:", answer)
        return answer.json() if answer.body else None

    def wait_for_run(self, id):
        """A run, once it has ended."""
        run = self.expect(200, "GET", f"/runs/{id}")
        while run["state"] in ("queued", "running"):
            time.sleep(0.01)  # the service tells of an end only to the request that began the run
            run = self.expect(200, "GET", f"/runs/{id}")
        return run

    def close(self):
        self.connection.close()


class Service:
    """`environment` is added to that of the process; `wrapper` stands before the program."""

    all = []

    def __init__(self, *flags, environment=None, wrapper=(), directory=None, awaits=True):
        self.flags, self.wrapper = flags, list(wrapper)
        self.environment = environment or {}
        self.directory = directory or tempfile.mkdtemp(prefix="tempotrond-robustness-")
        self.database = os.path.join(self.directory, "tempotron.db")
        self.process = self.port = None
        self.log = []
        Service.all.append(self)
        self.start() if awaits else self.launch()

    def start(self):
        """Waits until it is ready; ready_seconds says how long that took."""
        self.launch()
        demand(self.is_ready.wait(PATIENCE) and self.port, "the server did not start:", *self.log[-5:])

    def launch(self):
        self.port, self.log = None, []
        self.is_ready = threading.Event()
        self.begun = time.monotonic()
        command = ["setpriv", "--pdeathsig", "KILL", *self.wrapper, PROGRAM, "--listen", "127.0.0.1:0", "--db", self.database, *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                                        env={**os.environ, **self.environment})
        self.reader = threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def _read_log(self, stream):
        for line in stream:
            ready = re.search(r" ready on https?://[^ ]*:(\d+)", line)
            if ready and self.port is None:
                self.ready_seconds = time.monotonic() - self.begun
                self.port = int(ready.group(1))
                self.is_ready.set()
            self.log.append(line.rstrip("\n"))
        self.is_ready.set()

    def client(self, **options):
        return Client(self.port, **options)

    def wait(self):
        """The status of the process, once it has ended by itself. Its log is whole then."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Broken("the server did not end") from None
        self.reader.join()
        complaints = [i for i, line in enumerate(self.log) if "Sanitizer" in line or "runtime error:" in line]
        demand(not complaints, "the server wrote:", *(self.log[complaints[0]:][:40] if complaints else []))
        return status

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.wait()
        demand(status == 0, "the server ended with status", status, *self.log[-20:])

    def kill(self):
        self.process.kill()
        self.wait()

    @staticmethod
    def kill_all():
        for service in Service.all:
            if service.is_alive():
                service.process.kill()
                service.process.wait()

    def is_alive(self):
        return self.process.poll() is None

    def status_field(self, name):
        """A line of /proc/PID/status, e.g. VmRSS in KiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"^{name}:\s*(\d+)", file.read(), re.M).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def finish(self):
        if self.process.poll() is None:
            self.process.kill()
            self.wait()
        shutil.rmtree(self.directory)


def main(script):
    """Runs a script, which returns its line of figures. Exits 1 if a promise is broken."""
    try:
        print(script(), flush=True)
    except Broken as broken:
        raise SystemExit(f"broken: {broken}") from None
    finally:
        Service.kill_all()
