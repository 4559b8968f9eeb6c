import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Results } from '../../src/simulate/results.ts';
import { certificate } from '../support/certificates.ts';
import { ensureBuilt, runBin, type BinResult } from '../support/child.ts';

// Nobody is there: whatever a simulation did not play itself would fail.
const CONFIG = `version: 1
listeners: [{ port: 1, tls: { certificates: [{ cert: nowhere.pem, key: nowhere.key }], clientCertificates: { ca: nowhere.pem, mode: optional } } }]
trustedProxies: [10.0.0.0/8]
identity:
  issuers:
    - { issuer: 'https://id.invalid/', jwks: 'https://id.invalid/keys', audiences: [api], claims: { roles: realm.roles } }
    - { issuer: 'https://old.invalid/', secretEnv: NOT_SET_ANYWHERE, audiences: [api], idPrefix: 'old:' }
  introspection: { url: 'https://as.invalid/introspect', clientId: gate, clientSecretEnv: NOT_SET_EITHER }
  revocation: {}
  clientCertificates: { rules: [{ match: { dns: orders.test }, id: orders, roles: [service] }] }
  login: { issuer: 'https://login.invalid/', clientId: web, clientSecretEnv: LOGIN_SECRET, publicOrigin: 'https://app.test', session: { keysEnv: SESSION_KEYS } }
  apiKeys: [{ sha256: '${'0'.repeat(64)}', clientId: shop, roles: [buyer] }]
defaults: { policies: { authentication: { schemes: [jwt, introspection, apiKey, mtls, session] }, deadline: 5s } }
upstreams:
  it:
    targets: ['https://it.invalid', { url: 'https://canary.invalid', labels: { track: canary } }]
    retry: { attempts: 1 }
    circuitBreaker: { consecutiveFailures: 2, openFor: 10s }
    timeouts: { firstByte: 2s }
  found: { discovery: { dns: { name: found.invalid, port: 80 } } }
routes:
  - { id: who, match: { path: '/who/*' }, upstream: it, rewrite: { stripPrefix: /who } }
  - { id: admins, match: { path: /admins }, upstream: it, policies: { authorization: { anyRole: [admin] } } }
  - { id: found, match: { path: /found }, upstream: found, policies: { authentication: public } }
  - { id: open, match: { path: /open }, upstream: it, policies: { authentication: public } }
  - { id: near, match: { path: /near }, upstream: it, policies: { authentication: public, ipAccess: { allow: [10.1.0.0/16] } } }
  - { id: split, match: { path: /split }, upstream: it, policies: { authentication: public }, canary: { to: { track: canary }, weight: 0%, when: "'x-new' in request.headers" } }
  - { id: alone, match: { path: /alone }, respond: { status: 204 }, policies: { authentication: public } }
`;

let folder: string;
let config: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-simulate-'));
  config = join(folder, 'gateway.yaml');
  writeFileSync(config, CONFIG);
  writeFileSync(
    join(folder, 'orders.pem'),
    certificate({ name: 'orders', alternative: [['dns', 'orders.test']] }).cert,
  );
  await ensureBuilt();
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

async function simulate(tests: string, ...args: string[]): Promise<BinResult> {
  const file = join(folder, 'tests.yaml');
  writeFileSync(file, `version: 1\n${tests}`);
  return runBin(['simulate', file, '--config', config, ...args]);
}

async function results(tests: string): Promise<{ readonly code: number | null; readonly said: Results }> {
  const { code, stdout, stderr } = await simulate(tests, '--json');
  if (stdout === '') throw new Error(stderr);
  return { code, said: JSON.parse(stdout) as Results };
}

/** Runs tests that all have to pass; what does not is in the message. */
async function allPass(tests: string): Promise<void> {
  const { code, said } = await results(tests);
  expect(said.tests.filter(({ passed }) => !passed)).toEqual([]);
  expect(code).toBe(0);
}

