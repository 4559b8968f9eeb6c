import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { freePort } from '../../src/listeners/free-port.ts';
import { DEFAULT_PORTS, FREE_PORTS, startSampleServices, type ServiceName } from './start.ts';

const NAMES = Object.keys(DEFAULT_PORTS) as ServiceName[];

describe('startSampleServices', () => {
  it('starts every service under its name and stops all of them', async () => {
    const services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
    expect(NAMES.map((name) => services[name].name)).toEqual(NAMES);
    const ports = new Set(NAMES.map((name) => services[name].port));
    expect(ports.size).toBe(NAMES.length);
    const { services: listed } = (await (await fetch(`${services.control.url}/services`)).json()) as {
      services: { name: string }[];
    };
    expect(listed.map(({ name }) => name).sort()).toEqual(NAMES.filter((name) => name !== 'control').sort());
    await services.stop();
    for (const name of NAMES) await expectFree(services[name].port);
  });

  it('stops while requests are waiting', async () => {
    const services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
    await services.feed.fault({ slow: 60_000 });
    const waiting = expect(fetch(`${services.feed.url}/feed`)).rejects.toThrow('fetch failed');
    while (services.feed.requests.total === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await services.stop();
    await waiting;
  });

  it('prints name and address of each service unless quiet', async () => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const services = await startSampleServices({ ports: FREE_PORTS });
    const lines = log.mock.calls.map(([line]) => String(line).split(/ +/));
    log.mockRestore();
    await services.stop();
    expect(new Map(lines.map(([name, url]) => [name, url]))).toEqual(
      new Map(NAMES.map((name) => [name, services[name].url])),
    );
  });

  it.each(['users-2', 'orders', 'control'] as const)(
    'names %s and its port when that is taken, and stops the others',
    async (name) => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const { port } = taken.address() as AddressInfo;
      const first = await freePort();
      const starting = startSampleServices({
        ports: { ...FREE_PORTS, 'users-1': first, [name]: port },
        quiet: true,
      });
      await expect(starting).rejects.toMatchObject({
        message: `sample service ${name}: port ${port} is already in use`,
      });
      await expectFree(first);
      await new Promise((resolve) => taken.close(resolve));
    },
  );
});

async function expectFree(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}
