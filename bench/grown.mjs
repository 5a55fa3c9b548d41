// Whether an index that was begun with two sentences ranks as one that was made at once, by `lemur
// add` and `lemur eval`:
//   node bench/grown.mjs [BEIR] [--model FOLDER] [--features exact]
// nDCG@10 of both on BEIR's queries (default: SciFact), by exact MaxSim. Ends with 1 where they
// differ by more than .005.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine } from './vectors.mjs';

const MOST_APART = 0.005;
const SENTENCES = ['The cat sat on the mat.', 'Dogs bark loudly at night.'];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string' }, features: { type: 'string', default: 'exact' } },
});
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const [corpus = path('data/scifact')] = positionals;
const made = ['--features', values.features, ...(values.model ? ['--model', values.model] : [])];
const folder = mkdtempSync(join(tmpdir(), 'lemur-grown-'));
try {
  console.log(machine);
  lemur(
    ['add', join(folder, 'grown'), '-', ...made],
    SENTENCES.map((text, i) => JSON.stringify({ id: `sentence ${i}`, text })).join('\n'),
  );
  const found = ['at once', 'grown'].map((name) => {
    lemur(['add', join(folder, name), corpus, ...(name === 'grown' ? [] : made)]);
    const { rows } = JSON.parse(
      lemur(['eval', join(folder, name), '--queries', corpus, '--candidates', '200', '--json']),
    );
    console.log(
      `nDCG@10 ${rows.map(({ method, ndcg }) => `${ndcg.toFixed(4)} ${method}`).join(', ')}: ` +
        `${name}`,
    );
    return rows[0].ndcg;
  });
  const apart = Math.abs(found[0] - found[1]);
  console.log(`apart by ${apart.toFixed(4)}, at most ${MOST_APART} is right`);
  process.exitCode = apart > MOST_APART ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}

function lemur(args, input = '') {
  return execFileSync(process.execPath, [path('dist/cli/main.js'), ...args], {
    input,
    stdio: ['pipe', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
}
