import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Fuzzing, crashes, several processes: `npm run test:long`. */
const LONG = 'test/**/*.long.test.ts';
/** Tests that take files of dist/ or start processes; test/structure.test.ts holds the names. */
const BUILT = 'test/**/*.built.test.ts';
/** Tests of what a module remembers once and for all, and of entries for other platforms. */
const ALONE = ['test/kernels/init.built.test.ts', 'test/entry/public-api.built.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // half of the time is that of other processes; one core left idle is time lost
    maxWorkers: availableParallelism(),
    // what is built runs as it is: nothing of it is transformed once more
    server: { deps: { external: [/\/dist\//] } },
    // scripts/check.mjs counts by this file
    reporters: ['default', ['json', { outputFile: 'dist/test-report.json' }]],
    projects: [
      // files of one process share their imports, which takes a quarter of the time off
      {
        extends: true,
        test: {
          name: 'unit',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [BUILT, LONG],
        },
      },
      {
        extends: true,
        test: { name: 'built', isolate: false, include: [BUILT], exclude: ALONE },
      },
      { extends: true, test: { name: 'built-alone', include: ALONE } },
      { extends: true, test: { name: 'long', include: [LONG] } },
    ],
  },
});
