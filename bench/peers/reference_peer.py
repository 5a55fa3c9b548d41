"""The Python reference, installed from a checkout: {} for its defaults, {"ours": true} for the
sizes that this package has by default, with the epochs that the reference has."""
import numpy as np
import torch
from lemur import Lemur
from lemur.maxsim import MaxSim

from peer import run, size_of

OURS = {
    "epochs": 100, "final_hidden_dim": 1024, "train_subset_size": 512, "learn_subset_size": 32_768,
    "ols_sample_size": 16_384,
}


def fitted(data, folder, settings):
    torch.manual_seed(0)
    lemur = Lemur(index=f"{folder}/lemur", device="cpu")
    sizes = settings.get("sizes") or (OURS if settings.get("ours") else {})
    lemur.fit(train=torch.from_numpy(data.docs), train_counts=torch.from_numpy(data.lens),
              verbose=False, **sizes)
    return lemur


KEPT = {}


def build(data, folder, settings):
    KEPT["lemur"] = fitted(data, folder, settings)
    model = size_of(f"{folder}/lemur/mlp.pt") + size_of(f"{folder}/lemur/w.pt")
    return model + data.docs.nbytes  # the exact scores need the vectors


def open_(data, folder, settings):
    # MaxSim keeps raw pointers to arrays that live on
    lemur = KEPT["lemur"]
    return lemur, lemur.W.T, MaxSim(data.docs, data.lens), settings["threads"]


def search(state, data, i, knob):
    lemur, weights, exact, threads = state
    query, lens = data.query(i), data.qlens[i:i + 1]
    features = lemur.compute_features((torch.from_numpy(query), torch.from_numpy(lens)))
    count = min(knob["candidates"], len(data.lens))
    best = torch.topk(features @ weights, count, dim=1).indices.numpy().astype(np.int32)
    return np.asarray(exact.rerank_subset(query, lens, 10, np.ascontiguousarray(best), threads))[0]


run(build, open_, search, lambda _: [{"candidates": k} for k in (50, 100, 200, 400)])
