"""LanceDB's multivectors: {"index": "IVF_PQ"} or "IVF_RQ". Cosine is the only measure they have."""
import lancedb
import numpy as np
import pyarrow as pa

from peer import run, size_of

AT_ONCE = 512


def build(data, folder, settings):
    vector = pa.list_(pa.list_(pa.float32(), data.dim))
    schema = pa.schema([pa.field("id", pa.int32()), pa.field("vector", vector)])
    table = lancedb.connect(folder).create_table("t", schema=schema, mode="overwrite")
    for start in range(0, len(data.lens), AT_ONCE):
        end = min(start + AT_ONCE, len(data.lens))
        at = data.offsets[start:end + 1]
        flat = pa.array(data.docs[at[0]:at[-1]].reshape(-1))
        rows = pa.FixedSizeListArray.from_arrays(flat, data.dim)
        lists = pa.ListArray.from_arrays(pa.array((at - at[0]).astype(np.int32)), rows)
        ids = pa.array(np.arange(start, end, dtype=np.int32))
        table.add(pa.table([ids, lists], schema=schema))
    table.optimize()
    more = {"num_sub_vectors": 32} if settings["index"] == "IVF_PQ" else {"num_bits": 1}
    table.create_index(
        metric="cosine", vector_column_name="vector", index_type=settings["index"], **more
    )
    return size_of(folder)


def open_(data, folder, settings):
    return lancedb.connect(folder).open_table("t")


def search(table, data, i, knob):
    query = table.search(data.query(i), vector_column_name="vector", query_type="vector")
    query = query.distance_type("cosine").limit(10).select(["id", "_distance"])
    query = query.nprobes(knob["probes"]).refine_factor(knob["refine"])
    return query.to_arrow()["id"].to_pylist()


def knobs(settings):
    pairs = [(8, 1), (8, 5), (16, 10), (32, 10), (64, 20)]
    return [{"probes": probes, "refine": refine} for probes, refine in pairs]


run(build, open_, search, knobs, unit=True)
