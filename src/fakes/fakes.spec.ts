import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../config/config-fault.ts';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { Fakes, type FakesOptions } from './fakes.ts';

let folder: string;
let fakes: Fakes | undefined;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-fakes-'));
  said = [];
});
afterEach(async () => {
  await fakes?.close();
  rmSync(folder, { recursive: true });
});

const source = (upstreams: object): GatewaySource =>
  readConfig(gatewaySchema, JSON.stringify({ version: 1, upstreams }), 'gateway.yaml', {});
const NOWHERE = { targets: ['http://127.0.0.1:9'] };

function make(options: Partial<FakesOptions>): Fakes {
  fakes = new Fakes({ wanted: [], missing: false, say: (line) => said.push(line), ...options });
  return fakes;
}

const faked = (name: string, file?: string): FakesOptions['wanted'] => [{ name, file }];

/** What is asked in place of an upstream. */
const targetOf = ({ value }: GatewaySource, name: string): string =>
  value.upstreams[name]?.targets[0]?.url ?? '';

describe(Fakes, () => {
  it('are the only target of their upstreams, in the clear and without probes; others stay', async () => {
    const secured = {
      targets: ['https://a.test', 'https://b.test'],
      tls: { serverName: 'c.test' },
      health: { active: { path: '/up' } },
    };
    const given = source({ users: secured, other: NOWHERE });
    const made = make({ wanted: faked('users') });
    await made.prepare(given);
    const adapted = made.adapt(given);
    expect(adapted.value.upstreams['other']).toBe(given.value.upstreams['other']);
    const { targets, tls, health } = adapted.value.upstreams['users'] ?? {};
    expect([targets?.length, tls, health?.active]).toEqual([1, undefined, undefined]);
    const answer = await fetch(`${targetOf(adapted, 'users')}/x`);
    expect(await answer.json()).toEqual({ fake: 'users', method: 'GET', path: '/x' });
    expect(answer.headers.get('x-gatehouse-fake')).toBe('users; an echo of what was asked');
    expect(said).toEqual(['faked users: GET /x 200']);
    expect(made.lines).toEqual(['users is faked by an echo of what was asked']);
  });

  it('change nothing where nothing is faked', async () => {
    const given = source({ users: NOWHERE });
    const made = make({});
    await made.prepare(given);
    expect([made.isOn, made.adapt(given), made.lines, await made.haveChanged()]).toEqual([
      false,
      given,
      [],
      false,
    ]);
  });

  it('stand in for those that are missing, until somebody listens', async () => {
    const server = await listening();
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const given = source({ users: { targets: [`http://127.0.0.1:${port}`] } });
    const made = make({ missing: true });
    await made.prepare(given);
    expect(made.lines).toEqual(['users is faked by an echo of what was asked, since nobody listens there']);
    expect(await made.haveChanged()).toBe(false);
    const again = await listening(port);
    expect(await made.haveChanged()).toBe(true);
    await made.prepare(given);
    expect([made.lines, made.adapt(given)]).toEqual([[], given]);
    await new Promise((resolve) => again.close(resolve));
  });

  it('read their files again, and tell which ones they are', async () => {
    const file = join(folder, 'users.json');
    const document = (value: unknown): void =>
      writeFileSync(
        file,
        JSON.stringify({
          openapi: '3.1.0',
          paths: {
            '/x': { get: { responses: { 200: { content: { 'application/json': { example: value } } } } } },
          },
        }),
      );
    const given = source({ users: NOWHERE });
    const made = make({ wanted: faked('users', file) });
    for (const value of [1, 2]) {
      document(value);
      await made.prepare(given);
      expect(await (await fetch(`${targetOf(made.adapt(given), 'users')}/x`)).json()).toBe(value);
    }
    expect(new Set(made.files)).toEqual(new Set([file]));
  });

  it('tell all faults at once, and start none then', async () => {
    const made = make({ wanted: [...faked('users', 'none.yaml'), ...faked('plain'), ...faked('other')] });
    const given = source({
      users: NOWHERE,
      other: NOWHERE,
      plain: { protocol: 'grpc', targets: ['grpc://127.0.0.1:9'] },
    });
    const error = await made.prepare(given).catch((reason: unknown) => reason);
    expect((error as ConfigError).faults.map(({ key, message }) => [key, message])).toEqual([
      ['users', 'there is no file none.yaml'],
      ['plain', expect.stringContaining('nothing describes its services')],
    ]);
    expect(made.lines).toEqual([]);
  });

  it('names the nearest upstream for one that there is not', async () => {
    const error = await make({ wanted: faked('usres') })
      .prepare(source({ users: NOWHERE }))
      .catch((reason: unknown) => reason);
    expect((error as ConfigError).faults).toEqual([
      { file: '--fake', key: 'usres', message: 'there is no such upstream', suggestion: 'users' },
    ]);
  });
});

async function listening(port = 0): Promise<Server> {
  const server = createServer((_, response) => void response.end());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}
