"""Writes the vectors that a library gives for texts, as scripts/compare-checkpoints.mjs reads them.

    python encode-texts.py pylate|st6 FOLDER TEXTS OUT

LIBRARY is PyLate 1.6 or Sentence Transformers 6 (a virtual environment of its own for each: `pip install pylate`, `pip install sentence-transformers`);
FOLDER a checkpoint, TEXTS a JSON array, OUT a folder for expected-LIBRARY-{query,document}.npy (float32, rows of all texts one after another) and
expected-LIBRARY.json (rows of each text).
"""
import json
import os
import sys

import numpy as np

library, folder, texts_file, out = sys.argv[1:]
texts = json.load(open(texts_file))

if library == "pylate":
    from pylate import models

    model = models.ColBERT(folder, device="cpu")
    encode = {kind: lambda kind=kind: model.encode(texts, is_query=kind == "query", batch_size=16) for kind in ("query", "document")}
else:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(folder, device="cpu")
    encode = {"query": lambda: model.encode_query(texts), "document": lambda: model.encode_document(texts)}

expected = {"lib": library}
for kind in ("query", "document"):
    rows = [np.asarray(text, dtype=np.float32) for text in encode[kind]()]
    expected[kind] = {"counts": [len(text) for text in rows]}
    np.save(os.path.join(out, f"expected-{library}-{kind}.npy"), np.concatenate(rows))
json.dump(expected, open(os.path.join(out, f"expected-{library}.json"), "w"))
