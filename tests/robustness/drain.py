#!/usr/bin/env python3
"""SIGTERM under full load: no request that was accepted is cut, and the server ends with status 0.

A client either keeps its connection or opens one for each request. A request was accepted if the server
logged it: then its whole answer came. A request without an answer was closed before it was read, and
so has changed nothing."""
import http.client
import random
import re
import threading
import time

from support.service import Service, demand, main, rounds
from support.story import PATTERNS, model, order

CLIENTS = 8


class Load:
    """Clients that ask until the server is gone. Each request has an id."""

    def __init__(self, service, round):
        self.service, self.round = service, round
        self.answered, self.unanswered, self.made, self.unmade = {}, [], [], []
        self.lock = threading.Lock()
        self.broken = None
        self.threads = [threading.Thread(target=self._ask, args=(i, random.Random(f"{round}/{i}")), daemon=True)
                        for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _ask(self, number, chance):
        keeps = number % 2 == 0
        client = self.service.client()
        for turn in range(10 ** 9):
            id = f"r{self.round}-{number}-{turn}"
            if not keeps:
                client.close()
            if not self._one(client, id, chance):
                break
        client.close()

    def _one(self, client, id, chance):
        """Whether the server goes on."""
        kind = chance.choice(["predict", "predict", "create", "train", "list"])
        made = f"m-{id}"
        asked = {"predict": ("POST", "/models/kept/predict", {"in_spikes": PATTERNS}),
                 "create": ("POST", "/models", model(made, 1)),
                 "train": ("POST", "/models/kept/train", order(0)),
                 "list": ("GET", "/models?limit=20")}[kind]
        try:
            answer = client.ask(*asked, X_Request_Id=id)
        except http.client.IncompleteRead as cut:
            self.broken = f"{asked[:2]} was cut: {cut}"
            return False
        except (OSError, http.client.HTTPException):
            with self.lock:
                self.unanswered.append(id)
                if kind == "create":
                    self.unmade.append(made)
            return False
        with self.lock:
            self.answered[id] = answer.status
            if kind == "create" and answer.status == 201:
                self.made.append(made)
        if answer.status >= 400 and answer.code not in ("shutting_down", "queue_full", "overloaded"):
            self.broken = f"{asked[:2]}: {answer}"
        return answer.code != "shutting_down"

    def join(self):
        for thread in self.threads:
            thread.join()
        demand(self.broken is None, self.broken)


def logged_requests(service):
    return {found.group(2): int(found.group(1)) for line in service.log
            if (found := re.search(r" status=(\d+) .*request_id=(r\S+)", line))}


def script():
    chance = random.Random()
    service = Service()
    service.client().expect(201, "POST", "/models", model("kept", 1))
    answered = unanswered = 0
    slowest, number = 0.0, rounds(8)
    for round in range(number):
        load = Load(service, round)
        time.sleep(chance.uniform(0.05, 0.4))  # a random moment is what is meant
        begun = time.monotonic()
        service.stop()
        slowest = max(slowest, time.monotonic() - begun)
        load.join()
        logged = logged_requests(service)
        cut = [id for id in load.unanswered if id in logged]
        demand(not cut, "accepted, but not answered:", cut)
        wrong = [id for id, status in load.answered.items() if logged.get(id, status) != status]
        demand(not wrong, "logged with another status:", wrong)
        service.start()
        client = service.client()
        for id in load.made:
            client.expect(200, "GET", f"/models/{id}")
        for id in load.unmade:
            demand(client.ask("GET", f"/models/{id}").status == 404, "made without an answer:", id)
        for id in load.made:
            client.expect(204, "DELETE", f"/models/{id}")
        answered += len(load.answered)
        unanswered += len(load.unanswered)
    service.stop()
    service.finish()
    return (f"{number} stops under {CLIENTS} clients, {answered} answers, 0 cut; {unanswered} requests came too late; "
            f"stopped in {slowest:.2f} s at most")


if __name__ == "__main__":
    main(script)
