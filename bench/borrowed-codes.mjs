// For bench/scale.mjs: gives a collection the model of another one, and its codes by turns.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCodes, joinCodes } from '../dist/collection/files/codes-file.js';
import { decodeManifest, encodeManifest } from '../dist/collection/files/manifest-file.js';
import { readSafetensors, toTypedArray } from '../dist/formats/safetensors/safetensors.js';

/**
 * Document n of the collection in `folder`, which nobody has open and which has no model, gets the
 * codes of document n modulo `lender`'s.
 */
export async function borrowCodes(folder, lender) {
  const from = manifestOf(lender);
  const into = manifestOf(folder);
  const codes = joinCodes(from.segments.map(({ codes: { name } }) => codesIn(join(lender, name))));
  const model = { ...from.model.file, name: `model.${into.next}.safetensors` };
  writeFileSync(join(folder, model.name), readFileSync(join(lender, from.model.file.name)));
  let next = into.next + 1;
  let first = 0;
  const segments = [];
  for (const segment of into.segments) {
    const { documents } = segment;
    const name = `codes.${next++}.safetensors`;
    const { entry, bytes } = await encodeCodes(name, rowsByTurns(codes, first, documents));
    writeFileSync(join(folder, name), bytes);
    segments.push({ ...segment, codes: entry, fitted: documents });
    first += documents;
  }
  const fitted = { ...from.model, file: model, documents: first };
  const manifest = { ...into, next, generation: into.generation + 1, model: fitted, segments };
  writeFileSync(join(folder, 'index.json'), encodeManifest(manifest));
}

function manifestOf(folder) {
  return decodeManifest(readFileSync(join(folder, 'index.json')), folder);
}

function codesIn(file) {
  const { tensors } = readSafetensors(readFileSync(file));
  const values = (name) => toTypedArray(tensors.get(name), file);
  const [prefix, full, scales] = ['prefix', 'codes', 'factors'].map(values);
  return { prefix, full, scales, lengths: null };
}

function rowsByTurns({ prefix, full, scales }, first, documents) {
  const rows = scales.length;
  const turns = (values) => {
    const width = values.length / rows;
    const out = new values.constructor(documents * width);
    for (let i = 0; i < documents; i++) {
      const row = (first + i) % rows;
      out.set(values.subarray(row * width, (row + 1) * width), i * width);
    }
    return out;
  };
  return { prefix: turns(prefix), full: turns(full), scales: turns(scales), lengths: null };
}
