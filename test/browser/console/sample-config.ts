/** Configurations as the listener tells of them. */
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

export const SAMPLE_FAULTS = [
  {
    file: 'gateway.yaml',
    line: 20,
    column: 56,
    routeId: 'product',
    key: 'routes[product].policies.rateLimit.burts',
    message: 'unknown key',
    suggestion: 'burst',
  },
];

export const SAMPLE_HISTORY = [
  {
    generation: 5,
    sha: '9e107d9d372bb682',
    at: minutesAgo(2),
    by: 'file',
    cause: 'file',
    outcome: 'refused',
    faults: SAMPLE_FAULTS,
  },
  {
    generation: 4,
    sha: '4c9184f37cff01bc',
    at: minutesAgo(14),
    by: 'ann',
    cause: 'order',
    outcome: 'in-force',
    summary: { added: 1, removed: 0, changed: 2 },
  },
  {
    generation: 3,
    sha: 'd41d8cd98f00b204',
    at: minutesAgo(190),
    by: null,
    cause: 'signal',
    outcome: 'replaced',
    summary: { added: 0, removed: 3, changed: 1 },
  },
  {
    generation: 2,
    sha: '0cc175b9c0f1b6a8',
    at: minutesAgo(600),
    by: null,
    cause: 'file',
    outcome: 'replaced',
    summary: { added: 12, removed: 0, changed: 0 },
  },
  {
    generation: 1,
    sha: '900150983cd24fb0',
    at: minutesAgo(1440),
    by: null,
    cause: 'start',
    outcome: 'replaced',
    summary: { added: 0, removed: 0, changed: 0 },
  },
];

export const SAMPLE_DIFF = {
  changes: [
    { kind: 'added', what: 'route', id: 'search-v3', lines: ['+ GET /api/v3/search/* to search'] },
    {
      kind: 'changed',
      what: 'route',
      id: 'users',
      lines: ['- rateLimit: principal 50/1s burst 50', '+ rateLimit: principal 5/1s burst 5'],
    },
    {
      kind: 'changed',
      what: 'upstream',
      id: 'payments',
      lines: ['- retry.attempts: 2', '+ retry.attempts: 3'],
    },
  ],
  text: '--- generation 3\n+++ generation 4\n@@ -40,5 +40,5 @@\n   - id: users\n     policies:\n-      rateLimit: { key: principal, rate: 50, per: 1s }\n+      rateLimit: { key: principal, rate: 5, per: 1s }\n     upstream: users\n',
};

export const SAMPLE_ROLLOUTS = [
  {
    route: 'users',
    id: 'users',
    status: 'running',
    step: 2,
    steps: ['5 %', '25 %', '50 %', '100 %'],
    weight: '25 %',
    reason: 'step 1 was well',
    canary: { attempts: 1204, failures: 3 },
    stable: { attempts: 3710, failures: 11 },
    changes: [
      {
        at: minutesAgo(12),
        from: 'running',
        to: 'running',
        step: 1,
        weight: 0.25,
        reason: 'step 1 was well',
        by: 'gateway',
      },
      {
        at: minutesAgo(31),
        from: 'running',
        to: 'running',
        step: 0,
        weight: 0.05,
        reason: 'begun',
        by: 'operator',
      },
    ],
  },
];

export const SAMPLE_CHANGES = [
  { at: minutesAgo(2), kind: 'reload', text: 'A reload was refused: 1 fault' },
  {
    at: minutesAgo(6),
    kind: 'breaker',
    text: 'The breaker of 10.0.5.11:8080 closed: the trial was well',
    upstream: 'payments',
    target: '10.0.5.11:8080',
  },
  { at: minutesAgo(9), kind: 'order', text: 'ann has the log at debug for 10 min' },
  { at: minutesAgo(14), kind: 'reload', text: 'Generation 4 is in force: 1 added, 2 changed' },
  { at: minutesAgo(41), kind: 'canary', text: 'The canary of users is at 25 %', route: 'users' },
  { at: minutesAgo(1440), kind: 'start', text: 'The gateway has started' },
];
