import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchResult } from '../../src/bench/bench-result.ts';
import { ensureBuilt, runBin } from '../support/child.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let folder: string;
let config: string;
let upstream: TestUpstream;
const SHORT = ['--rounds', '2', '--round-time', '150ms', '--connections', '4'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  config = join(folder, 'gateway.yaml');
  upstream = await startUpstream();
  writeFileSync(
    config,
    `version: 1
identity: { apiKeys: [{ sha256: '${'0'.repeat(64)}', clientId: shop }] }
floodLimit: { key: ip, rate: 1, per: 1h }
upstreams: { it: { targets: ['${upstream.url}'] }, rpc: { protocol: grpc, targets: ['grpc://127.0.0.1:9'] } }
routes:
  - { id: feed, match: { path: '/feed/{id}' }, upstream: it, rewrite: { stripPrefix: /feed }, policies: { authentication: public, rateLimit: { key: ip, rate: 1, per: 1h }, deadline: 5s, transform: { request: { setHeaders: { x-a: b } } } } }
  - { id: closed, match: { methods: [POST], path: /closed }, upstream: it, policies: { authentication: { schemes: [apiKey] } } }
`,
  );
  await ensureBuilt();
}, 60_000);

afterAll(async () => {
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

describe('gatehouse bench', () => {
  it('measures a route and a bare pipe in turn, and each of its policies, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await runBin(['bench', 'feed', '--config', config, '--json', ...SHORT]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const said = JSON.parse(stdout) as BenchResult;
    expect(said).toMatchObject({ route: 'feed', request: 'GET /feed/1', upstream: 'it (stood in for)', rounds: 2, kept: [] });
    for (const one of [said.gateway, said.pipe])
      for (const key of ['cpuUs', 'rps', 'p50', 'p99'] as const) expect(one[key]).toBeGreaterThan(0);
    expect(said.ratio.low).toBeLessThanOrEqual(said.ratio.median);
    expect(said.ratio.high).toBeGreaterThanOrEqual(said.ratio.median);
    const left = said.policies.map(({ without }) => without.join());
    expect(left.toSorted()).toEqual(['deadline', 'rateLimit', 'transform']);
    // What is stood in for is not asked.
    expect(upstream.requests).toHaveLength(0);
    expect(readdirSync(folder)).toEqual(['gateway.yaml']);
  }, 120_000); // prettier-ignore

  it('asks the upstream itself when it is told to, and says all in one screen', async () => {
    const { code, stdout } = await runBin(['bench', 'feed', '--real', '--config', config, ...SHORT]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^feed {2}GET \/feed\/1 → it\n2 rounds of 0\.15 s/);
    expect(stdout).toMatch(/\nbare pipe +[\d.]+ µs .*\ngateway +[\d.]+ µs .*\n\nratio [\d.]+ \([\d.]+–[\d.]+\)/);
    expect(stdout).toMatch(/\n {2}without rateLimit: [−+][\d.]+ µs/);
    expect(stdout.split('\n').length).toBeLessThan(24);
    expect(new Set(upstream.requests.map(({ url }) => url))).toEqual(new Set(['/1']));
  }, 120_000); // prettier-ignore

  it('says what is wrong: the nearest route, who takes the request, what comes in place of success', async () => {
    const near = await runBin(['bench', 'fed', '--config', config]);
    expect(near).toMatchObject({ code: 2, stdout: '' });
    expect(near.stderr).toContain('there is no route "fed"; did you mean "feed"?');
    const other = await runBin(['bench', 'closed', '--path', '/feed/2', '--config', config]);
    expect(other.stderr).toContain('POST /feed/2 is taken by route feed, not by closed');
    const refused = await runBin(['bench', 'closed', '--config', config, ...SHORT]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/POST \/closed of route closed is not answered with 2xx by the gateway: \d+ × 401; a credential is given with --header/);
    expect(refused.stderr).toContain('"code":"credentials-missing"');
    expect(readdirSync(folder)).toEqual(['gateway.yaml']);
  }, 120_000); // prettier-ignore

  it('starts the gateway with the flags of its bin', async () => {
    const { START_FLAGS } = await import('../../src/bench/children.ts');
    const [line] = readFileSync('bin/gatehouse.js', 'utf8').split('\n');
    expect(line?.split(' ').filter((word) => word.startsWith('--'))).toEqual([...START_FLAGS]);
  });
});
