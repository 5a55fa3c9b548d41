// A third of what tsc declares is of no entry of the package: it stays out of what is packed.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Removes the declarations in dist/ that no entry reaches, and what tsc remembers of them. */
export function pruneDeclarations() {
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(
      /(?:from |import[ (])["'](\.[^"']+)\.js["']/g,
    );
    for (const [, specifier] of imports) visit(join(dirname(file), `${specifier}.d.ts`));
  };
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const entry of entriesOf(exports)) visit(entry);
  for (const file of readdirSync('dist', { recursive: true }).map((name) => join('dist', name))) {
    const isUnreached = file.endsWith('.d.ts') && !reached.has(file);
    if (isUnreached || file.endsWith('.tsbuildinfo')) rmSync(file);
  }
}

/** Declarations that package.json names, whatever the condition, and those of other platforms. */
function entriesOf(exports) {
  const named = Object.entries(exports).flatMap(([condition, value]) => {
    if (typeof value === 'object') return entriesOf(value);
    const declared = condition === 'types' ? value : value.replace(/\.js$/, '.d.ts');
    return declared.endsWith('.d.ts') ? [join(declared)] : [];
  });
  return [...new Set(named)];
}
