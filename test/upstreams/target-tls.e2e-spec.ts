import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { ConfigError, type ConfigFault } from '../../src/config/config-fault.ts';
import { framed } from '../../src/upstreams/grpc/unary-wire.ts';
import { certificate } from '../support/certificates.ts';
import { ensureBuilt, runBin } from '../support/child.ts';
import { call } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/reload.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';

const authority = certificate({ name: 'authority', isAuthority: true });
const server = certificate({ name: 'server', hosts: ['localhost'], by: authority });
const stranger = certificate({ name: 'stranger', hosts: ['localhost'] });

let folder: string;
let service: Http2SecureServer;
let port: number;
let shown: (string | undefined)[];
let gateway: TestGateway | undefined;

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

function show(name: string, options: { readonly toDay?: number } = {}): void {
  const own = certificate({ name, by: authority, ...options, fromDay: -3 });
  write('own.pem', own.cert);
  write('own.key', own.key);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
  write('ca.pem', authority.cert);
  write('stranger.pem', stranger.cert);
  shown = [];
  const own = { cert: server.cert, key: server.key };
  service = createSecureServer({ ...own, requestCert: true, rejectUnauthorized: false, ca: authority.cert });
  service.on('secureConnection', (socket: TLSSocket) => {
    const { CN } = (socket.getPeerCertificate().subject ?? {}) as { CN?: string };
    shown.push(CN);
  });
  service.on('sessionError', () => undefined);
  service.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume().on('end', () => stream.end(framed(Buffer.alloc(0))));
  });
  await once(service.listen(0, '127.0.0.1'), 'listening');
  ({ port } = service.address() as AddressInfo);
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  shown = [];
});
afterAll(() => {
  service.close();
  rmSync(folder, { recursive: true });
});

/** @param at where the files are; default by their whole names. */
const config = (tls: string, at = `${folder}/`): string => `version: 1
upstreams:
  kinds:
    protocol: grpc
    descriptorSet: proto/test/kinds.binpb
    targets: ['grpcs://localhost:${port}']
    circuitBreaker: off
    tls: ${tls.replaceAll('@', at)}
routes:
  - { id: kinds, upstream: kinds, grpc: { service: test.v1.Kinds }, policies: { authentication: public } }
`;
const MUTUAL = '{ ca: @ca.pem, cert: @own.pem, key: @own.key }';

/** A unary call and a stream, which go over different transports. */
const PATHS = ['/test/items/a', '/test/count/1'];

async function start(tls: string): Promise<TestGateway> {
  return (gateway = await startGateway({ config: config(tls) }));
}

const faultsOf = async (tls: string): Promise<readonly ConfigFault[]> =>
  checkGateway({ config: config(tls) }).then(
    () => [],
    (error: unknown) => (error as ConfigError).faults,
  );

