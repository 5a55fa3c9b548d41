// What is packed has its comments in the declarations, and in the sources of the repository: in the
// modules they would be a quarter of all bytes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { minifySync } from 'rolldown/utils';

const READABLE = { compress: false, mangle: false, codegen: { removeWhitespace: false } };

/** Takes the comments out of the modules in dist/; names and lines stay. */
export function stripComments() {
  for (const name of readdirSync('dist', { recursive: true })) {
    // these are minified, and have the licences of what is in them
    if (!name.endsWith('.js') || /(main|node-vendor)\.js$/.test(name)) continue;
    const file = join('dist', name);
    const { code, errors } = minifySync(file, readFileSync(file, 'utf8'), READABLE);
    if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
    writeFileSync(file, code);
  }
}
