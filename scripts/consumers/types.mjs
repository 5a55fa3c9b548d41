// The declarations, read by the oldest TypeScript that is supported and by ours.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, folder, install, root, run, skip } from './report.mjs';
import { CONSUMER } from './sources.mjs';

const OLDEST_TYPESCRIPT = 'typescript@5.4.5';
const NODE_TYPES = '@types/node@20.19.43';

export function checkTypes(tarball) {
  const home = folder('types', { 'consumer.ts': CONSUMER });
  const { ok, output } = install(home, tarball, OLDEST_TYPESCRIPT, NODE_TYPES);
  if (!ok)
    return skip('typings', `${OLDEST_TYPESCRIPT} and ${NODE_TYPES} cannot be installed: ${output}`);
  const compilers = [
    join(home, 'node_modules/typescript/bin/tsc'),
    join(root, 'node_modules/typescript/bin/tsc'),
  ];
  for (const compiler of compilers) {
    const version = run(process.execPath, [compiler, '--version'], home).stdout.replace(
      'Version',
      'TypeScript',
    );
    for (const resolution of ['nodenext', 'bundler']) {
      for (const [setting, lib, types] of [
        ['browser types', ['ES2022', 'DOM'], []],
        ['browser and Node types', ['ES2022', 'DOM'], ['node']],
        ['Node types', ['ES2022'], ['node']],
      ]) {
        const compilerOptions = {
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
          target: 'es2022',
          lib,
          module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
          moduleResolution: resolution,
          types,
        };
        writeFileSync(
          join(home, 'tsconfig.json'),
          JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
        );
        const compiled = run(process.execPath, [compiler, '-p', '.'], home);
        check(`${version}, ${resolution}, ${setting}`, !compiled.ok && compiled.output);
      }
    }
  }
}
