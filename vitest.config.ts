import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // half of the time is that of other processes; one core left idle is time lost
    maxWorkers: availableParallelism(),
    // scripts/check.mjs counts by this file
    reporters: ['default', ['json', { outputFile: 'dist/test-report.json' }]],
    projects: [
      { extends: true, test: { name: 'everyday', include: ['test/**/*.test.ts'], exclude: ['test/**/*.long.test.ts'] } },
      // fuzzing, crashes, several processes: `npm run test:long`
      { extends: true, test: { name: 'long', include: ['test/**/*.long.test.ts'] } },
    ],
  },
});
