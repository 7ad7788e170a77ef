#!/usr/bin/env python3
"""Writes wrong values into every column of every table, beside the running server, and asks every
endpoint each time. Broken: a crash, an answer that is not JSON, a 5xx of another code than
damaged_data, a prediction, weights or an evaluation that differ, a run of another model that fails.

ROUNDS is how many wrong values of each column are tried, of about 20.
"""
import http.client
import json
import os
import random
import re
import sqlite3
import struct

from support.service import Service, demand, main, rounds

# What is shown as the row says it, with nothing to compare it with.
SHOWN = {("models", "description"), ("models", "version"), ("models", "created_at"), ("models", "updated_at"),
         ("models", "sequence"), ("versions", "run"), ("versions", "created_at"), ("versions", "sha256"),
         ("datasets", "created_at"), ("datasets", "updated_at"), ("datasets", "sequence"), ("versions", "version"),
         ("versions", "model"), ("metrics", "*"), ("runs", "*")}
GONE = {"model_not_found", "version_not_found", "run_not_found", "dataset_not_found", "unknown_value",
        "unknown_version", "id_taken", "missing_field"}


class Asker:
    """Asks the server, and knows which row is damaged meanwhile."""

    def __init__(self):
        self.service = Service("--log", "errors", "--model-cache", "1K", "--workers", "1")
        self.client = self.service.client()
        self.where = "the preparation"
        self.figures = {"written": 0, "impossible": 0, "refused": 0, "shown": 0, "columns": 0}

    def demand(self, is_met, *details):
        demand(is_met, f"{self.where}:", *details)

    def ask(self, method, path, body=None, headers={}):
        try:
            answer = self.client.ask(method, path, body, **headers)
        except (http.client.HTTPException, OSError) as error:
            self.demand(self.service.is_alive(), f"{method} {path}: the server ended:", *self.service.log[-40:])
            self.demand(False, f"{method} {path}: {error!r}")
        try:
            value = json.loads(answer.body) if answer.body else None
        except ValueError:
            self.demand(False, f"{method} {path}: no JSON:", answer)
        if answer.status >= 400:
            del value["request_id"]
        return answer.status, value


def npy(dtype, shape, data):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def must(answer, *statuses):
    demand(answer[0] in statuses, "the preparation answered", answer)
    return answer[1]


X = [[i % 5 / 2, (i * 3) % 7 / 3] for i in range(20)]
LABEL = [i % 2 for i in range(20)]
ENCODER = {"type": "gaussian_tuning", "m": 5, "x_min": [0, 0], "x_max": [3, 3]}
WAIT = {"prefer": "wait=60"}


def prepare(server):
    must(server.ask("POST", "/models", {"id": "deep", "out_features": 2, "hidden": [10, 10], "encoder": ENCODER,
                                        "labels": ["no", "yes"], "description": "d"}), 201)
    must(server.ask("POST", "/models", {"id": "twin", "out_features": 2, "hidden": [10, 10], "encoder": ENCODER,
                                        "seed": 1}), 201)
    must(server.ask("POST", "/models", {"id": "fitted", "out_features": 2,
                                        "encoder": {"type": "gaussian_tuning", "m": 5, "n": 2}}), 201)
    must(server.ask("POST", "/models", {"id": "plain", "in_features": 2, "out_features": 2, "T": 20}), 201)
    must(server.ask("POST", "/models", {"id": "counts", "in_features": 2, "out_features": 2, "T": 20,
                                        "read_out": "spike_count"}), 201)
    for other in ("another", "other"):
        must(server.ask("POST", "/models", {"id": other, "out_features": 2, "encoder": ENCODER}), 201)
    must(server.ask("PUT", "/datasets/bytes/x", npy("|u1", "(20, 2)", bytes(i % 4 for i in range(40)))), 201)
    must(server.ask("PUT", "/datasets/bytes/label", npy("|u1", "(20,)", bytes(LABEL))), 200)
    rows = "\n".join(f"{a},{b},{('no', 'yes')[c]}" for (a, b), c in zip(X, LABEL))
    must(server.ask("PUT", "/datasets/table?label=c", f"a,b,c\n{rows}\n".encode()), 201)
    for model, asked in (("deep", {"dataset": "table", "epochs": 2, "validation": {"dataset": "table"}}),
                         ("deep", {"x": X, "label": LABEL, "epochs": 2, "validation": {"x": X[:4], "label": LABEL[:4]}}),
                         ("fitted", {"x": X, "label": LABEL, "epochs": 2, "fit": True}),
                         ("plain", {"in_spikes": [[[1, 2], [3]], [[], [4]]], "label": [0, 1], "epochs": 2}),
                         ("counts", {"in_spikes": [[1, 2], [3, 4]], "count": [[0, 1], [1, 0]], "epochs": 2})):
        run = must(server.ask("POST", f"/models/{model}/train", asked, WAIT), 200)
        server.demand(run["state"] == "succeeded", f"a run ended as {run}")


