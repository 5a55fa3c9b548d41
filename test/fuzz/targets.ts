import { commandLine } from './command-line.js';
import { folders } from './folders.js';
import { fileTexts } from './formats/file-texts.js';
import { beir, jsonl } from './formats/json-lines.js';
import { npy } from './formats/npy.js';
import { pickled } from './formats/pickle.js';
import { qrels } from './formats/qrels.js';
import { safetensors } from './formats/safetensors.js';
import { shards } from './formats/shards.js';
import { tokenVectors } from './formats/token-vectors.js';
import { torch, torchTensors } from './formats/torch.js';
import { zipped } from './formats/zip.js';
import type { Target } from './harness.js';
import { manifest } from './manifest.js';

/** Everything that reads what comes from outside. */
export const targets: readonly Target[] = [
  npy,
  tokenVectors,
  safetensors,
  zipped,
  torch,
  torchTensors,
  shards,
  pickled,
  jsonl,
  beir,
  qrels,
  fileTexts,
  commandLine,
  folders,
  manifest,
];
