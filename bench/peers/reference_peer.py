"""The Python reference, installed from a checkout: {} for its defaults, {"epochs": N} for fewer of
its 100 epochs, {"ours": true} for the sizes that this package has by default, with the epochs that
the reference has."""
import contextlib
import time

import numpy as np
import torch
from lemur import Lemur
from lemur.maxsim import MaxSim

from peer import run, size_of

OURS = {
    "epochs": 100, "final_hidden_dim": 1024, "train_subset_size": 512, "learn_subset_size": 32_768,
    "ols_sample_size": 16_384,
}


class Epochs:
    """Takes what the reference prints after each epoch, for the seconds of one."""

    def __init__(self):
        self.ends = []

    def write(self, text):
        if text.startswith("epoch "):
            self.ends.append(time.perf_counter())

    def flush(self):
        pass

    def remark(self, built):
        seconds = (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)
        whole = built + (100 - len(self.ends)) * seconds
        return f"{seconds:.1f} s an epoch, so that 100 epochs are built in {whole:.0f} s"


def fitted(data, folder, settings):
    torch.manual_seed(0)
    lemur = Lemur(index=f"{folder}/lemur", device="cpu")
    epochs = {"epochs": settings["epochs"]} if "epochs" in settings else {}
    lemur.fit(train=torch.from_numpy(data.docs), train_counts=torch.from_numpy(data.lens),
              verbose="epochs" in settings, **(OURS if settings.get("ours") else epochs))
    return lemur


KEPT = {}


def build(data, folder, settings):
    epochs, start = Epochs(), time.perf_counter()
    with contextlib.redirect_stdout(epochs):
        KEPT["lemur"] = fitted(data, folder, settings)
    built = time.perf_counter() - start
    model = size_of(f"{folder}/lemur/mlp.pt") + size_of(f"{folder}/lemur/w.pt")
    size = model + data.docs.nbytes  # the exact scores need the vectors
    return (size, epochs.remark(built)) if len(epochs.ends) > 1 else size


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
