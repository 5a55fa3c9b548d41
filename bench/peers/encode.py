"""Token vectors a second of Sentence Transformers, for bench/encoder.mjs --python.

    python encode.py FOLDER THREADS

FOLDER is a checkpoint that Transformers reads. Each line of standard input is a JSON array of
texts; each is answered by a line {"seconds", "rows", "file"}: the time of one call, the rows of
each text and the file with its unit vectors, float32, one after another. The first line out is
{"ready", "versions"}.
"""
import json
import os
import sys
import tempfile
import time

folder, threads = sys.argv[1], int(sys.argv[2])
os.environ["OMP_NUM_THREADS"] = str(threads)
os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"

import numpy as np
import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

# 180 of the text and one on either side
MOST_TOKENS = 182

torch.set_num_threads(threads)
body = Transformer(folder, max_seq_length=MOST_TOKENS)
model = SentenceTransformer(modules=[body], device="cpu").float()
file = os.path.join(tempfile.mkdtemp(), "vectors.f32")
versions = {"sentence-transformers": sentence_transformers.__version__, "torch": torch.__version__}
print(json.dumps({"ready": True, "versions": versions}), flush=True)
for line in sys.stdin:
    texts = json.loads(line)
    started = time.perf_counter()
    with torch.inference_mode():
        states = model.encode(texts, output_value="token_embeddings", show_progress_bar=False)
    seconds = time.perf_counter() - started
    rows = [text.shape[0] for text in states]
    unit = torch.nn.functional.normalize(torch.cat(list(states)).float(), dim=-1)
    unit.numpy().astype(np.float32).tofile(file)
    print(json.dumps({"seconds": seconds, "rows": rows, "file": file}), flush=True)
