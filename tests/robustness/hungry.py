#!/usr/bin/env python3
"""Small requests that want much memory, of every endpoint, against a server that may have 512 MiB: it
stays alive, and small predictions are answered all the while."""
import concurrent.futures
import contextlib
import functools
import gzip
import http.client
import os
import random
import struct
import threading
import time

from support.service import Broken, Client, Service, demand, demand_time, main, seconds

LIMIT = 512 * 1024 * 1024
CLIENTS = 8
P99_MS = 50
FLAGS = ("--log", "errors", "--threads", "4", "--workers", "2")
GROUPS = "/sys/fs/cgroup/memory" if os.path.isdir("/sys/fs/cgroup/memory") else "/sys/fs/cgroup"
LIMIT_FILE = "memory.limit_in_bytes" if GROUPS.endswith("memory") else "memory.max"


@contextlib.contextmanager
def limited():
    """The words before the server that give it no more memory: a control group, or else prlimit."""
    group = f"{GROUPS}/tempotrond-hungry-{os.getpid()}"
    try:
        os.mkdir(group)
        with open(f"{group}/{LIMIT_FILE}", "w") as file:
            file.write(str(LIMIT))
    except OSError:
        if os.path.isdir(group):
            os.rmdir(group)
        yield "prlimit", ["prlimit", f"--data={LIMIT}"]
        return
    try:
        yield "cgroup", ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        for service in Service.all:
            if service.is_alive():
                service.kill()
        os.rmdir(group)


