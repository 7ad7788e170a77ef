#!/usr/bin/env python3
"""Power fails at random moments, while clients create, change, train and delete: what was not synced
is dropped or torn, and nothing that was acknowledged is lost.

Each cycle looks at several moments of what the server wrote, and goes on from the last of them."""
import os
import random
import shutil
import tempfile
import time

from support.database import integrity
from support.power_loss import Disk, read_files, read_journal, write_files
from support.service import Service, demand, main, preload, rounds
from support.story import Story, check, remove, undisturbed_runs

MOMENTS = 4  # of each cycle


def moments(records, story, chance):
    """Ends of records: at random, right after a change was acknowledged, and the last."""
    ends = [record[0] for record in records]
    acknowledged = [at for thing in story.things for at in thing.acknowledged if at]
    wanted = [chance.choice(acknowledged if acknowledged and i % 2 else ends) for i in range(MOMENTS - 1)]
    return sorted(wanted) + [ends[-1]]


def powerless(disk, directory, chance):
    """A directory with what the disk holds."""
    write_files(directory, disk.after_power_loss(chance))
    return directory


def look(service, story, sums, position):
    """The server has been started on what was left."""
    integrity(service.database)
    return check(service.client(), story, sums, position)


def cycle(number, base, sums, chance, counts):
    """Returns the files that the last moment left."""
    work = tempfile.mkdtemp(prefix="tempotrond-robustness-")
    journal = os.path.join(work, "journal")
    write_files(work, base)
    service = Service("--log", "errors", directory=work,
                      environment={**preload("power_loss"), "POWER_JOURNAL": journal})
    story = Story(service.port, f"p{number}", seed=number, position=lambda: os.stat(journal).st_size)
    time.sleep(chance.uniform(0.02, 0.3))  # a random moment is what is meant
    service.kill()
    story.end()
    records = read_journal(journal)
    service.finish()
    demand(records, "the server wrote nothing")
    disk, at = Disk(base), 0
    for position in moments(records, story, chance):
        while at < len(records) and records[at][0] <= position:
            disk.add(records[at])
            at += 1
        after = Service("--log", "errors", directory=powerless(disk, work + "-after", chance))
        counts["looked at"] += look(after, story, sums, position)
        counts["losses"] += 1
        remove(after.client(), story)
        after.stop()
        left = read_files(after.directory)
        after.finish()
    counts["acknowledged"] += story.acknowledged
    return left


def script():
    chance = random.Random()
    calm = Service("--log", "errors")
    sums = undisturbed_runs(calm.client())
    calm.stop()
    files = read_files(calm.directory)
    calm.finish()
    counts = {"losses": 0, "acknowledged": 0, "looked at": 0}
    cycles = rounds(10)
    for number in range(cycles):
        files = cycle(number, files, sums, chance, counts)
    return (f"{cycles} cycles, {counts['losses']} losses of power, {counts['acknowledged']} acknowledged changes, "
            f"{counts['looked at']} things looked at, 0 lost")


if __name__ == "__main__":
    main(script)
