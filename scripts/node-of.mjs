import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KEPT = fileURLToPath(new URL('../node_modules/.cache/nodes', import.meta.url));

/**
 * The path of Node's newest version of a major one, got from npm. The package `node` would have a
 * script of its own do that, which the repository's .npmrc forbids: whoever asks for it there runs
 * his own Node without a word.
 */
export function nodeOf(major) {
  const isWindows = process.platform === 'win32';
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const folder = join(KEPT, String(major));
  const path = join(folder, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
  if (!existsSync(path)) {
    const args = ['install', '--prefix', folder, '--no-save', '--silent', `${name}@${major}`];
    execFileSync('npm', args, { stdio: 'inherit', shell: isWindows });
  }
  const version = execFileSync(path, ['--version']).toString().trim();
  if (!version.startsWith(`v${major}.`))
    throw new Error(`${path} is Node ${version}, expected ${major}`);
  return path;
}
