// What one core does at most in native code, beside which the kernels' rates are put.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compiles native-peak.c and runs it: rows of a unit, the bits of its vectors, billions of
 * operations a second and the instructions; null without a C compiler.
 */
export function nativePeak() {
  const folder = mkdtempSync(join(tmpdir(), 'lemur-peak-'));
  try {
    const source = fileURLToPath(new URL('native-peak.c', import.meta.url));
    const program = join(folder, 'native-peak');
    execFileSync('cc', ['-O3', '-march=native', source, '-o', program], { stdio: 'ignore' });
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    return lines.map((line) => {
      const [, unit, bits, rate, how] = /^(\S+) (\d+) (\S+) (.*)$/.exec(line);
      return { unit, bits: Number(bits), rate: Number(rate), how };
    });
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The largest rate of a unit. */
export function peakOf(peaks, unit) {
  const rates = (peaks ?? []).filter((row) => row.unit === unit).map((row) => row.rate);
  return rates.length > 0 ? Math.max(...rates) : undefined;
}
