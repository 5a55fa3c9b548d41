import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** By a variable, so that no bundler takes the file along without what it imports. */
const WORKER = './node-encoder-worker.js';

/** The address of the encoder's worker beside this file; undefined in a program that was bundled without it. */
export function workerFile(): URL | undefined {
  try {
    const url = new URL(WORKER, import.meta.url);
    return existsSync(url) ? url : undefined;
  } catch {
    // bundles of CommonJS have no address of their own
    return undefined;
  }
}

/** Where an optional package begins, as an address; undefined where it is not installed. Looked for from this file, in a bundled program from it and its folder too. */
export function findPackage(name: string): string | undefined {
  const own: string | undefined = import.meta.url;
  for (const from of workerFile() ? [own] : [own, process.argv[1], join(process.cwd(), 'program.js')]) {
    try {
      if (from) return pathToFileURL(createRequire(from).resolve(name)).href;
    } catch {
      // not from there
    }
  }
  return undefined;
}
