import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call, type Answer, type CallOptions } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { reload } from '../support/reload.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';
import { createHash } from 'node:crypto';

const KEY = 'the-key-of-a-clerk';
const JSON_TYPE = { 'content-type': 'application/json' };
const OFFICE = { body: 'body.amount <= 100.0', roles: { clerk: { includes: ['reader'] } } };

const running: { gateway?: TestGateway; echo?: TestUpstream } = {};

const route = (id: string, policies: object): object => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies,
});

function configOf(office = OFFICE, more: readonly object[] = []): Record<string, unknown> {
  const sha256 = createHash('sha256').update(KEY).digest('hex');
  return {
    version: 1,
    identity: { apiKeys: [{ sha256, clientId: 'clerk', roles: ['clerk'] }], roles: office.roles },
    defaults: { policies: { authentication: { schemes: ['apiKey'] } } },
    upstreams: { echo: { targets: [running.echo?.url], circuitBreaker: 'off' } },
    access: [{ path: '/tried/*', anyRole: ['chief'], mode: 'shadow' }],
    routes: [
      route('readers', { authorization: { anyRole: ['reader'] } }),
      route('seen', { authorization: { when: "'reader' in principal.roles" } }),
      route('shadow', { authorization: { anyRole: ['chief'], mode: 'shadow' } }),
      route('untold', { authorization: { when: "request.headers['x-no'] == '1'", mode: 'shadow' } }),
      { id: 'tried', match: { path: '/tried/{id}' }, upstream: 'echo' },
      route('body', { bodyAuthorization: { when: office.body, maxBody: '200B' } }),
      route('body-shadow', { bodyAuthorization: { when: office.body, maxBody: '200B', mode: 'shadow' } }),
      route('checked', {
        bodyAuthorization: { when: office.body },
        validation: { body: { type: 'object', required: ['name'] } },
      }),
      ...more,
    ],
  };
}

beforeAll(async () => {
  running.echo = await startUpstream();
  running.gateway = await startGateway({ config: JSON.stringify(configOf()) });
});
afterAll(async () => {
  await running.gateway?.stop();
  await running.echo?.stop();
});

const ask = (path: string, options: CallOptions = {}): Promise<Answer> =>
  call((running.gateway?.url ?? '') + path, {
    ...options,
    headers: { 'x-api-key': KEY, ...options.headers },
  });
const send = (path: string, body: string, headers: object = JSON_TYPE): Promise<Answer> =>
  ask(path, { method: 'POST', body, headers: { ...headers } });

describe('an authorization in shadow', () => {
  it.each([
    ['/shadow', 'anyRole(chief)', 'shadow'],
    ['/untold', 'when: no_such_key', 'untold'],
    ['/tried/7', 'anyRole(chief)', 'tried'],
  ])(
    'lets pass at %s, and tells in its line and in a metric what would have refused',
    async (path, by, id) => {
      const passed = await ask(path);
      expect(passed.status).toBe(200);
      const lines = await running.gateway?.linesWhere(
        (line) => line['id'] === passed.headers['x-request-id'],
      );
      expect(lines?.[0]).toMatchObject({ shadowDenied: by, status: 200 });
      const metrics = (await call(`${running.gateway?.adminUrl ?? ''}/metrics`)).text;
      expect(metrics).toContain(`gatehouse_authorization_shadow_denied_total{route="${id}",by="${by}"} 1`);
    },
  );
});

