#!/usr/bin/env python3
"""The n-th call for memory, to write, to sync, to read or to open a file fails, once or from then on,
for every n until the step needs no more of them: from the start of the server to its end.

Each step is answered with a success, which is true, or with a problem that says what was missing, or the
connection is closed. If a write or a sync has failed, a problem means that nothing has changed; if there
was no memory for an answer, the change may have been made. The server goes on, and is ready again."""
import http.client
import os
import tempfile
import time

from support.database import integrity
from support.faults import KINDS, Faults
from support.service import Broken, Service, demand, main, rounds
from support.story import PATTERNS, TABLE, WEIGHTS, model, order

MISSING = {"out_of_memory", "store_unavailable", "store_full", "overloaded", "queue_full"}
FLAGS = ("--log", "errors", "--threads", "2", "--workers", "1")
LABELLED = {"in_spikes": PATTERNS, "label": [0, 1, 2, 0, 1, 2]}
FLOWERS = {"id": "flowers", "out_features": 3, "labels": ["x", "y", "z"],
           "encoder": {"type": "gaussian_tuning", "m": 4, "x_min": [0, 0], "x_max": [9, 9], "max_spike_time": 20}}


def is_said(fault, code):
    """Whether a problem says what was missing. For SQLite, what can't be read is damaged."""
    return code in MISSING or (fault[0] == "read" and code in ("internal", "damaged_data"))


def describes(client):
    return client.expect(200, "GET", "/models/kept")["description"]


def newest(client):
    return client.expect(200, "GET", "/models/kept/versions?limit=1")["versions"][0]["version"]


def exists(path):
    return lambda client: client.ask("GET", path).status == 200


# What is asked; what tells whether it has happened; what makes it undone.
STEPS = [
    ("create", ("POST", "/models", model("made", 1)), exists("/models/made"), ("DELETE", "/models/made")),
    ("patch", ("PATCH", "/models/kept", {"description": "new"}), describes,
     ("PATCH", "/models/kept", {"description": ""})),
    ("weights", ("PUT", "/models/kept/weights", {"weight": WEIGHTS}), newest, None),
    ("predict", ("POST", "/models/kept/predict", {"in_spikes": PATTERNS}), None, None),
    ("evaluate", ("POST", "/models/kept/evaluate", LABELLED), None, None),
    ("encode", ("POST", "/encode", {**FLOWERS["encoder"], "x": [[1, 2]]}), None, None),
    ("upload", ("PUT", "/datasets/made?label=species", TABLE), exists("/datasets/made"),
     ("DELETE", "/datasets/made")),
    ("evaluate a dataset", ("POST", "/models/flowers/evaluate", {"dataset": "kept"}), None, None),
    ("delete a dataset", ("DELETE", "/datasets/gone"), exists("/datasets/gone"),
     ("PUT", "/datasets/gone?label=species", TABLE)),
    ("delete", ("DELETE", "/models/gone"), exists("/models/gone"), ("POST", "/models", model("gone", 2))),
    ("list", ("GET", "/models"), None, None),
    ("read weights", ("GET", "/models/kept/weights"), None, None),
    ("read a run", ("GET", "/runs/1"), None, None),
]
RUNS = [
    ("POST", "/models/kept/train", {**order(0), "epochs": 2}),
    ("POST", "/models/flowers/train", {"dataset": "kept", "epochs": 2, "validation_fraction": 0.3}),
]


def prepare(client):
    for id in ("kept", "gone"):
        client.expect(201, "POST", "/models", model(id, 1))
        client.expect(201, "PUT", f"/datasets/{id}?label=species", TABLE)
    client.expect(201, "POST", "/models", FLOWERS)
    client.expect(200, "POST", "/models/kept/train", order(0), Prefer="wait=60")


def await_ready(service):
    """A failed write is followed by a small one when readiness is asked for."""
    end = time.monotonic() + 10
    while True:
        demand(service.is_alive(), "the server has died:", service.process.returncode, *service.log[-20:])
        try:
            if service.client(timeout=10).ask("GET", "/health/ready").status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        demand(time.monotonic() < end, "the server is not ready again")
        time.sleep(0.01)


class Figures:
    def __init__(self):
        self.failed = self.refused = self.closed = self.succeeded = 0

    def add(self, failed, answer):
        self.failed += failed > 0
        self.closed += answer is None
        self.refused += answer is not None and answer.status >= 300
        self.succeeded += answer is not None and answer.status < 300


def ask_under(service, faults, fault, step, **headers):
    """Returns the answer, None if the connection was closed, and how many calls have failed."""
    client = service.client(timeout=20)
    client.connection.connect()
    faults.arm(*fault)
    try:
        return client.ask(*step, **headers), faults.disarm()
    except TimeoutError:
        raise Broken(f"{step[:2]} under {fault}: no answer") from None
    except (OSError, http.client.HTTPException):
        return None, faults.disarm()
    finally:
        faults.disarm()
        client.close()


