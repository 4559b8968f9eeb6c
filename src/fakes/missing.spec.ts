import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { missingUpstreams } from './missing.ts';

type Upstreams = Parameters<typeof missingUpstreams>[0];

const servers: Server[] = [];
let [taken, taken6, closed] = [0, 0, 0];

async function listen(host: string): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  [taken, taken6, closed] = [await listen('127.0.0.1'), await listen('::1'), await listen('127.0.0.1')];
  const last = servers.pop() as Server;
  await new Promise((resolve) => last.close(resolve));
});
afterAll(() => servers.forEach((server) => server.close()));

const missing = async (
  upstreams: Readonly<Record<string, readonly string[]>>,
): Promise<readonly string[]> => {
  const listed = Object.entries(upstreams).map(([name, urls]) => [
    name,
    { targets: urls.map((url) => ({ url })) },
  ]);
  return [...(await missingUpstreams(Object.fromEntries(listed) as Upstreams))];
};

describe(missingUpstreams, () => {
  it('are those of which no target lets anybody connect, whatever it says then', async () => {
    const found = await missing({
      there: [`http://127.0.0.1:${taken}`],
      six: [`http://[::1]:${taken6}`],
      half: [`http://127.0.0.1:${closed}`, `grpc://127.0.0.1:${taken}`],
      gone: [`http://127.0.0.1:${closed}`],
      alsoGone: [`grpc://127.0.0.1:${closed}`, `http://127.0.0.1:${closed}`],
    });
    expect(found).toEqual(['gone', 'alsoGone']);
  });

  it('are those whose name nobody knows', async () => {
    expect(await missing({ nowhere: ['http://nowhere.invalid:80'] })).toEqual(['nowhere']);
  });

  it('are none of those that a registry knows', async () => {
    const upstreams = { found: { targets: [], discovery: { file: 'targets.json' } } };
    expect([...(await missingUpstreams(upstreams as unknown as Upstreams))]).toEqual([]);
  });
});