def questions():
    yield "GET", "/models", None
    yield "GET", "/datasets", None
    yield "GET", "/runs", None
    for model in ("deep", "twin", "fitted", "plain", "counts"):
        has_encoder = model in ("deep", "twin", "fitted")
        samples = {"x": X} if has_encoder else {"in_spikes": [[1, 2], [3, 4]]}
        yield "GET", f"/models/{model}", None
        yield "GET", f"/models/{model}/versions", None
        yield "GET", f"/models/{model}/weights", None
        yield "GET", f"/models/{model}/versions/1/weights", None
        yield "GET", f"/runs?model={model}", None
        yield "POST", f"/models/{model}/predict", samples
        yield "POST", f"/models/{model}/versions/1/predict", samples
        if has_encoder:
            yield "POST", f"/models/{model}/encode", samples
            yield "POST", f"/models/{model}/predict", {"dataset": "bytes"}
            yield "POST", f"/models/{model}/evaluate", {"dataset": "bytes"}
    yield "POST", "/models/deep/evaluate", {"dataset": "table"}
    for dataset in ("bytes", "table"):
        yield "GET", f"/datasets/{dataset}", None
    for run in range(1, 6):
        yield "GET", f"/runs/{run}", None
        yield "GET", f"/runs/{run}/metrics", None


def is_computed(path):
    return path.endswith(("/weights", "/predict", "/evaluate", "/encode"))


def check(server, table, column, before):
    for question, right in before.items():
        method, path, body = question[0], question[1], json.loads(question[2])
        status, answer = server.ask(method, path, body)
        if (status, answer) == right:
            continue
        if status >= 400:
            if status >= 500 and answer["code"] != "damaged_data":
                server.demand(False, f"{method} {path}: {answer}")
            if status < 500 and answer["code"] not in GONE and "table" in path + str(body):
                server.demand(False, f"{method} {path}: {answer}")
            server.figures["refused"] += 1
            continue
        if is_computed(path) and (table, column) != ("models", "version"):
            server.demand(False, f"{method} {path} answers {str(answer)[:200]}, not {str(right[1])[:200]}")
        if table in ("models", "datasets") and column == "id" and path.startswith("/runs"):
            continue # a run shows the name
        lists = re.fullmatch(r"/(models|datasets|runs)|.*/versions|/runs\?.*|.*/metrics", path)
        if not lists and not {(table, column), (table, "*")} & SHOWN:
            server.demand(False, f"{method} {path} answers {str(answer)[:300]}, not {str(right[1])[:300]}")
        server.figures["shown"] += 1


def others_go_on(server):
    """Of two more models, at most one is that of the damaged row."""
    ends = []
    for model in ("other", "another"):
        status, run = server.ask("POST", f"/models/{model}/train", {"x": X[1:], "label": LABEL[1:], "epochs": 1},
                                 WAIT)
        ends.append((status, run))
        if status == 200 and run["state"] == "succeeded":
            return
    server.demand(False, [l for l in server.service.log if "DBG" in l][-5:])


