#!/usr/bin/env python3
"""kill -9 and SIGTERM at random moments while runs train: each run goes on where it was, and ends with the
weights and metrics of a server that nothing disturbed, bit by bit; so do runs that were cancelled, or had
ended, and then go on for more epochs."""
import random
import time

from support.service import Service, demand, main, rounds

AFFERENTS, CLASSES, SAMPLES, MORE = 24, 4, 1000, 20
KILLS_IN_A_ROW = 2  # at the third one without a checkpoint in between, a run fails, as it should
DRAWN = random.Random(1)
SPIKES = [[DRAWN.randrange(-5, 50) for _ in range(AFFERENTS)] for _ in range(SAMPLES)]
LABELS = [i % CLASSES for i in range(SAMPLES)]
BASE = {"in_features": AFFERENTS, "out_features": CLASSES, "T": 60}
ORDER = {"in_spikes": SPIKES, "label": LABELS, "batch_size": 16, "learning_rate": 0.01, "optimizer": "adam",
         "loss": "cross_entropy"}
KINDS = [  # fields of a model, fields of its training
    ({}, {"epochs": 1500}),
    ({}, {"epochs": 2500, "optimizer": "sgd", "momentum": 0.9, "loss": "tempotron", "learning_rate_decay": 0.999}),
    ({"clock": "continuous"}, {"epochs": 300, "input_dropout": 0.2, "validation_fraction": 0.2, "patience": 1000}),
    ({"hidden": [40]}, {"epochs": 200, "dropout": 0.2, "max_grad_norm": 1, "checkpoint_every": 50}),
]


def queue(client, name, kind, more=0):
    model, order = KINDS[kind]
    client.expect(201, "POST", "/models", {**BASE, **model, "id": name, "seed": kind})
    order = {**ORDER, **order, "seed": kind, "epochs": order["epochs"] + more}
    return client.expect(202, "POST", f"/models/{name}/train", order)["id"]


def outcome(client, run):
    """The checksums of the weights that a run has published or kept, and all of its metrics."""
    demand(run["state"] == "succeeded", "a run did not succeed:", run)
    versions = client.expect(200, "GET", f"/models/{run['model']}/versions")["versions"]
    sums = [(version.get("epoch"), version["sha256"]) for version in versions if version["run"] == run["id"]]
    metrics, page = [], client.expect(200, "GET", f"/runs/{run['id']}/metrics")
    while page["next_cursor"] is not None:
        metrics += page["metrics"]
        page = client.expect(200, "GET", f"/runs/{run['id']}/metrics?cursor={page['next_cursor']}")
    metrics += page["metrics"]
    demand(len(metrics) == run["epochs"], "epochs are missing:", run, len(metrics))
    return sums, metrics


def all_have_ended(client, runs):
    return all(client.expect(200, "GET", f"/runs/{id}")["finished_at"] for id in runs)


class Disturbed:
    """A server that is ended again and again."""

    def __init__(self):
        self.service = Service("--checkpoint-interval", "1", "--workers", "2")
        self.kills = self.stops = self.in_a_row = self.continued = 0
        self.slowest = 0.0

    def end(self, chance):
        if self.in_a_row < KILLS_IN_A_ROW and chance.random() < 0.6:
            self.service.kill()
            self.kills, self.in_a_row = self.kills + 1, self.in_a_row + 1
        else:
            begun = time.monotonic()
            self.service.stop()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.stops, self.in_a_row = self.stops + 1, 0
        self.continued += sum(" state=continued " in line for line in self.service.log)
        self.service.start()


def more_epochs(client, run):
    """A run that goes on for some epochs, cancelled if that comes in time, and for the rest of them."""
    further = client.expect(202, "POST", f"/runs/{run['id']}/resume", {"epochs": MORE - 5})
    answer = client.ask("POST", f"/runs/{further['id']}/cancel", {})
    demand(answer.status in (202, 409), "cancel:", answer)
    further = client.wait_for_run(further["id"])
    left = run["epochs"] + MORE - further["epoch"]
    last = client.expect(202, "POST", f"/runs/{further['id']}/resume", {"epochs": left})
    return client.wait_for_run(last["id"])


def expect_longer(client, run, expected):
    """The last version and all metrics; versions of epochs before belong to the runs before."""
    sums, metrics = outcome(client, more_epochs(client, run))
    demand((sums[0], metrics) == (expected[0][0], expected[1]), "other bits with more epochs:", run)


def undisturbed():
    """The outcome of a run of each kind, and that of a run of more epochs."""
    service = Service("--log", "errors", "--workers", "2")
    client = service.client()
    runs = [(queue(client, f"calm{kind}", kind), queue(client, f"long{kind}", kind, MORE)) for kind in range(len(KINDS))]
    outcomes = [[outcome(client, client.wait_for_run(id)) for id in pair] for pair in runs]
    service.stop()
    service.finish()
    return outcomes


def script():
    chance = random.Random()
    outcomes = undisturbed()
    disturbed, wanted, compared, turn = Disturbed(), rounds(8), 0, 0
    while disturbed.kills + disturbed.stops < wanted:
        turn += 1
        client = disturbed.service.client()
        runs = [queue(client, f"m{turn}-{kind}", kind) for kind in range(len(KINDS))]
        while not all_have_ended(disturbed.service.client(), runs):
            time.sleep(chance.uniform(0.05, 2))  # a random moment is what is meant
            disturbed.end(chance)
        client = disturbed.service.client()
        for kind, id in enumerate(runs):
            run = client.expect(200, "GET", f"/runs/{id}")
            demand(outcome(client, run) == outcomes[kind][0], "other bits:", run)
            expect_longer(client, run, outcomes[kind][1])
            client.expect(204, "DELETE", f"/models/m{turn}-{kind}")
            compared += 2
    demand(disturbed.continued > 0, "no run went on where it was")
    disturbed.service.stop()
    disturbed.service.finish()
    return (f"{disturbed.kills} kills and {disturbed.stops} stops, {disturbed.continued} times a run went on where it was, "
            f"{compared} runs compared, 0 with other bits; a stop took {disturbed.slowest:.2f} s at most")


if __name__ == "__main__":
    main(script)