describe('TLS to targets', () => {
  it('shows its certificate on both transports, and a renewed one after a reload', async () => {
    show('first');
    const { url, gateway: running } = await start(MUTUAL);
    for (const path of PATHS) expect((await call(url + path)).status).toBe(200);
    expect(shown).toEqual(['first', 'first']);
    show('second');
    const again = readConfig(gatewaySchema, config(MUTUAL), 'gateway.yaml', {});
    expect((await running.app.get(Reloads).take(again, 'test')).outcome).toBe('reloaded');
    for (const path of PATHS) expect((await call(url + path)).status).toBe(200);
    expect(shown).toEqual(['first', 'first', 'second', 'second']);
    // The same again: no new connection.
    expect((await running.app.get(Reloads).take(again, 'test')).outcome).toBe('reloaded');
    for (const path of PATHS) expect((await call(url + path)).status).toBe(200);
    expect(shown).toHaveLength(4);
    // Half renewed: the last good one stays.
    write('own.key', stranger.key);
    const { outcome, faults } = await running.app.get(Reloads).take(again, 'test');
    expect([outcome, faults]).toMatchObject(['faulty', [{ line: 8, key: 'upstreams[kinds].tls.key' }]]);
    for (const path of PATHS) expect((await call(url + path)).status).toBe(200);
    expect(shown).toHaveLength(4);
  });

  it('shows a renewed certificate for proxied requests too, whatever host they name', async () => {
    const behind = createServer(
      { ...server, requestCert: true, ca: authority.cert },
      ({ headers, socket }, response) =>
        response.end(`${headers.host} ${(socket as TLSSocket).getPeerCertificate().subject.CN}`),
    );
    await once(behind.listen(0, '127.0.0.1'), 'listening');
    const forwarded = `version: 1
upstreams:
  https:
    targets: ['https://localhost:${(behind.address() as AddressInfo).port}']
    host: keep
    tls: ${MUTUAL.replaceAll('@', `${folder}/`)}
routes:
  - { id: https, match: { path: /* }, upstream: https, policies: { authentication: public } }
`;
    show('first');
    gateway = await startGateway({ config: forwarded });
    const url = `${gateway.url}/a`;
    const ask = async () => (await call(url, { headers: { host: 'elsewhere.test' } })).text;
    expect(await ask()).toBe('elsewhere.test first');
    show('second');
    const again = readConfig(gatewaySchema, forwarded, 'gateway.yaml', {});
    expect((await gateway.gateway.app.get(Reloads).take(again, 'test')).outcome).toBe('reloaded');
    expect(await ask()).toBe('elsewhere.test second');
    behind.close();
  });

  it('tells clients nothing of why a target is not believed, and the log all', async () => {
    const { url, linesWhere } = await start('{ ca: @stranger.pem }');
    for (const path of PATHS) {
      const answer = await call(url + path);
      expect([answer.status, answer.json()['code']]).toEqual([502, 'upstream-unreachable']);
      expect(answer.text).not.toMatch(/certificate|verify|issuer|localhost/i);
      const [line] = await linesWhere((one) => one.msg === 'exchange' && one['path'] === path);
      expect(JSON.stringify(line)).toMatch(/UNABLE_TO_|SELF_SIGNED|SIGNATURE/);
    }
  });

  it('is not verified only with a warning at its place, in the log, the listing and the check', async () => {
    const { url, adminUrl, lines } = await start('{ verify: false }');
    for (const path of PATHS) expect((await call(url + path)).status).toBe(200);
    const warnings = lines.filter((line) => line['key'] === 'upstreams[kinds].tls.verify');
    expect(warnings).toMatchObject([{ level: 40, line: 8, msg: expect.stringContaining('not verified') }]);
    const listed = JSON.parse((await call(`${adminUrl}/routes`)).text) as { upstream: string }[];
    expect(new Set(listed.map(({ upstream }) => upstream))).toEqual(new Set(['-', 'kinds (not verified)']));
  });

  it('starts with a certificate that has expired, and says so', async () => {
    show('old', { toDay: -1 });
    const { lines } = await start(MUTUAL);
    await until(() => lines.some((line) => line['key'] === 'upstreams[kinds].tls.cert'));
    const [line] = lines.filter((one) => one['key'] === 'upstreams[kinds].tls.cert');
    expect(line).toMatchObject({ level: 40, line: 8, msg: expect.stringContaining('CN=old has expired on') });
  });

  it('tells faults of files with their places', async () => {
    show('own');
    const faults = await faultsOf('{ ca: @none.pem, cert: @own.pem, key: @ca.pem }');
    expect(faults).toMatchObject([
      { file: 'gateway.yaml', line: 8, column: 12, key: 'upstreams[kinds].tls.ca', message: `there is no file ${folder}/none.pem` },
      { file: 'gateway.yaml', line: 8, key: 'upstreams[kinds].tls.key', message: expect.stringContaining('expected a private key') },
    ]);
  }); // prettier-ignore

  it('finds files beside the configuration, wherever it is run', async () => {
    await ensureBuilt();
    show('own');
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, config(MUTUAL.replace('}', ', verify: false }'), ''));
    const done = await runBin(['validate', '--config', file]);
    expect([done.code, done.stderr]).toEqual([0, expect.stringMatching(/gateway.yaml:8:\d+ {2}upstreams\[kinds\].tls.verify {2}the targets are not verified.*\n1 warning/)]);
    const listed = await runBin(['routes', '--config', file]);
    expect(listed.stdout).toContain('kinds (not verified)');
  }, 60_000); // prettier-ignore
});
