"""MUVERA of fastembed: {"dim": 10240} or 2560. All fixed vectors are scanned, the best of them
scored exactly by maxsim-cpu."""
import maxsim_cpu
import numpy as np
from fastembed.postprocess import Muvera

from peer import run

SHAPES = {2560: (4, 8, 20), 10240: (5, 16, 20)}


def muvera(data, settings):
    k_sim, dim_proj, reps = SHAPES[settings["dim"]]
    return Muvera(dim=data.dim, k_sim=k_sim, dim_proj=dim_proj, r_reps=reps, random_seed=42)


def build(data, folder, settings):
    made = muvera(data, settings)
    docs = [made.process_document(data.doc(i)) for i in range(len(data.lens))]
    np.save(f"{folder}/fixed.npy", np.stack(docs).astype(np.float32))
    # the exact scores need the vectors too
    return 4 * settings["dim"] * len(docs) + data.docs.nbytes


def open_(data, folder, settings):
    return muvera(data, settings), np.load(f"{folder}/fixed.npy")


def search(state, data, i, knob):
    made, fixed = state
    scores = fixed @ made.process_query(data.query(i)).astype(np.float32)
    count = min(knob["candidates"], len(scores))
    chosen = np.argpartition(-scores, count - 1)[:count]
    exact = maxsim_cpu.maxsim_scores_variable(data.query(i), [data.doc(d) for d in chosen])
    return chosen[np.argsort(-np.asarray(exact))[:10]]


run(build, open_, search, lambda _: [{"candidates": k} for k in (50, 100, 200, 400)], unit=True)
