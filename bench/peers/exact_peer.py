"""Exact MaxSim of all documents: {"engine": "maxsim-cpu"}, or "reference" for the C++ of the Python
reference."""
import json
import sys

import numpy as np

from peer import run

ENGINE = json.loads(sys.argv[3])["engine"]
if ENGINE == "reference":
    from lemur.maxsim import MaxSim
else:
    import maxsim_cpu


def build(data, folder, settings):
    return data.docs.nbytes


def open_(data, folder, settings):
    if ENGINE == "reference":
        # it keeps raw pointers: both arrays are the data's own and live on
        everything = np.arange(len(data.lens), dtype=np.int32)[None]
        return MaxSim(data.docs, data.lens), everything, settings["threads"]
    return [data.doc(i) for i in range(len(data.lens))]


def search(state, data, i, knob):
    if ENGINE == "reference":
        exact, everything, threads = state
        lens = data.qlens[i:i + 1]
        return np.asarray(exact.rerank_subset(data.query(i), lens, 10, everything, threads))[0]
    scores = np.asarray(maxsim_cpu.maxsim_scores_variable(data.query(i), state))
    best = np.argpartition(-scores, min(10, len(scores) - 1))[:10]
    return best[np.argsort(-scores[best])]


run(build, open_, search, lambda _: [{}], unit=ENGINE != "reference")
