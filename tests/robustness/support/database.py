"""The database, as SQLite sees it from outside."""
import sqlite3

from support.service import demand


def integrity(path):
    """What SQLite says of a database whose server runs."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        demand(found == ["ok"], "the database is damaged:", found)
        demand(connection.execute("PRAGMA foreign_key_check").fetchone() is None, "a foreign key leads nowhere")
    finally:
        connection.close()
