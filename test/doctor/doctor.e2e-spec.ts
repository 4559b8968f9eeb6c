import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer, type Server } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/listeners/free-port.ts';
import { readConfig } from '../../src/config/config-reader.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import type { CheckResult } from '../../src/doctor/check.ts';
import { limitChecks } from '../../src/doctor/limit-checks.ts';
import { renderResults } from '../../src/doctor/render-results.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { certificate, type Certificate, type CertificateOptions } from '../support/certificates.ts';
import { ensureBuilt, runBin } from '../support/child.ts';
import { runCommand } from '../support/command.ts';
import { examined as examinedBy, found, type Asked } from '../support/doctor.ts';
import { createTestKey, type TestKey } from '../support/key-server.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let folder: string;
let upstream: TestUpstream;
let issuer: TestUpstream;
let redis: RedisServer;
let key: TestKey;
let skewMs = 0;
const tlsServers: Server[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-doctor-'));
  key = await createTestKey();
  upstream = await startUpstream(
    (request, response) => void response.writeHead(request.url === '/ill' ? 503 : 200).end(),
  );
  issuer = await startUpstream((request, response) => {
    response.setHeader('date', new Date(Date.now() + skewMs).toUTCString());
    const isKeys = request.url === '/jwks';
    response.end(
      JSON.stringify(
        isKeys ? { keys: [key.publicJwk] } : { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` },
      ),
    );
  });
  redis = await startRedis();
});

afterAll(async () => {
  for (const server of tlsServers) server.close().closeAllConnections();
  await Promise.all([upstream.stop(), issuer.stop(), redis.stop()]);
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const examined = (config: string, asked: Asked = {}): Promise<readonly CheckResult[]> =>
  examinedBy(folder, config, asked);

async function tlsTarget(
  options: Partial<CertificateOptions>,
): Promise<{ url: string; certificate: Certificate }> {
  const made = certificate({ name: 'target', hosts: ['127.0.0.1'], ...options });
  const server = createTlsServer({ cert: made.cert, key: made.key }, (_, response) => void response.end());
  tlsServers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate: made };
}

describe('targets', () => {
  it('tells targets that take connections from those that nobody listens at, with the place in the file', async () => {
    const port = await freePort();
    const results = await examined(
      `upstreams: { it: { targets: ['${upstream.url}', 'http://127.0.0.1:${port}'] } }`,
    );
    expect(found(results, 'target', upstream.url)).toMatchObject({
      level: 'ok',
      what: 'it takes connections',
    });
    const dead = found(results, 'target', String(port));
    expect(dead).toMatchObject({ level: 'fail', what: 'nobody listens there (ECONNREFUSED)' });
    expect(dead.mend).toMatch(/gateway\.yaml:2:\d+ upstreams\.it\.targets\[1\]$/);
  });

  it("warns of one that is the operators' own listener, whether it is there or not", async () => {
    const config = (url: string): string => `upstreams: { it: { targets: ['${url}'] } }`;
    const { port } = new URL(upstream.url);
    for (const [host, at] of [
      ['127.0.0.1', port],
      ['localhost', port],
      ['127.0.0.1', String(await freePort())],
    ] as const) {
      const environment = { ADMIN_PORT: at };
      const result = found(await examined(config(`http://${host}:${at}`), { environment }), 'target');
      expect(result).toMatchObject({
        level: 'warn',
        what: "it is the operators' listener of this gateway, to which no route leads",
        mend: expect.stringMatching(/^ADMIN_PORT, or .*gateway\.yaml:2:\d+ upstreams\.it\.targets\[0\]$/),
      });
    }
    const environment = { ADMIN_PORT: port, ADMIN_HOST: '127.0.0.2', ADMIN_TOKENS_FILE: '' };
    const result = found(await examined(config(upstream.url), { environment }), 'target');
    expect(result.level).toBe('ok');
  });

  it('asks for their health as the gateway would', async () => {
    const results = await examined(`upstreams:
  ill: { targets: ['${upstream.url}'], health: { active: { path: /ill } } }
  well: { targets: ['${upstream.url}'], health: { active: { path: /well } } }`);
    expect(found(results, 'health', '/well').level).toBe('ok');
    expect(found(results, 'health', '/ill')).toMatchObject({ level: 'fail', what: 'not well: status 503' });
  });

  it('says which key of `tls` mends a certificate that is not trusted, or is for another name', async () => {
    const [one, other] = [
      await tlsTarget({ toDay: 90 }),
      await tlsTarget({ name: 'other', hosts: ['else.test'], toDay: 90 }),
    ];
    const ca = write('ca.pem', one.certificate.cert + other.certificate.cert, 0o644);
    const results = await examined(`upstreams:
  strange: { targets: ['${one.url}'] }
  misnamed: { targets: ['${other.url}'], tls: { ca: ${ca} } }
  good: { targets: ['${one.url}'], tls: { ca: ${ca} } }`);
    expect(found(results, 'target', 'strange')).toMatchObject({
      level: 'fail',
      mend: expect.stringContaining('upstreams.strange.tls.ca'),
    });
    expect(found(results, 'target', 'misnamed')).toMatchObject({
      level: 'fail',
      mend: expect.stringContaining('serverName'),
    });
    expect(found(results, 'target', 'good')).toMatchObject({ level: 'ok' });
  });

  it.each([
    [13, 'warn'],
    [15, 'ok'],
  ])('of a certificate that ends within %d days it says %s', async (toDay, level) => {
    const target = await tlsTarget({ toDay });
    const ca = write(`ca${toDay}.pem`, target.certificate.cert);
    const results = await examined(`upstreams: { it: { targets: ['${target.url}'], tls: { ca: ${ca} } } }`);
    expect(found(results, 'target').level).toBe(level);
  });

  it('waits for a target that says nothing no longer than it is told', async () => {
    const silent = createServer();
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    const results = await examined(`upstreams: { it: { targets: ['https://127.0.0.1:${port}'] } }`, {
      timeoutMs: 100,
    });
    expect(found(results, 'target')).toMatchObject({ level: 'fail', what: 'no answer within 0.1s' });
    silent.close();
  });

  it('asks registries, and then the targets that these name', async () => {
    const file = write(
      'targets.json',
      JSON.stringify([upstream.url, `http://127.0.0.1:${await freePort()}`]),
    );
    const results = await examined(`upstreams:
  listed: { discovery: { file: { path: ${file} } } }
  lost: { discovery: { file: { path: none.json } } }`);
    expect(found(results, 'discovery', 'listed')).toMatchObject({ level: 'ok', what: '2 targets' });
    expect(results.filter(({ check }) => check === 'target').map(({ level }) => level)).toEqual([
      'ok',
      'fail',
    ]);
    expect(found(results, 'discovery', 'lost')).toMatchObject({
      level: 'fail',
      mend: expect.stringContaining('upstreams.lost.discovery'),
    });
  });

  it('looks names up', async () => {
    const results = await examined(`upstreams: { it: { targets: ['http://no-such-host.invalid:80'] } }`);
    expect(found(results, 'dns', 'no-such-host.invalid')).toMatchObject({
      level: 'fail',
      mend: expect.stringContaining('upstreams.it'),
    });
  });
});

describe('issuers', () => {
  const config = (algorithms = 'ES256', member = `jwks: '${issuer.url}/jwks'`): string =>
    `identity: { issuers: [{ issuer: '${issuer.url}', ${member}, audiences: [api], algorithms: [${algorithms}] }] }`;

  it('takes keys that fit what is accepted, by URL and by discovery', async () => {
    for (const member of [undefined, 'discovery: true']) {
      const results = await examined(config('ES256', member));
      expect(found(results, 'issuer')).toMatchObject({ level: 'ok', what: '1 key that can be used' });
      expect(found(results, 'clock')).toMatchObject({ level: 'ok' });
    }
  });

  it('says that none of its keys is for what is accepted', async () => {
    const one = found(await examined(config('RS256')), 'issuer');
    expect(one).toMatchObject({ level: 'fail', what: expect.stringMatching(/ES256.*RS256/) });
    expect(one.mend).toContain('identity.issuers[0].algorithms');
  });

  it('compares clocks by its Date', async () => {
    skewMs = 4000;
    expect(found(await examined(config()), 'clock')).toMatchObject({
      level: 'warn',
      what: expect.stringContaining('behind'),
    });
    skewMs = -60_000;
    const off = found(await examined(config()), 'clock');
    expect(off).toMatchObject({
      level: 'fail',
      what: expect.stringMatching(/ahead of its clock, and 5s is tolerated/),
    });
    expect(off.mend).toContain('timedatectl');
    skewMs = 0;
  });

  it('names the key of an issuer that cannot be asked', async () => {
    const one = found(
      await examined(config('ES256', `jwks: '${issuer.url.replace(/\d+$/, String(await freePort()))}/jwks'`)),
      'issuer',
    );
    expect(one).toMatchObject({ level: 'fail', what: expect.stringContaining('nobody listens') });
    expect(one.mend).toMatch(/gateway\.yaml:2:\d+ identity\.issuers\[0\]\.jwks$/);
  });
});

describe('Redis', () => {
  it('is well when it is as the gateway needs it', async () => {
    const results = await examined('', { environment: { REDIS_URL: redis.url } });
    const ofRedis = results.filter(({ subject }) => subject.includes(String(redis.port)));
    expect(ofRedis.map(({ check, level }) => `${check} ${level}`)).toEqual([
      'redis ok',
      'redis version ok',
      'redis role ok',
      'redis eviction ok',
      'redis tls ok',
      'redis rights ok',
      'clock ok',
    ]);
  });

  it('tells a wrong password from nobody at all, and shows no password', async () => {
    const environment = { REDIS_URL: `redis://who:hushhush@127.0.0.1:${redis.port}` };
    const empty = { REDIS_URL: `redis://:hushhush@127.0.0.1:${await freePort()}` };
    // Each is waited for as long as one that is just starting.
    const [refused, nobody] = await Promise.all([
      examined('', { environment }),
      examined('', { environment: empty }),
    ]);
    expect(found(refused, 'redis')).toMatchObject({
      level: 'fail',
      what: expect.stringContaining('WRONGPASS'),
    });
    expect(found(nobody, 'redis')).toMatchObject({
      level: 'fail',
      what: expect.stringContaining('ECONNREFUSED'),
    });
    expect(renderResults([...refused, ...nobody], { color: false })).not.toContain('hushhush');
  });

  it('names the rights that its user lacks, leaves nothing behind, and says what evicts', async () => {
    const client = redis.client();
    await client.call(
      'ACL',
      'SETUSER',
      'poor',
      'on',
      '>pw',
      '~ratelimit:*',
      '&gatehouse:*',
      '+@all',
      '-hset',
      '-publish',
    );
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const results = await examined('', {
      environment: { REDIS_URL: `redis://poor:pw@127.0.0.1:${redis.port}` },
    });
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    const { level, what } = found(results, 'redis rights');
    expect(level).toBe('fail');
    expect(what).toMatch(/~quota:\*.*\+hset.*\+publish/);
    expect(what).not.toMatch(/~ratelimit|\+hdel/);
    expect(found(results, 'redis eviction')).toMatchObject({
      level: 'warn',
      mend: expect.stringContaining('noeviction'),
    });
    expect(await client.keys('*doctor*')).toEqual([]);
  });

  it('finds the rights of docs/redis.md enough', async () => {
    const rights =
      '~ratelimit:* ~quota:* ~apikey* ~revoked:* ~dpop:* ~gatehouse:* ~canary:* ~audit:waiting ~idempotency:* ~cache:* &gatehouse:* &__redis__:invalidate +@all -@admin -@dangerous +info +client|tracking';
    await redis.client().call('ACL', 'SETUSER', 'few', 'on', '>pw', ...rights.split(' '));
    const results = await examined('', {
      environment: { REDIS_URL: `redis://few:pw@127.0.0.1:${redis.port}` },
    });
    expect(found(results, 'redis rights')).toMatchObject({ level: 'ok' });
  });

  it('says that a replica takes no writes, and that a node of a Cluster is none', async () => {
    const replica = await startRedis();
    await replica.client().replicaof('127.0.0.1', redis.port);
    expect(
      found(await examined('', { environment: { REDIS_URL: replica.url } }), 'redis role').what,
    ).toContain('replica');
    await replica.stop();
    const node = await startRedis(true);
    const results = await examined('', { environment: { REDIS_URL: node.url } });
    expect(found(results, 'redis role')).toMatchObject({
      level: 'fail',
      mend: expect.stringContaining('redis+cluster'),
    });
    await node.stop();
  });
});

describe('secrets, certificates, ports, files', () => {
  it('looks for each secret that the file names, and shows none', async () => {
    const file = write('open.key', 'hush-hush-hush', 0o644);
    const config = `identity:
  issuers: [{ issuer: x, secretEnv: SIGNING, audiences: [api] }, { issuer: y, secretEnv: GONE, audiences: [api] }]
  introspection: { url: '${issuer.url}/ask', clientId: me, clientSecretFile: ${file} }`;
    const results = await examined(config, { environment: { SIGNING: 'a-secret-of-many-letters-and-more' } });
    expect(found(results, 'secret', 'SIGNING').level).toBe('ok');
    expect(found(results, 'secret', 'GONE')).toMatchObject({
      level: 'fail',
      mend: expect.stringContaining('export GONE='),
    });
    const unsigned = { level: 'fail', what: 'set the environment variable GONE' };
    expect(found(results, 'issuer', 'y')).toMatchObject(unsigned);
    expect(found(results, 'secret', file)).toMatchObject({ level: 'warn', mend: `chmod o-r ${file}` });
    expect(JSON.stringify(results)).not.toMatch(/a-secret-of|hush-hush/);
  });

  it('looks at the certificates of listeners: their end, their chain, their names', async () => {
    const root = certificate({ name: 'root', isAuthority: true, toDay: 900 });
    const stranger = certificate({ name: 'stranger', isAuthority: true, toDay: 900 });
    const leaf = certificate({ name: 'leaf', hosts: ['api.test'], by: root, toDay: 90 });
    const old = certificate({ name: 'old', hosts: ['old.test'], by: root, fromDay: -9, toDay: -2 });
    const pair = (name: string, cert: string, secret: string): string =>
      `{ cert: ${write(`${name}.pem`, cert)}, key: ${write(`${name}.key`, secret)} }`;
    const results = await examined(`listeners:
  - { port: 0, host: 127.0.0.1, tls: { certificates: [${pair('good', leaf.cert + root.cert, leaf.key)}, ${pair('torn', leaf.cert + stranger.cert, leaf.key)}, ${pair('late', old.cert, old.key)}] } }
routes:
  - { id: a, match: { path: /a, hosts: [api.test] }, respond: { status: 204 } }
  - { id: b, match: { path: /b, hosts: [unnamed.test] }, respond: { status: 204 } }`);
    expect(found(results, 'certificate', 'good.pem').level).toBe('ok');
    expect(found(results, 'certificate', 'torn.pem')).toMatchObject({
      level: 'fail',
      what: expect.stringContaining('chain'),
    });
    expect(found(results, 'certificate', 'late.pem')).toMatchObject({
      level: 'fail',
      what: expect.stringContaining('expired'),
    });
    expect(found(results, 'certificate', 'hosts')).toMatchObject({
      level: 'fail',
      what: 'no certificate is for unnamed.test',
    });
  });

  it('says which ports are taken', async () => {
    const port = new URL(upstream.url).port;
    const results = await examined('', { environment: { PORT: port } });
    expect(found(results, 'port', port)).toMatchObject({
      level: 'warn',
      mend: expect.stringContaining('PORT'),
    });
    expect(found(results, 'port', ':0')).toMatchObject({ level: 'ok' });
  });

  it('compares the limit of open files with what connections may take', async () => {
    const source = readConfig(
      gatewaySchema,
      `version: 1\nupstreams: { it: { targets: ['${upstream.url}'], maxConnections: 500 } }`,
      'gateway.yaml',
      {},
    );
    const around = { environment: readEnvironment({}), source, variables: {} };
    const levels = [2000, 1064, 1063, 100].map(
      async (limit) => (await limitChecks(around, limit)[0]?.run(new AbortController().signal))?.level,
    );
    expect(await Promise.all(levels)).toEqual(['ok', 'ok', 'warn', 'fail']);
  });
});

describe('gatehouse doctor', () => {
  it('prints a line for each check, exits with 1 when one fails, and with 0 when none does', async () => {
    const config = (url: string): string =>
      write(
        'cli.yaml',
        `version: 1\ndefaults: { policies: { authentication: public } }\nupstreams: { it: { targets: ['${url}'] } }\n`,
      );
    const environment = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' };
    const well = await runCommand(['doctor', '--config', config(upstream.url)], environment);
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(well.stdout).toMatch(/^ok {4}configuration .*: valid$/m);
    await ensureBuilt();
    const ill = await runBin(
      ['doctor', '--json', '--config', config(`http://127.0.0.1:${await freePort()}`)],
      environment,
    );
    expect(ill.code).toBe(1);
    const results = JSON.parse(ill.stdout) as CheckResult[];
    expect(found(results, 'target')).toMatchObject({ level: 'fail' });
  }, 60_000);

  it('says what is wrong with arguments and with a faulty configuration', async () => {
    expect(await runCommand(['doctor', '--timeout', 'soon'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--timeout'),
    });
    const file = write(
      'faulty.yaml',
      'version: 1\nroutes: [{ id: a, match: { path: /a }, upstream: none }]\n',
    );
    const { code, stdout } = await runCommand(['doctor', '--config', file], { PORT: '0', ADMIN_PORT: '0' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}configuration .*; mend: gatehouse validate --config/m);
  });
});
