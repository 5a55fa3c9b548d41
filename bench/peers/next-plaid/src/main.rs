//! next-plaid on the vectors of a work folder (../peer.py says which files): WORK BITS.

use ndarray::Array2;
use next_plaid::{IndexConfig, MmapIndex, SearchParameters};
use serde_json::{json, Value};
use std::{env, fs, path::Path, time::Instant};

const KNOBS: [(usize, usize); 4] = [(1, 256), (2, 512), (4, 1024), (8, 4096)];
const WARM: usize = 5;

fn words(path: &str) -> Vec<[u8; 4]> {
    let bytes = fs::read(path).expect(path);
    bytes.chunks_exact(4).map(|word| word.try_into().unwrap()).collect()
}

/// Vectors of length 1, a matrix for each text.
fn matrices(work: &str, rows: &str, lens: &str, dim: usize) -> Vec<Array2<f32>> {
    let mut values: Vec<f32> =
        words(&format!("{work}/{rows}")).into_iter().map(f32::from_le_bytes).collect();
    for row in values.chunks_exact_mut(dim) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm > 0.0 {
            row.iter_mut().for_each(|x| *x /= norm);
        }
    }
    let mut at = 0;
    words(&format!("{work}/{lens}"))
        .into_iter()
        .map(|len| {
            let rows = i32::from_le_bytes(len) as usize;
            let own = values[at * dim..(at + rows) * dim].to_vec();
            at += rows;
            Array2::from_shape_vec((rows, dim), own).unwrap()
        })
        .collect()
}

fn size_of(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|e| if e.path().is_dir() { size_of(&e.path()) } else { e.metadata().unwrap().len() })
        .sum()
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let (work, bits) = (&args[1], args[2].parse().unwrap());
    let shape: Value =
        serde_json::from_slice(&fs::read(format!("{work}/shape.json")).unwrap()).unwrap();
    let dim = shape["dim"].as_u64().unwrap() as usize;
    let docs = matrices(work, "docs.f32", "lens.i32", dim);
    let queries = matrices(work, "queries.f32", "qlens.i32", dim);
    let folder = format!("{work}/index");
    fs::create_dir_all(&folder).unwrap();
    let start = Instant::now();
    let config = IndexConfig { nbits: bits, start_from_scratch: 0, ..Default::default() };
    MmapIndex::create_with_kmeans(&docs, &folder, &config).unwrap();
    let build = start.elapsed().as_secs_f64();
    let index = MmapIndex::load(&folder).unwrap();
    let mut rows = Vec::new();
    for (probes, full) in KNOBS {
        let how = SearchParameters {
            top_k: 10,
            n_ivf_probe: probes,
            n_full_scores: full,
            ..Default::default()
        };
        for query in queries.iter().take(WARM) {
            index.search(query, &how, None).unwrap();
        }
        let (mut ms, mut ids) = (Vec::new(), Vec::new());
        for query in &queries {
            let start = Instant::now();
            let found = index.search(query, &how, None).unwrap();
            ms.push(start.elapsed().as_secs_f64() * 1e3);
            ids.push(found.passage_ids);
        }
        rows.push(json!({ "knob": { "probes": probes, "full": full }, "ms": ms, "ids": ids }));
    }
    let bytes = size_of(Path::new(&folder));
    let result = json!({ "buildSeconds": build, "bytes": bytes, "rows": rows });
    fs::write(format!("{work}/result.json"), result.to_string()).unwrap();
}
