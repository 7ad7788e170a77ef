#!/usr/bin/env python3
"""kill -9 at random moments, while clients create, change, train and delete: nothing that was
acknowledged is lost, weights have the bits of runs that nothing disturbed, the database is whole, and
the next start is ready at once."""
import random
import time

from support.database import integrity
from support.service import Service, demand_time, main, rounds
from support.story import Story, check, remove, undisturbed_runs

READY_SECONDS = 1


def script():
    chance = random.Random()
    service = Service("--log", "errors")
    sums = undisturbed_runs(service.client())
    cycles, acknowledged, unanswered, looked_at, slowest = rounds(50), 0, 0, 0, 0.0
    for cycle in range(cycles):
        story = Story(service.port, f"c{cycle}", seed=cycle)
        time.sleep(chance.uniform(0.01, 0.3))  # a random moment is what is meant
        service.kill()
        story.end()
        service.start()
        slowest = max(slowest, service.ready_seconds)
        demand_time(service.ready_seconds, READY_SECONDS, "ready only after")
        integrity(service.database)
        client = service.client()
        looked_at += check(client, story, sums)
        acknowledged += story.acknowledged
        unanswered += story.requests - story.acknowledged
        remove(client, story)
    service.stop()
    service.finish()
    return (f"{cycles} cycles, {acknowledged} acknowledged changes, {unanswered} unanswered, "
            f"{looked_at} things looked at, 0 lost; ready after {slowest:.3f} s at most")


if __name__ == "__main__":
    main(script)
