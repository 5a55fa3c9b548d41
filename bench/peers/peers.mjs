// What is compared. Kinds: node (this package), python (requirements.txt), reference (python, with
// the Python reference), cargo (next-plaid).
const trained = { features: 'trained', precision: 'int8' };

export const PEERS = [
  { name: 'ours trained', kind: 'node', script: 'ours.mjs', settings: trained },
  ...['int4', 'int2'].map((precision) => ({
    name: `ours trained ${precision}`,
    kind: 'node',
    script: 'ours.mjs',
    settings: { ...trained, precision },
  })),
  {
    name: 'ours random',
    kind: 'node',
    script: 'ours.mjs',
    settings: { ...trained, features: 'random' },
  },
  {
    name: 'ours exact',
    kind: 'node',
    script: 'ours.mjs',
    settings: { ...trained, features: 'exact' },
  },
  { name: 'reference', kind: 'reference', script: 'reference_peer.py', settings: {} },
  {
    name: 'reference at our sizes',
    kind: 'reference',
    script: 'reference_peer.py',
    settings: { ours: true },
  },
  ...[4, 2].map((bits) => ({
    name: `fast-plaid ${bits} bits`,
    kind: 'python',
    script: 'fast_plaid_peer.py',
    settings: { bits },
  })),
  ...[4, 2].map((bits) => ({ name: `next-plaid ${bits} bits`, kind: 'cargo', settings: { bits } })),
  ...[2560, 10_240].map((dim) => ({
    name: `muvera ${dim}`,
    kind: 'python',
    script: 'muvera_peer.py',
    settings: { dim },
  })),
  ...['IVF_PQ', 'IVF_RQ'].map((index) => ({
    name: `lancedb ${index}`,
    kind: 'python',
    script: 'lance_peer.py',
    settings: { index },
  })),
  {
    name: 'exact maxsim-cpu',
    kind: 'python',
    script: 'exact_peer.py',
    settings: { engine: 'maxsim-cpu' },
  },
  {
    name: 'exact reference',
    kind: 'reference',
    script: 'exact_peer.py',
    settings: { engine: 'reference' },
  },
];
