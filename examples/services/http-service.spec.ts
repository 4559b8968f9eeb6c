import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { json } from './http-routes.ts';
import { HttpService } from './http-service.ts';

let service: HttpService;

beforeEach(async () => {
  service = await new HttpService('sample', {}, [
    { method: 'GET', path: '/things/{id}', handle: ({ parameter }) => json(200, { id: parameter }) },
    {
      method: 'GET',
      path: '/broken',
      handle: () => {
        throw new Error('secret detail');
      },
    },
  ]).start();
});
afterEach(() => service.stop());

describe('HttpService', () => {
  it('answers with its name, counts by operation and keeps the last request', async () => {
    const response = await fetch(`${service.url}/things/a%20b?x=1`, { headers: { 'x-user-id': '2' } });
    expect(response.headers.get('x-served-by')).toBe('sample');
    expect(await response.json()).toEqual({ id: 'a b' });
    expect(service.requests).toMatchObject({ total: 1, aborted: 0, by: { 'GET /things/{id}': 1 } });
    expect(service.lastRequest?.headers['x-user-id']).toBe('2');
    service.requests.reset();
    expect(service.requests).toMatchObject({ total: 0, by: {} });
  });

  it('answers GET /healthz', async () => {
    expect(await (await fetch(`${service.url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${service.url}/things/1`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '10']);
    expect(await response.text()).toBe('');
  });

  it('answers 404, 405 with Allow and 400 to paths and methods it does not know', async () => {
    expect((await fetch(`${service.url}/nothing`)).status).toBe(404);
    const wrongMethod = await fetch(`${service.url}/things/1`, { method: 'DELETE' });
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'GET']);
    expect((await fetch(`${service.url}/things/%zz`)).status).toBe(400);
  });

  it('answers 500 without details when a handler breaks', async () => {
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const response = await fetch(`${service.url}/broken`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });

  it('keeps connections alive', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = [];
    for (let round = 0; round < 3; round += 1) {
      const [response] = (await once(get(`${service.url}/things/1`, { agent }), 'response')) as [
        IncomingMessage,
      ];
      await text(response);
      ports.push(service.lastRequest?.socket.remotePort);
    }
    agent.destroy();
    expect(new Set(ports).size).toBe(1);
  });
});

describe('the faults of an HttpService', () => {
  it.each([
    ['fail', 500, null],
    ['unavailable', 503, '1'],
  ] as const)('%s answers %i', async (mode, status, retryAfter) => {
    await service.fault(mode);
    const response = await fetch(`${service.url}/healthz`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
    expect(response.headers.get('x-served-by')).toBe('sample');
    await service.fault('none');
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  it('garbage answers 200 with a body that is not JSON', async () => {
    await service.fault('garbage');
    const response = await fetch(`${service.url}/things/1`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    await expect(response.json()).rejects.toThrow('is not valid JSON');
  });

  it('slow answers the same, later', async () => {
    await service.fault({ slow: 60 });
    const before = performance.now();
    expect(await (await fetch(`${service.url}/things/1`)).json()).toEqual({ id: '1' });
    // Timers may fire a millisecond early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(58);
  });

  it('slow counts a client that does not wait', async () => {
    await service.fault({ slow: 60_000 });
    const request = get(`${service.url}/things/1`).on('error', () => undefined);
    await until(() => service.requests.total === 1);
    request.destroy();
    await until(() => service.requests.aborted === 1);
    expect(service.requests).toMatchObject({ total: 1, aborted: 1 });
  });

  it('dead refuses connections and destroys open ones, none listens on the same port again', async () => {
    await service.fault({ slow: 60_000 });
    const { port } = service;
    const waiting = fetch(`${service.url}/things/1`);
    const refused = expect(waiting).rejects.toThrow('fetch failed');
    await until(() => service.requests.total === 1);
    await service.fault('dead');
    await refused;
    await expect(fetch(`${service.url}/healthz`)).rejects.toThrow('fetch failed');
    await service.fault('none');
    expect(service.port).toBe(port);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  it('ends in the mode that was set last when switched quickly', async () => {
    await Promise.all([
      service.fault('dead'),
      service.fault('none'),
      service.fault('dead'),
      service.fault('fail'),
    ]);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(500);
  });
});

describe('starting and stopping an HttpService', () => {
  it('names service and port in one line when the port is taken', async () => {
    const second = new HttpService('second', { port: service.port }, []);
    await expect(second.start()).rejects.toMatchObject({
      message: `sample service second: port ${service.port} is already in use`,
    });
  });

  it('recovers once the port it was dead on is free again', async () => {
    await service.fault('dead');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(service.port, '127.0.0.1', resolve));
    expect((other.address() as AddressInfo).port).toBe(service.port);
    await expect(service.fault('none')).rejects.toThrow('already in use');
    await new Promise((resolve) => other.close(resolve));
    await service.fault('none');
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  it('stops twice without complaint and does not come back', async () => {
    await service.stop();
    await service.stop();
    await service.fault('none');
    await expect(fetch(`${service.url}/healthz`)).rejects.toThrow('fetch failed');
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
