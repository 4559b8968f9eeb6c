import { afterEach, describe, expect, it } from '@jest/globals';
import { clone, createFileRegistry, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { call } from '../support/client.ts';
import { startGateway, type LogLine, type TestGateway } from '../support/gateway.ts';
import { startPeer, type GrpcPeer } from '../support/grpc-peer.ts';
import { kindsConfig } from '../support/kinds-gateway.ts';
import { kindsRegistry, KindsServer } from '../support/kinds-server.ts';
import { addReflection } from '../support/reflection.ts';

const REFLECTION = 'grpc.reflection.v1.ServerReflection';

let gateway: TestGateway | undefined;
let server: KindsServer | undefined;
let peer: GrpcPeer | undefined;

afterEach(async () => {
  await gateway?.stop();
  server?.stop();
  await peer?.stop();
  peer = undefined;
  gateway = undefined;
  server = undefined;
});

function start(target: string, prefix = '/test', level = 'info'): Promise<TestGateway> {
  const schema = 'reflection: { refresh: 1s }';
  return startGateway({
    config: kindsConfig({ target, schema, grpc: `prefix: ${prefix}`, upstream: '' }),
    environment: { LOG_LEVEL: level },
  });
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

const statusOf = async (path: string): Promise<number> => (await call(`${gateway?.url ?? ''}${path}`)).status;

/** The same schema after a release that offers nothing but `Pick`. */
function moved(): FileRegistry {
  const file = kindsRegistry.getFile('test/v1/kinds.proto');
  if (file === undefined) throw new Error('there is no file');
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  const service = proto.service[0];
  if (service === undefined) throw new Error('there is no service');
  service.method = service.method.filter(({ name }) => name === 'Pick');
  return createFileRegistry(proto, (name) => kindsRegistry.getFile(name));
}

describe('server reflection', () => {
  it.each(['v1', 'v1alpha'] as const)('tells the methods by %s', async (protocol) => {
    server = new KindsServer();
    addReflection(server.server, protocol, () => kindsRegistry);
    await server.start();
    gateway = await start(server.url);
    await until(async () => (await statusOf('/test/items/a')) === 200);
    expect((await call(`${gateway.url}/test/query?color=COLOR_RED`)).json()).toEqual({ color: 'COLOR_RED' });
    expect(await statusOf('/test/nowhere')).toBe(404);
  });

  it('goes on with what was learned when another configuration is put into force', async () => {
    server = new KindsServer();
    addReflection(server.server, 'v1', () => kindsRegistry);
    await server.start();
    gateway = await start(server.url);
    await until(async () => (await statusOf('/test/items/a')) === 200);
    const config = kindsConfig({
      target: server.url,
      schema: 'reflection: { refresh: 1s }',
      grpc: 'prefix: /test',
      upstream: 'maxConnections: 7',
    });
    const { outcome } = await gateway.gateway.app
      .get(Reloads)
      .take(readConfig(gatewaySchema, config, 'gateway.yaml', {}), 'test');
    expect(outcome).toBe('reloaded');
    expect(await statusOf('/test/items/a')).toBe(200);
  });

  it('answers 503 with Retry-After while the upstream is down, and its methods once it is up', async () => {
    const gone = await new KindsServer().start();
    gone.stop();
    gateway = await start(gone.url);
    const early = await call(`${gateway.url}/test/items/a`);
    expect([early.status, early.headers['retry-after'], early.json()['code']]).toEqual([
      503,
      '5',
      'no-available-target',
    ]);
    expect(await statusOf('/other')).toBe(404);
    server = new KindsServer();
    addReflection(server.server, 'v1', () => kindsRegistry);
    await server.start(Number(gone.url.split(':').at(-1)));
    await until(async () => (await statusOf('/test/items/a')) === 200);
  });

  it('warns of a reason once, repeats it at debug only, and tells when the upstream answers again', async () => {
    const gone = await new KindsServer().start();
    gone.stop();
    gateway = await start(gone.url, '/test', 'debug');
    const told = (): LogLine[] =>
      (gateway?.lines ?? []).filter(({ msg }) => msg.startsWith('server reflection '));
    await until(() => told().length > 2);
    server = new KindsServer();
    addReflection(server.server, 'v1', () => kindsRegistry);
    await server.start(Number(gone.url.split(':').at(-1)));
    await until(() => told().at(-1)?.msg === 'server reflection works again');

    const target = gone.url.replace('grpc://', '');
    const [first, ...rest] = told();
    const last = rest.pop();
    expect(first).toEqual({
      level: 40,
      time: expect.any(Number),
      route: 'kinds',
      upstream: 'kinds',
      target,
      reason: 'UNAVAILABLE',
      msg: 'server reflection failed',
    });
    for (const line of rest)
      expect(line).toMatchObject({ level: 20, target, msg: 'server reflection failed' });
    expect(last).toEqual({
      ...first,
      level: 30,
      time: expect.any(Number),
      reason: undefined,
      msg: last?.msg,
    });
  });

  it('follows what changes, and keeps what there is while there is no answer', async () => {
    let registry = kindsRegistry;
    server = new KindsServer();
    addReflection(server.server, 'v1', () => registry);
    await server.start();
    gateway = await start(server.url);
    await until(async () => (await statusOf('/test/items/a')) === 200);
    registry = moved();
    await until(async () => (await statusOf('/test/items/a')) === 404);
    expect(await statusOf('/test/pick/number')).toBe(200);
    registry = createFileRegistry();
    await gateway.linesWhere((line) => line.msg === 'server reflection failed');
    expect(await statusOf('/test/pick/number')).toBe(200);
  });

  it('gives an upstream no path outside of its prefix', async () => {
    server = new KindsServer();
    addReflection(server.server, 'v1', () => kindsRegistry);
    await server.start();
    gateway = await start(server.url, '/fence');
    const [line] = await gateway.linesWhere(({ msg }) => msg === 'server reflection failed');
    expect(JSON.stringify(line)).toContain('which is not below /fence');
    expect(await statusOf('/test/items/a')).toBe(404);
    expect(await statusOf('/fence/items')).toBe(503);
  });

  it('follows a service in Python that starts again with another schema', async () => {
    peer = await startPeer();
    gateway = await start(peer.url);
    await until(async () => (await statusOf('/test/items/a')) === 200);
    const { port } = peer;
    await peer.stop();
    peer = await startPeer({ port, files: moved().files, services: ['test.v1.Kinds', REFLECTION] });
    await until(async () => (await statusOf('/test/items/a')) === 404);
    expect((await call(`${gateway.url}/test/pick/list?stringList=a`)).json()).toEqual(['a']);
  });
});