def npy(dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


@functools.lru_cache(maxsize=None)
def zeros(dtype, shape):
    """A file of zeros: 130 to 260 KB for 128 to 256 MB."""
    size = int(dtype[2])
    for extent in shape:
        size *= extent
    return gzip.compress(npy(dtype, shape, bytes(size)), 9)


@functools.lru_cache(maxsize=None)
def bomb(text):
    return gzip.compress(text.encode(), 9)


# The features and samples of each dataset, and its types; a model whose number is alike takes them.
DATASETS = [(100, 600000, ["|u1", "|i1"]), (1024, 120000, ["|u1"]), (100, 160000, ["<f8", "<f4"]),
            (100000, 1200, ["|u1", "|i1"])]
MODELS = 12
LARGE_MODELS = 12  # of 64 MiB each


class Grammar:
    """Requests that a chance makes. What they name may be there or not."""

    def __init__(self, chance):
        self.chance = chance
        self.productions = [getattr(self, name) for name in dir(self) if name.startswith("ask_")]

    def request(self):
        """Method, path, body, headers."""
        method, path, body, headers = (*self.chance.choice(self.productions)(), {})[:4]
        return method, path, body, headers

    def size(self, largest):
        return int(largest ** self.chance.random()) or 1

    def model(self):
        return f"m{self.chance.randrange(MODELS)}"

    def pair(self):
        """A model, and the dataset that it takes if it was made for it."""
        number = self.chance.randrange(MODELS)
        return f"m{number}", f"d{number % len(DATASETS)}"

    def dataset(self):
        return f"d{self.chance.randrange(4)}"

    def run(self):
        return self.chance.randrange(1, 200)

    def ask_create(self):
        id, dataset = self.pair()
        fits = self.chance.random() < 0.7
        inputs = DATASETS[int(dataset[1:])][0] if fits else self.size(1000000)
        model = {"id": id, "in_features": inputs, "out_features": self.size(16777216 // inputs),
                 "T": self.size(100000), "clock": self.chance.choice(["grid", "continuous"])}
        if self.chance.random() < 0.3:
            model["hidden"] = [self.size(4000) for _ in range(self.chance.randint(1, 3))]
        if self.chance.random() < 0.2:
            model.update(read_out="spike_count", max_spikes=self.size(1000), clock="continuous")
        if self.chance.random() < 0.4:
            del model["in_features"]
            model["encoder"] = {"type": "latency", "n": inputs, "x_min": 0, "x_max": 255}
        return "POST", "/models", model

    def ask_many_ranges(self):
        n = self.size(200000)
        return "POST", "/models", {"id": self.model(), "out_features": 1, "T": 10, "encoder": {
            "type": "latency", "x_min": [0] * n, "x_max": [9] * n}}

    def ask_many_labels(self):
        return "PATCH", f"/models/{self.model()}", {"labels": [f"l{i}" for i in range(self.size(65536))]}

    def ask_delete_model(self):
        return "DELETE", f"/models/{self.model()}", None

    def ask_x(self):
        number = self.chance.randrange(len(DATASETS))
        features, count, dtypes = DATASETS[number]
        return "PUT", f"/datasets/d{number}/x", zeros(self.chance.choice(dtypes), (count, features)), {
            "Content-Encoding": "gzip"}

    def ask_label(self):
        number = self.chance.randrange(len(DATASETS))
        return "PUT", f"/datasets/d{number}/label", zeros("|u1", (DATASETS[number][1],)), {"Content-Encoding": "gzip"}

    def ask_delete_dataset(self):
        if self.chance.random() < 0.7:
            return self.ask_train()
        return "DELETE", f"/datasets/{self.dataset()}", None

    def samples(self, name):
        return {name: [[0] * self.size(100000)] * self.chance.choice([1, 1, 2, 10])}

    def ask_train(self):
        model, dataset = self.pair()
        request = {"epochs": self.size(50), "batch_size": self.size(100000), "dataset": dataset}
        if self.chance.random() < 0.5:
            request["validation_fraction"] = 0.4
        if self.chance.random() < 0.3:
            del request["dataset"]
            request.update(self.samples("in_spikes"), label=0)
        return "POST", f"/models/{model}/train", request

    def ask_evaluate(self):
        model, dataset = self.pair()
        return "POST", f"/models/{model}/evaluate", {"dataset": dataset}

    def ask_predict(self):
        types = [["v"], ["label"], ["v_max", "score", "spikes"], ["thresholds"], ["spike_times", "v"]]
        model, dataset = self.pair()
        request = {"ret_type": self.chance.choice(types)}
        if self.chance.random() < 0.5:
            request["dataset"] = dataset
        else:
            request.update(self.samples(self.chance.choice(["x", "in_spikes"])))
        if self.chance.random() < 0.2:
            request["explain"] = True
        return "POST", f"/models/{model}/predict", request

    def ask_encode(self):
        return "POST", f"/models/{self.model()}/encode", self.samples("x")

    def ask_encode_function(self):
        n = self.size(100)
        return "POST", "/encode", {"m": self.size(1024), "x_min": [0] * n, "x_max": [1] * n, "max_spike_time": 20,
                                   "x": [[0.5] * n] * self.size(200)}

    def ask_psp_kernel(self):
        return "POST", "/psp_kernel", {"t": [0] * self.size(200000)}

    def ask_with_a_bomb(self):
        """A few KB that become a document of many values, or of many numbers."""
        text = self.chance.choice(['{"z":[' + "{}," * 1390000 + "{}]}", '{"t":[' + "1," * 4000000 + "1]}"])
        return "POST", self.chance.choice(["/psp_kernel", "/models", f"/models/{self.model()}/predict"]), bomb(text), {
            "Content-Encoding": "gzip"}

    def ask_first_prediction(self):
        """Of one of many large models, few of which are in memory."""
        return "POST", f"/models/large{self.chance.randrange(LARGE_MODELS)}/predict", {"in_spikes": [[1] * 4096]}

    def ask_mse_loss(self):
        return "POST", "/mse_loss", {"v_max": [[1] * self.size(10000)] * 10, "label": [0] * 10}

    def ask_list(self):
        what = self.chance.choice(["models", "datasets", "runs", f"models/{self.model()}/versions",
                                   f"runs/{self.run()}/metrics"])
        return "GET", f"/{what}?limit=1000", None

    def ask_show(self):
        what = self.chance.choice([f"models/{self.model()}", f"datasets/{self.dataset()}", f"runs/{self.run()}"])
        return "GET", f"/{what}", None

    def ask_weights(self):
        return "GET", f"/models/{self.model()}/weights", None

    def ask_cancel(self):
        return "POST", f"/runs/{self.run()}/cancel", None

    def ask_resume(self):
        return "POST", f"/runs/{self.run()}/resume", {"epochs": self.size(50)}

    def ask_fixed(self):
        return "GET", self.chance.choice(["/openapi.yaml", "/health/live", "/health/ready"]), None


def prepare(client):
    """A model and a dataset for each other, of each kind: most requests find what they name."""
    client.expect(201, "POST", "/models", {"id": "small", "in_features": 2, "out_features": 2, "T": 10})
    for number in range(LARGE_MODELS):
        client.expect(201, "POST", "/models", {"id": f"large{number}", "in_features": 4096, "out_features": 4096,
                                               "T": 100, "seed": number})
    for number, (features, count, dtypes) in enumerate(DATASETS):
        for path, array in (("x", zeros(dtypes[0], (count, features))), ("label", zeros("|u1", (count,)))):
            answer = client.ask("PUT", f"/datasets/d{number}/{path}", array, Content_Encoding="gzip")
            demand(answer.status in (200, 201), "a dataset is refused:", answer)
        client.expect(201, "POST", "/models", {"id": f"m{number}", "in_features": features, "out_features": 2, "T": 10})


class Crowd:
    """Clients that ask at random until they are told to end."""

    def __init__(self, service):
        self.service, self.ends = service, threading.Event()
        self.answers, self.unanswered, self.wrong = {}, 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(seed,), daemon=True) for seed in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def work(self, seed):
        grammar, client = Grammar(random.Random(seed)), self.service.client(timeout=120)
        while not self.ends.is_set() and self.service.is_alive():
            method, path, body, headers = grammar.request()
            try:
                answer = client.ask(method, path, body, **headers)
            except (OSError, http.client.HTTPException):
                with self.lock:
                    self.unanswered += 1
                continue
            with self.lock:
                self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
                if answer.status >= 500 and answer.code not in (
                        "overloaded", "out_of_memory", "queue_full", "store_full", "shutting_down"):
                    self.wrong.append(f"{method} {path}: {answer}")

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join(150)


def probe(port, duration):
    """Small predictions for so many seconds: how long each took, in ms, in order."""
    client, times = Client(port), []
    end = time.monotonic() + duration
    while time.monotonic() < end:
        begin = time.monotonic()
        client.expect(200, "POST", "/models/small/predict", {"in_spikes": [[1, 2]]})
        times.append((time.monotonic() - begin) * 1000)
        time.sleep(0.01)  # a client that asks now and then
    return sorted(times)


def script():
    # In a process of its own the probe never waits for the threads of the crowd, which make large bodies.
    with limited() as (how, wrapper), concurrent.futures.ProcessPoolExecutor(1) as prober:
        service = Service(*FLAGS, wrapper=wrapper)
        prepare(service.client())
        calm = prober.submit(probe, service.port, 1).result()
        crowd = Crowd(service)
        try:
            times = prober.submit(probe, service.port, seconds(15)).result()
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"a small predict is not answered after {sum(crowd.answers.values())} answers: {error}; "
                         f"the server is {'alive' if service.is_alive() else 'dead'}") from None
        peak = service.status_field("VmHWM") // 1024
        crowd.end()
        demand(service.is_alive(), "the server died after", sum(crowd.answers.values()), "answers")
        demand(not crowd.wrong, "an answer is wrong:", *crowd.wrong[:3])
        p99, calm_p99 = times[len(times) * 99 // 100], calm[len(calm) * 99 // 100]
        answers = " ".join(f"{status}:{count}" for status, count in sorted(crowd.answers.items()))
        demand_time(p99, P99_MS, "the p99 of a small predict is", "ms")
        service.stop()
        service.finish()
        return (f"512 MiB by {how}, peak {peak} MiB, answers {answers}, {crowd.unanswered} unanswered, "
                f"p99 of {len(times)} small predicts {p99:.1f} ms (alone {calm_p99:.1f} ms)")


if __name__ == "__main__":
    main(script)
