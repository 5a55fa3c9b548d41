"""fast-plaid on the processor: {"bits": 4}."""
import torch
from fast_plaid import search as plaid

from peer import run, size_of


def build(data, folder, settings):
    index = plaid.FastPlaid(index=f"{folder}/plaid", device="cpu")
    docs = [torch.from_numpy(data.doc(i)) for i in range(len(data.lens))]
    index.create(documents_embeddings=docs, nbits=settings["bits"], seed=42, start_from_scratch=0)
    index.close()
    return size_of(f"{folder}/plaid")


def open_(data, folder, settings):
    return plaid.FastPlaid(index=f"{folder}/plaid", device="cpu")


def search(index, data, i, knob):
    query = torch.from_numpy(data.query(i))
    found = index.search(
        queries_embeddings=[query], top_k=10, show_progress=False, n_processes=1,
        n_ivf_probe=knob["probes"], n_full_scores=knob["full"],
    )
    return [number for number, _ in found[0]]


def knobs(settings):
    pairs = [(1, 256), (2, 512), (4, 1024), (8, 4096)]
    return [{"probes": probes, "full": full} for probes, full in pairs]


run(build, open_, search, knobs, unit=True)
