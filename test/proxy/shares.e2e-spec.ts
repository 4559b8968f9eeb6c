import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { told } from '../support/faults-at-once.ts';
import { fixed, TeamFiles } from '../support/team-files.ts';

const TARGETS = 'targets: [http://127.0.0.1:1]';
const GRPC = 'protocol: grpc, descriptorSet: config/descriptors/shop.binpb, targets: [grpc://127.0.0.1:1]';

/** A route that leads to `a`, and with a share of its requests to `b`. */
const shared = (by: 'split' | 'canary', a: string, b: string, more = ''): string => `version: 1
defaults: { policies: { authentication: public } }
upstreams: { a: { ${a} }, b: { ${b} } }
routes:
  - id: r
    match: { path: /r }
    upstream: a
    ${by === 'split' ? 'split: { others: [{ refuse: true }, { upstream: b }] }' : 'canary: { upstream: b, weight: 5% }'}
    ${more}
`;

describe.each([
  ['split', 'routes[r].split.others["1"].upstream'],
  ['canary', 'routes[r].canary.upstream'],
] as const)('what is wrong with the other upstream of a route with %s', (by, key) => {
  it.each([
    ['speaks another protocol', TARGETS, GRPC, '', 'speaks gRPC'],
    ['has no targets of the labels', 'targets: [{ url: http://127.0.0.1:1, labels: { z: a } }]', TARGETS, 'subset: { z: a }', 'has these labels'],
    ['takes shorter than hedging waits', TARGETS, `${TARGETS}, timeouts: { firstByte: 1s }`, 'hedge: { delay: 2s }', '`hedge.delay` of the route'],
    ['wants a policy that the route has not', TARGETS, `${TARGETS}, policies: { authorization: { anyRole: [admin] } }`, '', 'says `authorization`'],
    ['wants another one', `${TARGETS}, policies: { deadline: 1s }`, `${TARGETS}, policies: { deadline: 2s }`, '', 'says `deadline`'],
  ])('is told: it %s', async (_, a, b, more, text) => {
    const lines = await told(shared(by, a, b, more));
    expect(lines).toEqual([expect.stringContaining(text)]);
    expect(lines[0]).toContain(`  ${key}  `);
  }); // prettier-ignore

  it.each([
    ['both say the same', `${TARGETS}, policies: { deadline: 1s }`, `${TARGETS}, policies: { deadline: 1s }`, ''],
    ['the route says it', TARGETS, `${TARGETS}, policies: { deadline: 2s }`, 'policies: { deadline: 3s }'],
    ['the hedge fits both', TARGETS, TARGETS, 'hedge: { delay: 10ms }'],
  ])('is nothing where %s', async (_, a, b, more) => {
    expect(await told(shared(by, a, b, more))).toEqual([]);
  }); // prettier-ignore
});

describe('what an upstream asks for that gets copies of requests', () => {
  const ASKING = `${TARGETS}, policies: { authorization: { anyRole: [admin] } }`;
  const FENCED = `${TARGETS}, policies: { ipAccess: { allow: [10.0.0.0/8] } }`;
  const mirrored = (b: string, more = '', a = TARGETS): string => `version: 1
defaults: { policies: { authentication: public } }
upstreams: { a: { ${a} }, b: { ${b} }, c: { ${TARGETS} } }
routes:
  - { id: r, match: { path: /r }, upstream: a, mirror: { upstream: b }${more} }
`;

  it.each([
    ['the route is without it', mirrored(ASKING), 'authorization'],
    ['the route takes WebSockets', mirrored(ASKING, ', webSocket: {}'), 'authorization'],
    ['the route is shared', mirrored(ASKING, ', split: { others: [{ upstream: c }] }'), 'authorization'],
    ['addresses are another matter', mirrored(FENCED), 'ipAccess'],
  ])('is told: %s', async (_, text, policy) => {
    const lines = await told(text);
    expect(lines).toEqual([expect.stringContaining(`says \`${policy}\` for whoever comes to it`)]);
    expect(lines[0]).toContain('  routes[r].mirror.upstream  ');
  }); // prettier-ignore

  it.each([
    ['the route says something', mirrored(ASKING, ', policies: { authorization: off }')],
    ['its upstream says the same', mirrored(FENCED, '', FENCED)],
    ['it keeps nobody out', mirrored(`${TARGETS}, policies: { authentication: public, ipAccess: off, deadline: 1s }`)],
  ])('is nothing where %s', async (_, text) => {
    expect(await told(text)).toEqual([]);
  }); // prettier-ignore
});

describe('what is wrong with the other upstream of calls that are passed on', () => {
  const passed = (b: string, more = ''): string => `version: 1
defaults: { policies: { authentication: public } }
upstreams: { a: { ${GRPC} }, b: { ${b} } }
routes:
  - { id: r, match: { path: /r/* }, upstream: a, passGrpc: { split: { others: [{ upstream: b }] } }${more} }
`;
  const wanting = `${GRPC}, policies: { authorization: { anyRole: [admin] } }`;

  it.each([
    ['wants a policy that the route has not', wanting, 'says `authorization`'],
    ['speaks another protocol', TARGETS, 'does not speak gRPC'],
  ])('is told: it %s', async (_, b, text) => {
    const lines = await told(passed(b));
    expect(lines).toEqual([expect.stringContaining(text)]);
    expect(lines[0]).toContain('  routes[r].passGrpc.split.others["0"].upstream  ');
  });

  it('is nothing where the route says what it wants', async () => {
    const other = `${GRPC}, policies: { deadline: 2s }`;
    expect(await told(passed(other, ', policies: { deadline: 3s }'))).toEqual([]);
    expect(await told(passed(GRPC))).toEqual([]);
  });
});

describe('a share that does not go with its route', () => {
  let files: TeamFiles;
  beforeEach(() => {
    files = new TeamFiles();
  });
  afterEach(() => files.remove());

  it('is refused by a reload and by an order to reload; what is in force stays', async () => {
    files.write('gateway.yaml', { version: 1, defaults: { policies: { authentication: 'public' } }, routes: [fixed('home', '/home')] });
    const running = await files.start();
    try {
      files.write('gateway.yaml', shared('split', TARGETS, GRPC));
      const { outcome, faults } = await running.gateway.reload('test');
      expect([outcome, faults.map(({ message }) => message)]).toEqual(['faulty', [expect.stringContaining('speaks gRPC')]]);
      const ordered = await call(`${running.gateway.adminUrl}/config/reload`, { method: 'POST', headers: { 'x-gatehouse-admin': '1' } });
      expect([ordered.status, ordered.text]).toEqual([expect.any(Number), expect.stringContaining('speaks gRPC')]);
      expect(ordered.status).toBeGreaterThanOrEqual(400);
      expect(await running.text('/home')).toBe('home');
    } finally {
      await running.gateway.close();
    }
  }); // prettier-ignore
});