describe('gatehouse simulate', () => {
  it('has callers prove who they are by every scheme, as the gateway checks it', async () => {
    await allPass(`principals:
  ann: { claims: { sub: ann, realm: { roles: [admin] } } }
  old: { claims: { iss: 'https://old.invalid/', sub: bob } }
  other: { claims: { iss: 'https://evil.invalid/', sub: eve } }
  late: { claims: { sub: ann, exp: 5 } }
  elsewhere: { claims: { sub: ann, aud: web } }
  opaque: { introspected: { sub: cid, roles: [reader] } }
  shop: { apiKey: shop }
  temp: { apiKey: { clientId: temp, roles: [guest], tenant: acme } }
  dora: { session: { sub: dora, roles: [user] } }
  orders: { certificate: '${join(folder, 'orders.pem')}' }
tests:
  - { name: jwt, as: ann, request: GET /who/a, expect: { status: 200, received: { it: { path: /a, headers: { x-user-id: ann, x-user-roles: admin } } } } }
  - { name: shared secret, as: old, request: GET /who/a, expect: { status: 200, received: { it: { headers: { x-user-id: 'old:bob' } } } } }
  - { name: another issuer, as: other, request: GET /who/a, expect: { status: 401, problem: credentials-invalid, deniedBy: authentication } }
  - { name: too late, as: late, request: GET /who/a, expect: { status: 401, problem: credentials-expired } }
  - { name: for another audience, as: elsewhere, request: GET /who/a, expect: { status: 401 } }
  - { name: forged, request: { path: /who/a, headers: { authorization: Bearer aaaa.bbbb.cccc } }, expect: { status: 401, upstream: none } }
  - { name: introspection, as: opaque, request: GET /who/a, expect: { status: 200, received: { it: { headers: { x-user-id: cid, x-user-roles: reader } } } } }
  - { name: key of the file, as: shop, request: GET /who/a, expect: { status: 200, received: { it: { headers: { x-client-id: shop, x-user-roles: buyer } } } } }
  - { name: key of Redis, as: temp, request: GET /who/a, expect: { status: 200, received: { it: { headers: { x-client-id: temp, x-tenant-id: acme } } } } }
  - { name: session, as: dora, request: GET /who/a, expect: { status: 200, received: { it: { headers: { x-user-id: dora } } } } }
  - { name: certificate, at: '${new Date().toISOString()}', as: orders, request: GET /who/a, expect: { status: 200, received: { it: { headers: { x-client-id: orders, x-forwarded-proto: https } } } } }
  - { name: role, as: shop, request: GET /admins, expect: { status: 403, deniedBy: authorization, rule: anyRole(admin), received: { it: none } } }
`);
  }, 120_000);

  it('lets time pass: tokens age, breakers open and close, revocations hold', async () => {
    await allPass(`principals: { ann: { claims: { sub: ann, jti: t-1 } } }
tests:
  - name: a token ages
    as: ann
    steps:
      - { request: GET /who/a, expect: { status: 200 } }
      - { advance: 59m }
      - { request: GET /who/a, expect: { status: 200 } }
      - { advance: 2m }
      - { request: GET /who/a, expect: { status: 401 } }
  - name: a token is taken back
    as: ann
    steps:
      - { request: GET /who/a, expect: { status: 200 } }
      - { revoke: { jti: t-1 } }
      - { request: GET /who/a, expect: { status: 401, problem: credentials-revoked } }
  - name: what one test takes back another does not feel
    as: ann
    request: GET /who/a
    expect: { status: 200 }
  - name: a breaker opens for ten seconds
    upstreams: { it: { fault: reset } }
    steps:
      - { request: GET /open, times: 4, expect: { status: 502 } }
      - { request: GET /open, expect: { status: 503, received: { it: none } } }
      - { advance: 11s }
      - { request: GET /open, upstreams: { it: { body: well } }, expect: { status: 200, body: well } }
`);
  }, 120_000);

  it('plays what goes wrong with upstreams, and no real time passes', async () => {
    await allPass(`tests:
  - { name: refuse, request: GET /open, upstreams: { it: { fault: refuse } }, expect: { status: 502, problem: upstream-unreachable } }
  - { name: hang, request: GET /open, upstreams: { it: { fault: hang } }, expect: { status: 504 } }
  - { name: slow, request: GET /open, upstreams: { it: { delay: 3s } }, expect: { status: 504 } }
  - { name: just in time, request: GET /open, upstreams: { it: { delay: 1500ms, body: { a: 1 } } }, expect: { status: 200, body: { a: 1 } } }
  - { name: garbage, request: GET /open, upstreams: { it: { fault: garbage } }, expect: { status: 502 } }
  - { name: discovered, request: GET /found, upstreams: { found: { body: yes it is } }, expect: { status: 200, body: yes it is, received: { found: { times: 1 } } } }
  - { name: gives its own errors, request: GET /open, upstreams: { it: { status: 418, headers: { x-pot: tea }, body: short } }, expect: { status: 418, problem: none, headers: { X-Pot: tea, x-none: null } } }
`);
  }, 120_000);

  it('sends requests from any address, over a proxy too, and tells which target was asked', async () => {
    await allPass(`tests:
  - { name: near, request: { path: /near, from: 10.1.2.3 }, expect: { status: 200, received: { it: { headers: { host: { matches: 'invalid$' }, x-forwarded-for: 10.1.2.3 } } } } }
  - { name: far, request: { path: /near, from: 192.0.2.1 }, expect: { status: 403, deniedBy: ipAccess } }
  - { name: behind a proxy, request: { path: /near, from: 10.9.9.9, headers: { x-forwarded-for: 192.0.2.1 } }, expect: { status: 403 } }
  - { name: behind nobody, request: { path: /near, from: 192.0.2.1, headers: { x-forwarded-for: 10.1.2.3 } }, expect: { status: 403 } }
  - { name: new, request: { path: /split, headers: { x-new: '1' } }, expect: { received: { it: { target: 'https://canary.invalid' } } } }
  - { name: old, request: GET /split, expect: { received: { it: { target: 'https://it.invalid' } } } }
`);
  }, 120_000);

  it('says what was expected, what came, where, by which rule, and which routes nobody has tested', async () => {
    const tests = `principals: { ann: { claims: { sub: ann } } }
tests:
  - name: ann is no administrator
    as: ann
    request: GET /admins
    expect:
      status: 200
      received: { it: { headers: { x-user-id: ann } } }
  - { name: alone, request: GET /alone, expect: { status: 204, upstream: none } }
`;
    const junit = join(folder, 'junit.xml');
    const { code, stdout } = await simulate(tests, '--junit', junit);
    const file = join(folder, 'tests.yaml');
    expect(code).toBe(1);
    expect(stdout).toContain(`✗ ann is no administrator  ${file}:4
    expect.status  ${file}:8:7
      expected  200
      received  403
      by        permission-denied by authorization, route admins  ${config}:23:71
    expect.received.it  ${file}:9:19
      expected  a request
      received  none`);
    expect(stdout).toContain('✓ alone\n\n2 tests, 1 passed, 1 failed\n2 of 7 routes were asked\n');
    expect(stdout).toContain(`  found  ${config}:24:5\n`);
    expect(stdout).toContain(
      'made up, because the environment has none: NOT_SET_ANYWHERE, NOT_SET_EITHER, LOGIN_SECRET, SESSION_KEYS',
    );
    const xml = readFileSync(junit, 'utf8');
    expect(xml).toMatch(/<testsuite name="[^"]+" tests="2" failures="1" errors="0" time="[\d.]+">/);
    expect(xml).toMatch(
      /<testcase name="ann is no administrator" .* line="4" .*>\n {6}<failure message="expect.status: expected 200, received 403">/,
    );
    expect((await simulate(tests.replace('status: 200', 'status: 403').replace(/ +received.*\n/, ''))).code).toBe(0); // prettier-ignore
    expect((await simulate("tests: [{ name: a, request: GET /alone, expect: { status: 204 } }]\n", '--fail-on-untested')).code).toBe(1); // prettier-ignore
  }, 120_000);

  it('runs the tests of the sample configuration', async () => {
    const { code, stdout, stderr } = await runBin([
      'simulate',
      'examples/route-tests.yaml',
      '--config',
      'config/gateway.yaml',
    ]);
    expect({ code, stderr, failed: stdout.split('\n').filter((line) => line.startsWith('✗')) }).toEqual({
      code: 0,
      stderr: '',
      failed: [],
    });
  }, 120_000);

  it('exits with 2 for faulty files, all faults at once, with the nearest names', async () => {
    const shape = await simulate(`tests:
  - { name: a, request: GET a, expect: { staus: 1 } }
  - { name: a, request: GET /a, steps: [] }
`);
    expect(shape.code).toBe(2);
    expect(shape.stderr).toMatch(
      /tests\.yaml:3:16 {2}tests\[0\]\.request {2}expected .*such as `GET \/users\/7`/,
    );
    expect(shape.stderr).toContain('tests[0].expect.staus  unknown key; did you mean "status"?');
    const names = await simulate(`principals: { k: { apiKey: shp }, s: { certificate: nowhere.pem } }
upstreams: { itt: {}, it: { grpcStatus: NOT_FOUND } }
tests:
  - { name: a, as: kk, request: GET /open, expect: { route: opn, problem: rate-limitd, deniedBy: rateLimits, upstream: itt, received: { it: { target: 'https://it.invald' } } } }
`);
    expect(names.code).toBe(2);
    for (const said of [
      'there is no upstream "itt"; did you mean "it"?',
      'there is no route "opn"; did you mean "open"?',
      'there is no problem "rate-limitd"; did you mean "rate-limited"?',
      'there is no policy "rateLimits"; did you mean "rateLimit"?',
      'there is no target "https://it.invald"; did you mean "https://it.invalid"?',
      'did you mean "shop"?',
      'there is no file nowhere.pem',
      'grpcStatus  is not for an upstream that speaks http',
    ])
      expect(names.stderr).toContain(said);
    writeFileSync(join(folder, 'bad.yaml'), CONFIG.replace('anyRole', 'anyRol'));
    const bad = await runBin([
      'simulate',
      join(folder, 'tests.yaml'),
      '--config',
      join(folder, 'bad.yaml'),
      '--json',
    ]);
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(bad.stderr).toContain('did you mean "anyRole"?');
  }, 120_000);
});