def values(kind, old, others):
    """Wrong values of every kind, for a column that has `old` here and `others` in other rows."""
    yield None
    yield from (other for other in others if other != old)
    if kind == "INTEGER":
        yield from (0, -1, (old or 1) * 2, (old or 0) + 1, 2**31, 2**40, 2**63 - 1, -2**63)
    elif kind == "REAL":
        yield from (-1.0, 1e308, float("inf"))
    elif kind == "TEXT":
        yield from ("", "{", "[]", "null", "{}", '"x"', "a" * 100, "x" * 70000, "\x01\x02", "float64", "running", "nul\0l")
        if old:
            yield from (old[:-1], old + " ", old.upper(), re.sub(r"\d", "9", old, count=1), old.replace("0", "1"))
    else:
        yield from (b"", b"\0", bytes(len(old or b"")), (old or b"") * 2, (old or b"")[:-1],
                    (old or b"") + b"\0\0\0\0", b"\xff" * len(old or b""))


def damage(server, database, table, about, column, before):
    keys = ", ".join(about["keys"])
    rows = database.execute(f"SELECT {keys}, {column} FROM {table} ORDER BY {keys}").fetchall()
    others = list(dict.fromkeys(row[-1] for row in rows))[:4]
    same = " AND ".join(f"{key} IS ?" for key in about["keys"])
    for row in {rows[0], rows[-1]}:
        wrong = [value for value in values(about["kinds"][column], row[-1], others) if value != row[-1]]
        if column in about["keys"]: # after the largest id there is no next one
            wrong = [value for value in wrong if value != 2**63 - 1]
        for value in random.Random(f"{table}.{column}").sample(wrong, min(rounds(3), len(wrong))):
            server.where = f"{table}.{column} = {str(value)[:40]!r} at {row[:-1]}"
            try:
                database.execute(f"UPDATE {table} SET {column} = ? WHERE {same}", (value, *row[:-1]))
            except sqlite3.Error:
                server.figures["impossible"] += 1
            else:
                server.figures["written"] += 1
                check(server, table, column, before)
                if table == "runs" and column != "state": # now it waits, and is tried
                    run = value if column == "id" else row[0]
                    database.execute("DELETE FROM metrics WHERE run IS ?", (run,))
                    database.execute("UPDATE runs SET state = 'queued', finished_at = NULL WHERE id IS ?", (run,))
                others_go_on(server)
            restore(database)


def restore(database):
    database.execute("BEGIN IMMEDIATE")
    for table in [table for table, _ in schema(database)] + ["sqlite_sequence"]:
        database.execute(f"DELETE FROM {table}")
        database.execute(f"INSERT INTO {table} SELECT * FROM whole.{table}")
    database.execute("COMMIT")


def schema(database):
    for (name,) in database.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                                    "'sqlite_%'").fetchall():
        info = database.execute(f"PRAGMA table_info({name})").fetchall()
        keys = [column[1] for column in sorted(info, key=lambda column: column[5]) if column[5]]
        yield name, {"names": [column[1] for column in info], "keys": keys or ["rowid"],
                     "kinds": {column[1]: column[2] for column in info}}


def ask_all(server):
    return {(method, path, json.dumps(body)): server.ask(method, path, body) for method, path, body in questions()}


def script():
    server = Asker()
    prepare(server)
    database = sqlite3.connect(server.service.database, isolation_level=None, timeout=30)
    whole = os.path.join(server.service.directory, "whole")
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute("VACUUM INTO ?", (whole,))
    database.execute("ATTACH ? AS whole", (whole,))
    before = ask_all(server)
    columns = [(table, about, column) for table, about in schema(database) for column in about["names"]
               if database.execute(f"SELECT 1 FROM {table}").fetchone()]
    for table, about, column in columns:
        damage(server, database, table, about, column, before)
        server.figures["columns"] += 1
    server.where = "the end"
    server.demand(ask_all(server) == before, "the restored database answers otherwise")
    database.close()
    server.service.stop()
    server.service.finish()
    return ("{written} wrong values in {columns} columns ({impossible} more refused by SQLite): {refused} answers were "
            "problems, {shown} showed the row as it is, all others were right; no crash, no wrong prediction"
            .format(**server.figures))


if __name__ == "__main__":
    main(script)
