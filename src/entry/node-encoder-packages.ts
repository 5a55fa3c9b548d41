import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { workerFile } from './node-spawn-encoder-worker.js';

/**
 * Where an optional package begins, as an address; undefined where it is not installed. Looked for
 * from this file, in a bundled program from it and its folder too.
 */
export function findPackage(name: string): string | undefined {
  const own: string | undefined = import.meta.url;
  for (const from of workerFile()
    ? [own]
    : [own, process.argv[1], join(process.cwd(), 'program.js')]) {
    try {
      if (from) return pathToFileURL(createRequire(from).resolve(name)).href;
    } catch {
      // not from there
    }
  }
  return undefined;
}

export function isInstalled(name: string): boolean {
  return findPackage(name) !== undefined;
}
