"""Compares the golden vectors of two directories, file by file: python3 tests/golden/compare.py GIVEN FOUND

Another processor or another torch may round a sum differently, so numbers may differ by 1e-6 of the
largest number beside them. Prints how each file compares, and exits 1 if any number differs by more.
"""
import json
import pathlib
import sys

TOLERANCE = 1e-6


def flatten(value):
    return [number for item in value for number in flatten(item)] if isinstance(value, list) else [value]


def difference(given, found):
    """Between two members of a case, by their largest number; infinite for what is not the same shape."""
    a, b = flatten(given), flatten(found)
    if len(a) != len(b) or any(isinstance(x, str) and x != y for x, y in zip(a, b)):
        return float("inf")
    pairs = [(x, y) for x, y in zip(a, b) if not isinstance(x, str)]
    largest = max((abs(x) for x, _ in pairs), default=0) or 1
    return max((abs(x - y) for x, y in pairs), default=0) / largest


def compare(given, found):
    if given.read_bytes() == found.read_bytes():
        return 0
    a, b = json.loads(given.read_text())["cases"], json.loads(found.read_text())["cases"]
    if [case.keys() for case in a] != [case.keys() for case in b]:
        return float("inf")
    return max(difference(x[name], y[name]) for x, y in zip(a, b) for name in x)


worst = 0
for found in sorted(pathlib.Path(sys.argv[2]).glob("*.json")):
    apart = compare(pathlib.Path(sys.argv[1], found.name), found)
    print(f"{found.name}: " + ("byte by byte" if apart == 0 else f"within {apart:.1e}"))
    worst = max(worst, apart)
sys.exit(worst > TOLERANCE)