describe('a condition on a body', () => {
  it.each<[what: string, body: string, headers: object, status: number, code: string | undefined]>([
    ['what it holds for', '{"amount": 100}', JSON_TYPE, 200, undefined],
    ['what it does not hold for', '{"amount": 100.5}', JSON_TYPE, 403, 'permission-denied'],
    ['another type', '{"amount": "1"}', JSON_TYPE, 403, 'permission-denied'],
    ['nothing that it looks at', '{"price": 1}', JSON_TYPE, 403, 'permission-denied'],
    ['what is no object', '[1]', JSON_TYPE, 403, 'permission-denied'],
    ['no body at all', '', JSON_TYPE, 403, 'permission-denied'],
    ['a name that stands twice', '{"amount": 1, "amount": 1000}', JSON_TYPE, 403, 'permission-denied'],
    ['names that every object has', '{"__proto__": {"amount": 1}}', JSON_TYPE, 403, 'permission-denied'],
    ['no JSON', '{"amount": 1', JSON_TYPE, 400, 'request-invalid'],
    [
      'another type of media',
      '{"amount": 1}',
      { 'content-type': 'text/plain' },
      415,
      'media-type-unsupported',
    ],
    ['no type of media', '{"amount": 1}', {}, 415, 'media-type-unsupported'],
    ['more than is held', `{"amount": 1, "x": "${'x'.repeat(200)}"}`, JSON_TYPE, 413, 'body-too-large'],
  ])('decides about %s', async (_what, body, headers, status, code) => {
    const told = await send('/body', body, headers);
    expect(told.status).toBe(status);
    if (code !== undefined) expect(told.json()).toMatchObject({ code });
    else expect(told.json<Echo>().body).toBe(body);
  });

  it('in shadow passes on whatever comes, byte by byte', async () => {
    for (const body of ['{"amount": 1000}', '{"amount": 1', `{"x": "${'x'.repeat(400)}"}`])
      expect((await send('/body-shadow', body)).json<Echo>().body).toBe(body);
  });

  it('goes with a schema for the same body', async () => {
    const statuses = [];
    for (const body of ['{"amount": 1, "name": "a"}', '{"amount": 1}', '{"amount": 1000, "name": "a"}'])
      statuses.push((await send('/checked', body)).status);
    expect(statuses).toEqual([200, 400, 403]);
  });

  it.each([
    [{ when: 'body.amount < principal.limit' }, /No such key: limit/],
    [{ when: "body.amount == 'a' && params.x == ''" }, /there is no `params.x`/],
    [{ when: 'amount < 3' }, /Unknown variable: amount/],
  ])('%j is a fault', async (options, message) => {
    const config = configOf(OFFICE, [route('wrong', { bodyAuthorization: options })]);
    await expect(checkGateway({ config: JSON.stringify(config) })).rejects.toThrow(message);
  });
});

describe('a reload', () => {
  it('changes what roles mean and what conditions ask, for tokens and keys that are known', async () => {
    if (running.gateway === undefined) return;
    const statuses = async () => [
      (await ask('/readers')).status,
      (await ask('/seen')).status,
      (await send('/body', '{"amount": 7}')).status,
    ];
    expect(await statuses()).toEqual([200, 200, 200]);
    await reload(
      running.gateway,
      configOf({ body: 'body.amount <= 5.0', roles: { clerk: { includes: [] } } }),
    );
    expect(await statuses()).toEqual([403, 403, 403]);
    const broken = { ...configOf(), access: [{ path: '/tried/*', when: 'principal.nmae == ""' }] };
    await expect(reload(running.gateway, broken)).rejects.toThrow(/access\[0\]\.when.*No such key: nmae/);
    expect(await statuses()).toEqual([403, 403, 403]);
    await reload(running.gateway, configOf());
    expect(await statuses()).toEqual([200, 200, 200]);
  });
});

describe('faults of roles and of access', () => {
  it.each<[object, RegExp]>([
    [
      { identity: { roles: { a: { includes: ['b'] }, b: { includes: ['a'] } } } },
      /1:\d+ {2}identity\.roles\.a\.includes {2}includes itself: a → b → a/,
    ],
    [{ access: [{ path: '/x' }] }, /access\[0\] {2}expected at least one condition/],
    [{ access: [{ path: 'x', anyRole: ['a'] }] }, /access\[0\]\.path {2}expected a path that starts with/],
    [
      {
        access: [
          { path: '/x/{a}', anyRole: ['a'] },
          { path: '/x/{b}', methods: ['GET'], anyRole: ['a'] },
          { path: '/x/{c}', anyRole: ['a'] },
        ],
      },
      /access\[2\]\.path {2}is for the same path and methods as \/x\/\{a\} before it/,
    ],
    [
      { access: [{ path: '/*', when: 'params.nothing == ""' }] },
      /access\[0\]\.when {2}there is no `params.nothing`/,
    ],
    [
      { access: [{ path: '/*', tenant: { param: 'id' }, anyRole: ['a'] }] },
      /access\[0\]\.tenant\.param {2}the path has no parameter \{id\}/,
    ],
  ])('%j', async (more, message) => {
    const { identity, ...rest } = configOf();
    const other = more as { identity?: object };
    const config = { ...rest, ...more, identity: { ...(identity as object), ...other.identity } };
    await expect(checkGateway({ config: JSON.stringify(config) })).rejects.toThrow(message);
  });
});
