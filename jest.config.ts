import type { Config } from 'jest';

const config: Config = {
  // What takes long, because of real processes, floods or waiting, has a command of its own: `npm run test:long`.
  testMatch: ['<rootDir>/{src,test,examples,scripts,bench}/**/*.spec.ts', '<rootDir>/test/**/*.e2e-spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        module: { type: 'nodenext' },
        sourceMaps: 'inline',
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
      },
    ],
  },
  testEnvironment: '<rootDir>/test/support/environment.ts',
  runtime: '<rootDir>/test/support/runtime.ts',
  testTimeout: 20_000,
  // More than there are cores: much of what is tested is waiting.
  maxWorkers: 3,
  // What a suite has loaded stays in its worker: above this, looking for garbage takes longer than a new worker.
  workerIdleMemoryLimit: '1200MB',
  // `npm test` starts Node with `--external-memory-accounted-in-global-limit`: buffers, of which code that was compiled once makes
  // many, would else have V8 look for garbage in all of the heap each time there are 64 MB more of them, a fifth of all CPU.
};

export default config;
