"""Clients that create, change, train and delete at the same time, and remember what was acknowledged.

Each thing belongs to one client, which changes it step by step. Its history is a list of states, the
first of which is that it is absent. After a crash it must be in the last state whose change was
acknowledged, or in a later one: a change whose answer never came may have happened or not.
"""
import http.client
import random
import threading
import time

from support.service import Client, demand

ABSENT = None
SEEDS, RUNS = 3, 3  # kinds of models that are trained, and how often each is
WEIGHTS = 3 * [[0.25] * 8]
PATTERNS = [[(i * j) % 11 for j in range(8)] for i in range(1, 7)]
TABLE = "a,b,species\n" + "".join(f"{i % 7},{i % 5}.5,{'xyz'[i % 3]}\n" for i in range(60))


def model(id, seed, description=""):
    return {"id": id, "in_features": 8, "out_features": 3, "T": 50, "seed": seed, "description": description}


def order(turn):
    return {"in_spikes": PATTERNS, "label": [0, 1, 2, 0, 1, 2], "epochs": 20, "batch_size": 2,
            "optimizer": "adam", "learning_rate": 0.01, "seed": turn}


def undisturbed_runs(client):
    """[seed][turn]: the checksum of the weights after each run, from a server that nothing disturbs."""
    sums = []
    for seed in range(SEEDS):
        client.expect(201, "POST", "/models", model(f"calm{seed}", seed))
        for turn in range(RUNS):
            run = client.expect(200, "POST", f"/models/calm{seed}/train", order(turn), Prefer="wait=60")
            demand(run["state"] == "succeeded", "a run did not succeed:", run)
        versions = client.expect(200, "GET", f"/models/calm{seed}/versions")["versions"]
        sums.append([version["sha256"] for version in versions if version["run"]][::-1])
    return sums


class Thing:
    """acknowledged[i] is where the journal was (see support/power_loss.c) when state i was answered."""

    def __init__(self, path):
        self.path = path
        self.states, self.acknowledged = [ABSENT], [0]
        self.is_settled = True  # the last change was answered

    def last_acknowledged(self, position):
        return max(i for i, at in enumerate(self.acknowledged) if at is not None and at <= position)


class Story:
    """Until end() is called, or the server is gone. `position` tells how far the journal has come.

    `may_refuse` says whether an answer that is not a success is accepted, as under faults.
    """

    def __init__(self, port, name, clients=4, seed=0, position=lambda: 0, may_refuse=lambda answer: False):
        self.name, self.position, self.may_refuse = name, position, may_refuse
        self.things, self.runs = [], {}
        self.requests = self.acknowledged = 0
        self.lock = threading.Lock()
        self.has_ended = False
        self.error = None
        self.threads = [threading.Thread(target=self._tell, args=(port, i, random.Random(f"{seed}/{i}")), daemon=True)
                        for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.has_ended = True
        for thread in self.threads:
            thread.join()
        if self.error:
            raise self.error

    def _tell(self, port, number, chance):
        client = Client(port)
        try:
            chapter = 0
            while not self.has_ended:
                chapter += 1
                chance.choice([self._model, self._model, self._trained, self._dataset])(
                    client, f"{self.name}-{number}-{chapter}", chance)
        except (OSError, http.client.HTTPException):
            pass  # the server is gone
        except BaseException as error:
            self.error = error
        finally:
            client.close()

    def _add(self, path):
        thing = Thing(path)
        with self.lock:
            self.things.append(thing)
        return thing

    def _change(self, client, thing, state, method, path, body=None, **headers):
        """Returns the answer if it is a success, else None."""
        with self.lock:
            self.requests += 1
            thing.states.append(state)
            thing.acknowledged.append(None)
            thing.is_settled = False
        answer = client.ask(method, path, body, **headers)
        position = self.position()
        with self.lock:
            thing.is_settled = True
            if answer.status >= 300:
                demand(self.may_refuse(answer), f"{method} {path}:", answer)
                thing.states.pop()
                thing.acknowledged.pop()
                return None
            thing.acknowledged[-1] = position
            self.acknowledged += 1
        return answer

    def _model(self, client, id, chance):
        thing = self._add(f"/models/{id}")
        text = "as made"
        if not self._change(client, thing, text, "POST", "/models", model(id, 0, text)):
            return
        for turn in range(chance.randrange(4)):
            if chance.random() < 0.5:
                text = f"change {turn}"
                self._change(client, thing, text, "PATCH", thing.path, {"description": text})
            else:
                self._change(client, thing, text, "PUT", thing.path + "/weights", {"weight": WEIGHTS})
        answer = client.ask("POST", thing.path + "/predict", {"in_spikes": PATTERNS})
        demand(answer.status == 200 or self.may_refuse(answer), "predict:", answer)
        if chance.random() < 0.7:
            self._change(client, thing, ABSENT, "DELETE", thing.path)

    def _trained(self, client, id, chance):
        seed = chance.randrange(SEEDS)
        thing = self._add(f"/models/{id}")
        if not self._change(client, thing, "", "POST", "/models", model(id, seed)):
            return
        for turn in range(chance.randint(1, RUNS)):
            with self.lock:
                self.requests += 1
            answer = client.ask("POST", thing.path + "/train", order(turn))
            position = self.position()
            if answer.status != 202:
                demand(self.may_refuse(answer), "train:", answer)
                return
            with self.lock:
                self.acknowledged += 1
                self.runs[answer.json()["id"]] = (position, thing, seed, turn)

    def _dataset(self, client, id, chance):
        thing = self._add(f"/datasets/{id}")
        if not self._change(client, thing, 60, "PUT", thing.path + "?label=species", TABLE):
            return
        if chance.random() < 0.7:
            self._change(client, thing, ABSENT, "DELETE", thing.path)


def observed(client, path):
    answer = client.ask("GET", path)
    if answer.status == 404:
        return ABSENT
    demand(answer.status == 200, f"GET {path}:", answer)
    return answer.json().get("description", answer.json().get("count"))


def check(client, story, sums=None, position=float("inf")):
    """Demands that all that was acknowledged until a position of the journal is there. With `sums`, runs
    that were acknowledged end with those bits. Returns how many things were looked at."""
    for thing in story.things:
        first = thing.last_acknowledged(position)
        found = observed(client, thing.path)
        demand(found in thing.states[first:], "lost:", thing.path, "is", repr(found), "after",
               thing.states, "acknowledged", thing.acknowledged, "up to", position)
    kept = {id: run for id, run in story.runs.items() if run[0] <= position}
    for id, (_, thing, seed, turn) in kept.items():
        answer = client.ask("GET", f"/runs/{id}")
        demand(answer.status == 200, f"lost: run {id} of {thing.path}:", answer)
        run = client.wait_for_run(id) if sums else answer.json()
        demand(run["state"] in ("succeeded", "queued", "running"), "a run did not succeed:", run)
        if sums:
            versions = client.expect(200, "GET", thing.path + "/versions")["versions"]
            found = [version["sha256"] for version in versions if version["run"] == id]
            demand(found == [sums[seed][turn]], "other bits:", run, found, sums[seed][turn])
    return len(story.things) + len(kept)


def remove(client, story):
    """Deletes what a story has left, so that the database does not grow."""
    for thing in story.things:
        while (answer := client.ask("DELETE", thing.path)).code in ("model_in_use", "dataset_in_use"):
            time.sleep(0.01)  # a run whose acceptance was not answered
        demand(answer.status in (204, 404), f"DELETE {thing.path}:", answer)
