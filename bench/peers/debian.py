"""A BEIR folder of Debian's package descriptions, for bench/vectorize.mjs.

    python3 bench/peers/debian.py TRANSLATION OUT

TRANSLATION is an unpacked `Translation-en` of a Debian release. Descriptions are the documents, one
each, drawn by a seed; the one-line summaries of the first of them, of 4 to 12 words, the queries.
"""

import json
import random
import sys
from pathlib import Path

DOCUMENTS = 30_000
QUERIES = 1_000
SHORTEST = 60


def packages(lines):
    """(name, summary, description) of each package; shorter descriptions are left out."""
    name = summary = None
    text = []
    for line in [*lines, "Package: \n"]:
        line = line.rstrip("\n")
        if line.startswith("Package: "):
            if name and len(" ".join(text)) >= SHORTEST:
                yield name, summary, " ".join(text)
            name, summary, text = line[9:], None, []
        elif line.startswith("Description-en: "):
            summary = line[16:]
        elif line.startswith(" ") and line.strip() != ".":
            text.append(line.strip())


def first_of_each(found, field):
    seen = set()
    return [one for one in found if not (one[field] in seen or seen.add(one[field]))]


def write(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf8")


translation, out = sys.argv[1], Path(sys.argv[2])
with open(translation, encoding="utf8") as lines:
    found = first_of_each(first_of_each(packages(lines), 2), 0)
random.Random(1).shuffle(found)
found = found[:DOCUMENTS]
asked = [one for one in found if 4 <= len(one[1].split()) <= 12][:QUERIES]
out.mkdir(parents=True, exist_ok=True)
write(out / "corpus.jsonl", ({"_id": n, "title": "", "text": text} for n, _, text in found))
write(out / "queries.jsonl", ({"_id": f"q{n}", "text": summary} for n, summary, _ in asked))
judged = "".join(f"q{n}\t{n}\t1\n" for n, _, _ in asked)
(out / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf8")
