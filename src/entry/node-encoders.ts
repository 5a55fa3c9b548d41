import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { admitEncoder } from '../encoder/admit-encoder.js';
import { looksDefault } from '../encoder/default/node-default-weights.js';
import type { Encoders } from '../encoder/provided-encoders.js';

/** Encoders of Node, Deno and Bun: their code is imported when one is needed. */
export const nodeEncoders: Encoders = {
  async load(model, options) {
    const { loadEncoder } = await import('./node-encoder.js');
    return loadEncoder(model, options);
  },
  knows: ({ origin, folder, ...made }) =>
    origin !== undefined ||
    looksDefault(made) ||
    (folder !== undefined && existsSync(join(folder, 'encoder.json'))),
  async restore(known, options) {
    const { restoreEncoder } = await import('./node-restore-encoder.js');
    return restoreEncoder(known, options);
  },
  admit: admitEncoder,
  async remember({ model, files }) {
    if (!('folder' in model)) return;
    const { keepModelFolder } = await import('../encoder/files/node-model-folders.js');
    await keepModelFolder(files);
  },
};
