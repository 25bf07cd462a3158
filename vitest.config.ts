import { defineConfig } from 'vitest/config'

// Two suites: what lies beside the code it tests, and what boots a system (test/boot), which needs minutes.
export default defineConfig({
  test: {
    // Most tests wait for processes of their own: a worker per processor, where Vitest leaves one idle.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['vitest.setup.ts'],
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'verify/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'boot',
          setupFiles: ['vitest.setup.ts'],
          include: ['test/boot/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/**/*.test.ts'] },
  },
})
