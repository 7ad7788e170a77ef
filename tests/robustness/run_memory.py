#!/usr/bin/env python3
"""What a run takes of memory. One of a small upload takes hardly more than its array if that is of bytes; and one of a
large layer takes its weights, with what the optimizer has of them, twice while a checkpoint is written. None takes much
more than the estimate that --memory counts it with."""
import gzip
import sqlite3
import struct
import time

from support.service import Service, demand, main, rounds

FEATURES, MIB = 1024, 1024 * 1024
TAKES = {"|u1": 1.15, "<f4": 1.1, "|i1": 4.2}  # how many times its array a run may take
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd"},
    "adam": {"optimizer": "adam"},
    "adam with patience": {"optimizer": "adam", "patience": 100000},
}
ENCODERS = {
    "no encoder": {"in_features": FEATURES},
    "shared ranges": {"encoder": {"type": "latency", "n": FEATURES, "x_min": 0, "x_max": 255, "max_spike_time": 15}},
    "many ranges": {"encoder": {"type": "latency", "x_min": [-i / 1000 for i in range(FEATURES)],
                                "x_max": [255] * FEATURES, "max_spike_time": 15}},
}


def npy(dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def estimate_of(service, run):
    connection = sqlite3.connect(f"file:{service.database}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT memory FROM runs WHERE id = ?", (run,)).fetchone()[0]
    finally:
        connection.close()


def has_checkpoint(service):
    connection = sqlite3.connect(f"file:{service.database}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0] > 0
    finally:
        connection.close()


def measure(dtype, encoder, fraction, size):
    """How many bytes a run takes, how many it was estimated to take, and those of the upload."""
    service = Service("--log", "errors", "--model-cache", "1K")
    client, count = service.client(), size // FEATURES // int(dtype[2])
    upload = gzip.compress(npy(dtype, (count, FEATURES), bytes(size)), 9)
    client.expect(201, "PUT", "/datasets/zeros/x", upload, Content_Encoding="gzip")
    client.expect(200, "PUT", "/datasets/zeros/label", npy("|u1", (count,), bytes(count)))
    client.expect(201, "POST", "/models", {"id": "m", "out_features": 2, "T": 16, **ENCODERS[encoder]})
    before = service.status_field("VmRSS") * 1024
    with open(f"/proc/{service.process.pid}/clear_refs", "w") as file:
        file.write("5")  # VmHWM begins anew
    request = {"dataset": "zeros", "epochs": 1, "batch_size": 64}
    if fraction:
        request["validation_fraction"] = fraction
    run = client.wait_for_run(client.expect(202, "POST", "/models/m/train", request)["id"])
    demand(run["state"] == "succeeded", "a run failed:", run)
    taken, estimate = service.status_field("VmHWM") * 1024 - before, estimate_of(service, run["id"])
    service.stop()
    service.finish()
    return taken, estimate, len(upload)


def measure_checkpoint(parameters, width):
    """How many bytes a run on a square layer takes until it has kept a checkpoint, and how many it was estimated to."""
    service = Service("--log", "errors", "--model-cache", "1K", "--checkpoint-interval", "1")
    client = service.client()
    client.expect(201, "POST", "/models", {"id": "m", "in_features": width, "out_features": width, "T": 5})
    before = service.status_field("VmRSS") * 1024
    with open(f"/proc/{service.process.pid}/clear_refs", "w") as file:
        file.write("5")
    sets = {"in_spikes": [[[1]] * width] * 4, "label": [0, 1, 2, 3]}
    request = {**sets, "epochs": 100000, "batch_size": 4, **parameters}
    if "patience" in parameters:
        request["validation"] = sets
    id = client.expect(202, "POST", "/models/m/train", request)["id"]
    while not has_checkpoint(service):
        time.sleep(0.01)
    client.expect(202, "POST", f"/runs/{id}/cancel")
    client.wait_for_run(id)
    taken, estimate = service.status_field("VmHWM") * 1024 - before, estimate_of(service, id)
    service.stop()
    service.finish()
    return taken, estimate


def script():
    size, figures = rounds(64) * MIB, []
    width = 2048 if size <= 64 * MIB else 4096
    weights = 4 * width * width
    for optimizer, parameters in OPTIMIZERS.items():
        taken, estimate = measure_checkpoint(parameters, width)
        what = f"a run with {optimizer} and a checkpoint takes {taken / MIB:.0f} MiB of {weights / MIB:.0f}"
        demand(taken < estimate * 1.1 + 4 * MIB, what, "but was estimated to take", estimate // MIB)
        demand(estimate < 2 * taken, what, "but was estimated to take", estimate // MIB)
        figures.append(f"{optimizer} {taken / weights:.2f} times its weights (estimated {estimate / weights:.2f})")
    checkpoints, figures = "; ".join(figures), []
    for dtype, most in TAKES.items():
        for encoder in ENCODERS:
            taken, estimate, upload = measure(dtype, encoder, 0.5, size)
            what = f"a run of {dtype} with {encoder} takes {taken / MIB:.0f} MiB of {size / MIB:.0f}"
            demand(taken < most * size + 8 * MIB, what)
            demand(taken < estimate * 1.1 + 4 * MIB, what, "but was estimated to take", estimate // MIB)
            demand(estimate < 3 * taken, what, "but was estimated to take", estimate // MIB)
            if encoder == "no encoder":
                figures.append(f"{dtype[1:]} {taken / size:.2f} times (estimated {estimate / size:.2f}), "
                               f"upload {upload / 1024:.0f} KB")
    arrays = "; ".join(figures)
    return f"arrays of {size // MIB} MiB, a share of 0.5 set aside: {arrays}; checkpoints of {width}x{width}: {checkpoints}"


if __name__ == "__main__":
    main(script)
