// All benchmarks in one run: the kernels, then fit and search by stage on folders of token vectors
// (see vectors.mjs):
//   npm run bench [-- --json FILE] [VECTORS ...]
//   npm run demo -- --full && npm run bench -- --json bench.json .lemur-demo/scifact-5183
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' } },
});
const folder = mkdtempSync(join(tmpdir(), 'lemur-bench-'));
try {
  const report = {
    ...run('kernels.mjs'),
    collections: positionals.map((vectors) => run('recall.mjs', vectors)),
  };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Runs a benchmark in a process of its own and returns its report. */
function run(name, ...args) {
  const json = join(folder, 'report.json');
  const script = fileURLToPath(new URL(name, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...args, '--json', json], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(readFileSync(json, 'utf8'));
}