def undone(client, undo, tell, before):
    """What the thing is after the step; then it is as it was."""
    after = tell(client)
    if after != before and undo:
        answer = client.ask(*undo)
        demand(answer.status < 300, "it can't be undone:", answer)
    return after


def try_step(service, faults, fault, step, figures):
    """Whether a call has failed."""
    name, asked, tell, undo = step
    client = service.client()
    before = tell(client) if tell else None
    answer, failed = ask_under(service, faults, fault, asked)
    await_ready(service)
    after = undone(service.client(), undo, tell, before) if tell else None
    figures.add(failed, answer)
    where = f"{name} under {fault}:"
    if answer is not None and answer.status >= 300:
        demand(is_said(fault, answer.code), where, answer)
    if tell and answer is not None and (answer.status < 300 or fault[0] in ("write", "sync")):
        demand((after != before) == (answer.status < 300), where, answer, "but", before, "is now", after)
    return failed > 0


def try_run(service, faults, fault, step, figures):
    """A run that is accepted is never lost. If memory fails once, it succeeds. A fault that lasts is over when the
    run has been accepted; one that comes once may also come while it trains."""
    client = service.client()
    waiting = {} if fault[2] else {"Prefer": "wait=20"}
    answer, failed = ask_under(service, faults, fault, step, **waiting)
    await_ready(service)
    figures.add(failed, answer)
    if answer is not None and answer.status not in (200, 202):
        demand(is_said(fault, answer.code), "train under", fault, answer)
    elif answer is not None:
        run = client.wait_for_run(answer.json()["id"])
        may_fail = fault[0] != "malloc" and is_said(fault, (run["error"] or {}).get("code"))
        demand(run["state"] == "succeeded" or may_fail, "train under", fault, run)
    return failed > 0


def try_start(directory, faults, fault, figures):
    """The start succeeds, or says in a line why it does not. Whether a call has failed."""
    faults.arm(*fault)
    service = Service(*FLAGS, directory=directory, environment=faults.environment, awaits=False)
    demand(service.is_ready.wait(30), "start under", fault, "hangs")
    failed = faults.disarm()
    if service.port is None:
        status = service.wait()
        figures.add(failed, None)
        demand(status == 1 and service.log, "start under", fault, "ends with", status, *service.log[-20:])
    else:
        await_ready(service)
        figures.succeeded += 1
        figures.failed += failed > 0
        service.stop()
    return failed > 0


def try_stop(service, faults, fault, figures):
    faults.arm(*fault)
    service.process.terminate()
    status = service.wait()
    failed = faults.disarm()
    figures.failed += failed > 0
    demand(status == 0, "stop under", fault, "ends with", status, *service.log[-20:])
    return failed > 0


def every(stride, attempt, broken, keeps=None):
    """Calls the attempt with n = 1, 1 + stride, ... until nothing fails any more. `keeps`: a server that all
    attempts share."""
    call, is_failing = 1, True
    while is_failing and len(broken) < 100:
        try:
            is_failing = attempt(call)
        except Broken as found:
            broken.append(str(found))
            demand(keeps is None or keeps.is_alive(), *broken)
            if keeps is None:
                Service.kill_all()
        call += stride


def script():
    turns = rounds(1)  # 0: no starts and stops, which, like runs, take longer
    run_stride, stride = (max(1, most // max(1, turns)) for most in (16, 48))
    figures, broken = Figures(), []
    directory = tempfile.mkdtemp(prefix="tempotrond-robustness-")
    faults = Faults(os.path.join(directory, "faults"))
    start = lambda: Service(*FLAGS, directory=directory, environment=faults.environment)
    service = start()
    prepare(service.client())
    for kind in KINDS:
        for is_persistent in (False, True):
            for step in STEPS:
                every(1, lambda call: try_step(service, faults, (kind, call, is_persistent), step, figures), broken,
                      service)
            for step in RUNS:
                every(run_stride, lambda call: try_run(service, faults, (kind, call, is_persistent), step, figures),
                      broken, service)
    integrity(service.database)
    service.stop()
    for kind in KINDS if turns > 0 else ():
        for is_persistent in (False, True):
            every(stride, lambda call: try_start(directory, faults, (kind, call, is_persistent), figures), broken)
            every(stride, lambda call: try_stop(start(), faults, (kind, call, is_persistent), figures), broken)
    service = start()
    integrity(service.database)
    service.stop()
    service.finish()
    demand(not broken, f"{len(broken)} times:\n" + "\n".join(broken))
    return (f"{figures.failed} faults: {figures.succeeded} successes, {figures.refused} refusals, {figures.closed} "
            f"connections or starts that ended, 0 crashes, 0 false answers")


if __name__ == "__main__":
    main(script)
