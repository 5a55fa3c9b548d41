"""What the peers in Python have in common: reading the vectors, timing, writing the result.

    python NAME.py WORK THREADS SETTINGS

WORK holds what run.mjs writes: docs.f32 and queries.f32 (rows x dim), lens.i32 and qlens.i32 (rows
of each), shape.json. SETTINGS is an object of JSON. A peer gives functions:
  build(data, folder, settings) -> bytes that a search needs beside the code, or these and a remark
  open(data, folder, settings) -> anything
  search(state, data, query number, knob) -> numbers of the ten best documents
Imports are not a part of any time.
"""
import json
import os
import sys
import time

import numpy as np

WARM = 5


class Data:
    def __init__(self, work):
        with open(f"{work}/shape.json") as file:
            self.dim = json.load(file)["dim"]
        self.docs = np.fromfile(f"{work}/docs.f32", np.float32).reshape(-1, self.dim)
        self.queries = np.fromfile(f"{work}/queries.f32", np.float32).reshape(-1, self.dim)
        # kept: some peers hold raw pointers to what they are given
        self.lens = np.fromfile(f"{work}/lens.i32", np.int32)
        self.qlens = np.fromfile(f"{work}/qlens.i32", np.int32)
        self.offsets = np.concatenate([[0], np.cumsum(self.lens)])
        self.qoffsets = np.concatenate([[0], np.cumsum(self.qlens)])

    def doc(self, i):
        return self.docs[self.offsets[i]:self.offsets[i + 1]]

    def query(self, i):
        return self.queries[self.qoffsets[i]:self.qoffsets[i + 1]]

    def unit(self):
        """Vectors of length 1, which some peers need."""
        for rows in (self.docs, self.queries):
            norms = np.sqrt((rows * rows).sum(1, keepdims=True))
            norms[norms == 0] = 1
            rows /= norms


def size_of(path):
    """Bytes of a file, or of all files of a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(at, f)) for at, _, fs in os.walk(path) for f in fs)


def run(build, open_, search, knobs, unit=False):
    work, threads, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    data = Data(work)
    if unit:
        data.unit()
    settings["threads"] = threads
    folder = f"{work}/index"
    os.makedirs(folder, exist_ok=True)
    start = time.perf_counter()
    built = build(data, folder, settings)
    build_s = time.perf_counter() - start
    size, remark = built if isinstance(built, tuple) else (built, None)
    state = open_(data, folder, settings)
    rows = []
    for knob in knobs(settings):
        for i in range(min(WARM, len(data.qlens))):
            search(state, data, i, knob)
        ms, ids = [], []
        for i in range(len(data.qlens)):
            start = time.perf_counter()
            found = search(state, data, i, knob)
            ms.append((time.perf_counter() - start) * 1e3)
            ids.append([int(x) for x in found][:10])
        rows.append({"knob": knob, "ms": ms, "ids": ids})
    with open(f"{work}/result.json", "w") as file:
        result = {"buildSeconds": build_s, "bytes": int(size), "rows": rows, "remark": remark}
        json.dump(result, file)
