// What each stage of a fit and a search computes and moves, from the shapes alone: multiplications
// and additions, bytes that a GPU reads and writes at least, dispatches, and the share of the tiles
// that is filled. For bench/gpu.mjs; tiles as in src/device/webgpu.

/** Work of a submission, and rows of documents' products at once. */
const SUBMIT_WORK = 4e9;
const ROWS = 16_384;

/** Of a collection: documents, tokens of all of them, d. The rest are the defaults of a fit. */
export function shapeOf({ documents, tokens, dim }, options = {}) {
  return {
    ...{ documents, tokens, dim, latent: 1024, learnRows: 32_768, sample: 16_384, batch: 256 },
    ...{ prefix: 256, rescored: 800, candidates: 200, queryTokens: 32 },
    outputs: Math.min(documents, 512),
    ...options,
  };
}

const share = (length, tile) => length / (tile * Math.ceil(length / tile));

/** A product of rows x columns, sums of so many steps. */
function product(rows, columns, depth, codes = false) {
  const [height, width] = rows <= 16 ? [8, 128] : [64, 64];
  const across = Math.min(rows, 8192);
  const tiles = Math.max(1, Math.floor(SUBMIT_WORK / (2 * across * depth * width)));
  const values = rows * depth + rows * columns + (columns * depth) / (codes ? 4 : 1);
  return {
    work: 2 * rows * columns * depth,
    bytes: 4 * values,
    dispatches: Math.ceil(rows / across) * Math.ceil(columns / (tiles * width)),
    filled: share(rows, height) * share(columns, width),
  };
}

/** Largest products of rows with the tokens of so many documents of `each`. */
function dots(rows, documents, each, dim) {
  const at = Math.min(rows, ROWS);
  const step = Math.max(1, Math.floor(SUBMIT_WORK / (2 * dim * at * each)));
  const passes = Math.ceil(rows / at);
  return {
    work: 2 * dim * rows * each * documents,
    bytes: 4 * (passes * documents * each * dim + rows * documents),
    dispatches: passes * Math.ceil(documents / step),
    filled: share(at, 32) * share(each, 32),
  };
}

const times = ({ work, bytes, dispatches, filled }, n) => ({
  ...{ work: n * work, bytes: n * bytes, dispatches: n * dispatches, filled },
});
const sum = (...parts) => ({
  work: parts.reduce((total, { work }) => total + work, 0),
  bytes: parts.reduce((total, { bytes }) => total + bytes, 0),
  dispatches: parts.reduce((total, { dispatches }) => total + dispatches, 0),
  filled: Math.min(...parts.map(({ filled }) => filled)),
});
const rest = (bytes, dispatches) => ({ work: 0, bytes, dispatches, filled: 1 });

/** Each stage: its name, where it runs, and its counts; a search's are of one query. */
export function stageCounts(shape) {
  const { documents, tokens, dim, latent, learnRows, sample, batch, outputs } = shape;
  const { prefix, rescored, candidates, queryTokens } = shape;
  const each = tokens / documents;
  const parameters = dim * latent + outputs * latent;
  const step = sum(
    product(batch, latent, dim),
    product(batch, outputs, latent),
    product(outputs, latent, batch),
    product(batch, latent, outputs),
    product(latent, dim, batch),
    // rows gathered, LayerNorm there and back, sums, norm, Adam
    rest(4 * (9 * parameters + 8 * batch * (latent + outputs)), 11),
  );
  const gpu = (name, counts) => ({ name, on: 'GPU', ...counts });
  const cpu = (name, work) => ({ name, on: 'CPU', work, bytes: 0, dispatches: 0, filled: 1 });
  return [
    gpu('fit: targets', dots(learnRows, outputs, each, dim)),
    gpu('fit: an epoch of training', times(step, Math.ceil(learnRows / batch))),
    gpu('fit: features of the sample', times(product(4096, latent, dim), sample / 4096)),
    cpu('fit: Gram matrix, float64', sample * latent ** 2),
    cpu('fit: its factor, float64', latent ** 3 / 3),
    gpu('fit: targets of the sample', dots(sample, documents, each, dim)),
    gpu(
      'fit: products of targets and features',
      times(product(Math.min(documents, 2048), latent, sample), Math.ceil(documents / 2048)),
    ),
    cpu('fit: weights, float64', 2 * documents * latent ** 2),
    gpu(
      'fit: prefixes and codes',
      times(product(1024, prefix, latent), Math.ceil(documents / 1024)),
    ),
    gpu('search: features', product(queryTokens, latent, dim)),
    gpu('search: scan of prefixes', product(1, documents, prefix, true)),
    gpu('search: the best of the scan', rest(4 * 6 * documents, 11)),
    gpu('search: full codes', { ...rest(rescored * latent, 1), work: 2 * rescored * latent }),
    gpu('search: rerank', dots(queryTokens, candidates, each, dim)),
    gpu('search: exact, all documents', dots(queryTokens, documents, each, dim)),
  ];
}
