import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { readConfigFile } from '../../src/config/config-reader.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import { createGateway, type Gateway } from '../../src/main.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { certificate } from '../support/certificates.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-listeners-life-'));
const file = join(folder, 'gateway.yaml');
const place = { cert: join(folder, 'own.pem'), key: join(folder, 'own.key') };
let upstream: TestUpstream;

function renew(name: string): void {
  const { cert, key } = certificate({ name, hosts: ['localhost'] });
  writeFileSync(place.key, key);
  writeFileSync(place.cert, cert);
}

async function build(listeners: unknown, dryRun = false): Promise<Gateway> {
  const config = {
    version: 1,
    listeners,
    upstreams: { echo: { targets: [upstream.url] } },
    routes: [{ id: 'all', match: { path: '/*' }, upstream: 'echo', policies: { authentication: 'public' } }],
  };
  writeFileSync(file, JSON.stringify(config));
  const variables = { HOST: '127.0.0.1', ADMIN_PORT: '0', NODE_ENV: 'test', DRAIN_DELAY: '100ms' };
  const source = await readConfigFile(gatewaySchema, file);
  const environment = readEnvironment(variables);
  return createGateway({ environment, source, logger: createLogger('silent'), dryRun });
}

async function start(listeners: unknown): Promise<Gateway> {
  const gateway = await build(listeners);
  await gateway.listen();
  return gateway;
}

beforeAll(async () => {
  renew('first');
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

async function nameAt(url: string): Promise<unknown> {
  const socket = connectTls({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

describe('listeners', () => {
  it('take a renewed certificate when its file changes', async () => {
    const gateway = await start([{ port: 0, tls: { certificates: [place] } }]);
    gateway.app.get(Reloads).watch({ lookEveryMs: 20, quietMs: 20 });
    const session = connectHttp2(gateway.url, { rejectUnauthorized: false });
    await once(session, 'connect');
    expect(await nameAt(gateway.url)).toBe('first');
    renew('second');
    let name: unknown;
    while (name !== 'second') name = await nameAt(gateway.url);
    expect([session.closed, session.destroyed]).toEqual([false, false]);
    session.destroy();
    await gateway.close();
  });

  it('tell clients over HTTP/2 that the gateway leaves, and finish what they have asked', async () => {
    const gateway = await start([{ port: 0, http2: true }]);
    let answer: (() => void) | undefined;
    upstream.listener = (_request, response) => {
      answer = () => response.end('late');
    };
    const session = connectHttp2(gateway.url);
    const stream = session.request({ ':path': '/a' });
    const goneAway = once(session, 'goaway');
    while (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = gateway.close();
    const [code] = (await goneAway) as [number];
    answer();
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect([code, text]).toEqual([0, 'late']);
    await closed;
    const refused = connectTcp(Number(new URL(gateway.url).port), '127.0.0.1');
    await expect(once(refused, 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it('are not there when a port is taken, and the fault says which', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const gateway = await build([{ port: 0 }, { port }]);
    await expect(gateway.listen()).rejects.toMatchObject({
      faults: [{ file, key: 'listeners[1].port', message: 'the port is taken' }],
    });
    await gateway.app.close();
    const checked = await build([{ port: 0 }, { port }], true);
    await checked.init();
    expect(await checked.takenPorts()).toMatchObject([{ key: 'listeners[1].port', line: 1 }]);
    await checked.app.close();
    holder.close();
  });
});
