import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { OpenApiDocument, Operation } from '../../src/contracts/openapi.ts';
import { ConfigError } from '../../src/config/config-fault.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { answerCheck, openApiFaults, operationsOf } from '../support/openapi-rules.ts';
import { useShop } from '../support/shop.ts';

@Public()
@Controller('plain')
class PlainController {
  @Get('said')
  say(): object {
    return { said: true };
  }
}

@Module({ controllers: [PlainController] })
class PlainModule {}

const GOING = { since: '2026-01-01', sunset: '2027-01-01', successor: '/v3' };

const holder = useShop({
  more: { floodLimit: 'off' },
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: ['grpc://127.0.0.1:9'] },
  }),
  routes: [
    {
      id: 'people',
      match: { path: '/people/*' },
      upstream: 'users',
      rewrite: { stripPrefix: '/people' },
      policies: {
        authorization: { anyRole: ['admin'] },
        rateLimit: { rate: 600, per: '1m', burst: 60, onStoreError: 'closed' },
        bodyLimit: '1KiB',
        deadline: '2s',
      },
    },
    {
      id: 'person',
      match: { methods: ['GET'], path: '/people/{id}', hosts: ['*.example.com'], headers: { 'x-beta': '1' } },
      upstream: 'users',
      policies: { authentication: 'public' },
    },
    { id: 'upload', match: { methods: ['PUT'], path: '/files/{name}' }, upstream: 'echo' },
    { id: 'download', match: { methods: ['GET'], path: '/files/{file}' }, upstream: 'echo' },
    { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
    {
      id: 'leaving',
      match: { methods: ['GET'], path: '/leaving' },
      upstream: 'echo',
      policies: { deprecation: { ...GOING, link: 'https://docs.test/', afterSunset: 'gone' } },
    },
    ...(['path', { header: 'X-Api-Version' }] as const).flatMap((by, index) =>
      ['some', 'all'].map((which) => ({
        id: `${which}-${index}`,
        match: { methods: ['GET'], path: `/${which}-${index}` },
        versions: {
          by,
          of: {
            v1: { upstream: 'echo', policies: { deprecation: GOING } },
            v2: { upstream: 'echo', ...(which === 'all' ? { policies: { deprecation: GOING } } : {}) },
          },
        },
      })),
    ),
  ],
});

async function documentOf(url: string): Promise<OpenApiDocument> {
  return (await call(`${url}/openapi.json`)).json<unknown>() as OpenApiDocument;
}

const current = (): Promise<OpenApiDocument> => documentOf(holder.shop.gateway.url);

async function operation(id: string): Promise<Operation & { readonly place: string }> {
  const found = operationsOf(await current()).find((one) => one.operation.operationId === id);
  if (found === undefined) throw new Error(`there is no operation ${id}`);
  return { ...found.operation, place: found.place };
}

function codesOf(document: OpenApiDocument, { responses }: Operation): readonly string[] {
  return Object.values(responses)
    .flatMap(
      (one) => ('$ref' in one ? document.components.responses[one.$ref.split('/').at(-1) ?? ''] : one) ?? [],
    )
    .flatMap((one) => one['x-gatehouse-codes'] ?? []);
}

describe('what goes', () => {
  it('is deprecated, with its end and its successor', async () => {
    const { deprecated, description, ...more } = await operation('leaving');
    expect(deprecated).toBe(true);
    expect(description).toMatch(
      /\n\nDeprecated since 2026-01-01, answered with 410 from 2027-01-01 on. Use .v3 instead. See https:..docs.test.\.$/,
    );
    expect(more['x-gatehouse-deprecation']).toEqual({
      ...GOING,
      link: 'https://docs.test/',
      afterSunset: 'gone',
    });
  });

  it.each([
    ['some-0.v1', true, GOING],
    ['some-0.v2', undefined, undefined],
    ['all-0.v2', true, GOING],
    ['some-1.v1', undefined, GOING],
    ['all-1.v1', true, GOING],
  ])('is told of versions, each for itself: %s', async (id, isDeprecated, told) => {
    const found = await operation(id);
    expect([found.deprecated, found['x-gatehouse-deprecation']]).toEqual([isDeprecated, told]);
  });

  it('is told of versions that share a path, beside those that stay', async () => {
    const variantsOf = async (id: string) =>
      (await operation(id))['x-gatehouse-variants']?.map(({ route, deprecated }) => [route, deprecated]);
    expect(await variantsOf('some-1.v1')).toEqual([
      ['some-1.v2', undefined],
      ['some-1.unknown', undefined],
    ]);
    expect(await variantsOf('all-1.v1')).toContainEqual(['all-1.v2', true]);
  });
});

describe('GET /openapi.json', () => {
  it('keeps the rules of OpenAPI 3.1', async () => {
    const document = await current();
    expect(document.openapi).toBe('3.1.1');
    expect(openApiFaults(document)).toEqual([]);
    expect(operationsOf(document).length).toBeGreaterThan(30);
  });

  it('is revalidated with its ETag', async () => {
    const url = `${holder.shop.gateway.url}/openapi.json`;
    const first = await call(url);
    expect([first.status, first.headers['content-type'], first.headers['cache-control']]).toEqual([
      200,
      'application/json; charset=utf-8',
      'no-cache',
    ]);
    const etag = String(first.headers['etag']);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await call(url, { headers: { 'if-none-match': known } });
      expect([again.status, again.text, again.headers['etag']]).toEqual([304, '', etag]);
    }
    expect((await call(url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    const head = await call(url, { method: 'HEAD' });
    expect([head.status, head.headers['etag'], head.text]).toEqual([200, etag, '']);
  });

  it('describes a handler by the schemas of its decorators', async () => {
    const document = await current();
    const create = await operation('orders.create');
    expect(create).toMatchObject({
      place: 'post /api/v1/orders',
      tags: ['orders'],
      summary: 'Place an order',
      security: [{ jwt: [] }],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/NewOrder' } } },
      },
      'x-gatehouse-authorization': { anyRole: ['user', 'admin'] },
      'x-gatehouse-limits': {
        rates: [{ key: 'principal', rate: 60, perSeconds: 60, burst: 10, cost: 1 }],
        deadlineMs: 3000,
      },
    });
    expect(Object.keys(create.responses)).toEqual(
      expect.arrayContaining(['201', '400', '401', '403', '408', '413', '415', '429', '502', '503', '504']),
    );
    expect(codesOf(document, create)).toEqual(expect.arrayContaining(['request-invalid', 'circuit-open']));
    expect((await operation('orders.list')).parameters).toEqual(
      expect.arrayContaining([
        {
          name: 'pageSize',
          in: 'query',
          schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
        },
      ]),
    );
    expect((await operation('orders.get')).parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
    ]);
  });

  it('tells what stages a route has, and nothing of those that it has not', async () => {
    const document = await current();
    const people = await operation('people.post');
    expect(codesOf(document, people)).toEqual(
      expect.arrayContaining([
        'credentials-missing',
        'permission-denied',
        'rate-limited',
        'limiter-unavailable',
        'body-too-large',
        'deadline-exceeded',
        'upstream-unreachable',
      ]),
    );
    expect(people['x-gatehouse-limits']).toMatchObject({ bodyBytes: 1024, deadlineMs: 2000 });
    const live = await operation('health.live');
    expect(live.security).toEqual([]);
    expect([...codesOf(document, live)].sort()).toEqual([
      'deadline-exceeded',
      'headers-too-large',
      'internal',
      'request-malformed',
      'request-timeout',
      'shutting-down',
    ]);
  });

  it('names the header fields of a refusal', async () => {
    const { components } = await current();
    const refusal = Object.values(components.responses).find((one) =>
      one['x-gatehouse-codes']?.includes('rate-limited'),
    );
    expect(Object.keys(refusal?.headers ?? {})).toEqual(
      expect.arrayContaining(['Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-RateLimit-Remaining']),
    );
    const unknown = Object.values(components.responses).find((one) =>
      one['x-gatehouse-codes']?.includes('credentials-missing'),
    );
    expect(Object.keys(unknown?.headers ?? {})).toContain('WWW-Authenticate');
  });

  it('lists what one method of one path leads to under further conditions', async () => {
    const { paths } = await current();
    expect(Object.keys(paths).filter((path) => path.startsWith('/people'))).toEqual(['/people/{rest}']);
    expect((await operation('people.get'))['x-gatehouse-variants']).toEqual([
      { route: 'person', path: '/people/{id}', hosts: ['*.example.com'], headers: { 'x-beta': '1' } },
    ]);
    // Of one shape, so of one path, whatever the routes call their parameters.
    const files = await operation('upload');
    expect([files.place, (await operation('download')).place]).toEqual([
      'put /files/{file}',
      'get /files/{file}',
    ]);
  });

  it('says of a forwarded route that the upstream decides', async () => {
    const { requestBody, responses } = await operation('upload');
    expect(requestBody).toEqual({ content: { '*/*': {} } });
    expect(responses['2XX']).toMatchObject({ content: { '*/*': {} } });
  });

  it('describes each method of the GraphQL door as what it does', async () => {
    const document = await current();
    const methods = ['get', 'post', 'put', 'delete'] as const;
    const [get, post, put, end] = await Promise.all(methods.map((one) => operation(`graphql.${one}`)));
    expect([get, post].map((one) => one?.summary)).toEqual(Array(2).fill('Run a GraphQL operation'));
    expect(get?.parameters?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['query', 'documentId', 'variables', 'extensions']),
    );
    expect(Object.keys(post?.responses ?? {})).toEqual(expect.arrayContaining(['200', '202', 'default']));
    expect([put?.requestBody, end?.requestBody]).toEqual([undefined, undefined]);
    expect(put?.responses['201']).toMatchObject({ content: { 'text/plain': {} } });
    expect(end?.parameters?.filter(({ required }) => required).map(({ name }) => name)).toEqual([
      'operationId',
      'x-graphql-event-stream-token',
    ]);
    if (end === undefined) throw new Error('there is no DELETE');
    expect(codesOf(document, end)).toEqual(expect.arrayContaining(['request-invalid', 'resource-not-found']));
  });

  it('reserves a stream and ends an operation of it as described', async () => {
    const url = '/graphql';
    const put = await holder.shop.call(url, { method: 'PUT', as: 'user' });
    expect([put.status, put.headers['content-type']]).toEqual([201, 'text/plain; charset=utf-8']);
    const headers = { 'x-graphql-event-stream-token': put.text };
    const end = (path: string, given = {}) =>
      holder.shop.call(path, { method: 'DELETE', as: 'user', headers: given });
    expect((await end(`${url}?operationId=1`, headers)).status).toBe(200);
    for (const refused of [await end(url, headers), await end(`${url}?operationId=1`)])
      expect([refused.status, refused.json<{ code: string }>().code]).toEqual([400, 'request-invalid']);
    const gone = { 'x-graphql-event-stream-token': `${put.text}x` };
    expect((await end(`${url}?operationId=1`, gone)).json<{ code: string }>().code).toBe(
      'resource-not-found',
    );
  });

  it('describes translated routes in canonical proto3 JSON', async () => {
    const { components } = await current();
    expect(components.schemas['test.v1.AllKinds']?.properties).toMatchObject({
      int64Value: { type: 'string', format: 'int64' },
      uint32Value: { type: 'integer', minimum: 0 },
      bytesValue: { type: 'string', contentEncoding: 'base64' },
      color: { type: 'string', enum: ['COLOR_UNSPECIFIED', 'COLOR_RED', 'COLOR_GREEN'] },
      otherName: { type: 'string' },
      int32List: { type: 'array', items: { type: 'integer' } },
      counts: { type: 'object', additionalProperties: { type: 'string', format: 'int64' } },
      nestedMap: { additionalProperties: { $ref: '#/components/schemas/test.v1.Nested' } },
      timestamp: { type: 'string', format: 'date-time' },
      int64Wrapper: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      nullValue: { type: 'null' },
      self: { $ref: '#/components/schemas/test.v1.AllKinds' },
    });
    const at = (place: string): Operation => {
      const [method = '', path = ''] = place.split(' ');
      const found = operationsOf(document).find((one) => one.place === `${method} ${path}`);
      if (found === undefined) throw new Error(`nothing at ${place}`);
      return found.operation;
    };
    const document = await current();
    expect(at('get /test/int64/{int64_value}/{color}').parameters).toEqual(
      expect.arrayContaining([
        {
          name: 'int64_value',
          in: 'path',
          required: true,
          schema: expect.objectContaining({ format: 'int64' }),
        },
        { name: 'nested.deep.flag', in: 'query', schema: { type: 'boolean' } },
      ]),
    );
    const queried = at('get /test/int64/{int64_value}/{color}').parameters?.map(({ name }) => name);
    expect(queried).not.toEqual(expect.arrayContaining(['int64Value']));
    expect(
      at('patch /test/shelves/shelves/{string_value}/books/{string_value_2}').requestBody?.content,
    ).toEqual({
      'application/json': { schema: { $ref: '#/components/schemas/test.v1.Nested' } },
    });
    expect(Object.keys(at('get /test/count/{to}').responses['200'] ?? {})).toContain('content');
    expect(at('get /test/count/{to}').responses['200']).toMatchObject({
      content: {
        'application/json': { schema: { type: 'array' } },
        'application/x-ndjson': {},
        'text/event-stream': {},
      },
    });
    expect(Object.keys(at('post /test/sum').requestBody?.content ?? {})).toEqual(['application/x-ndjson']);
    expect(at('post /test/blob').requestBody?.content).toEqual({ '*/*': {} });
    expect(at('post /test/items/{string_value}:cancel').operationId).toMatch(/^kinds\.Cancel/);
  });

  it('says what is answered', async () => {
    const document = await current();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ items: [{ sku: 'BOOK-1', quantity: 1 }] });
    const create = await holder.shop.call('/api/v1/orders', { as: 'user', method: 'POST', headers, body });
    expect([
      create.status,
      answerCheck(document, 'orders.create', '201').safeParse(create.json()).error,
    ]).toEqual([201, undefined]);
    const list = await holder.shop.call('/api/v1/orders', { as: 'user' });
    expect(answerCheck(document, 'orders.list', '200').safeParse(list.json()).error).toBeUndefined();
    const page = await holder.shop.call('/api/homepage', { as: 'user' });
    expect(page.json()).toHaveProperty('user.id');
    const small = await holder.shop.call('/api/homepage', { as: 'user', headers: { 'x-device': 'mobile' } });
    expect(answerCheck(document, 'homepage.show', '200').safeParse(small.json()).error).toBeUndefined();
    expect(answerCheck(document, 'homepage.show', '200').safeParse(page.json()).error).toBeUndefined();
    const bad = await holder.shop.call('/api/v1/orders', {
      as: 'user',
      method: 'POST',
      headers,
      body: '{"items":1}',
    });
    expect(answerCheck(document, 'orders.create', '400').safeParse(bad.json()).error).toBeUndefined();
    // The check itself can say no.
    expect(answerCheck(document, 'orders.list', '200').safeParse({ orders: [{}] }).success).toBe(false);
  });

  it('describes the sections of a view by what its calls decode', async () => {
    const document = await current();
    const { parameters, responses } = await operation('homepage.show');
    expect(parameters).toEqual([
      expect.objectContaining({
        name: 'fields',
        explode: false,
        schema: expect.objectContaining({
          items: { type: 'string', enum: ['user', 'feed', 'notifications'] },
        }),
      }),
      expect.objectContaining({
        name: 'x-device',
        in: 'header',
        schema: { type: 'string', enum: ['mobile', 'tv'] },
      }),
    ]);
    expect(responses['200']).toMatchObject({
      content: { 'application/x-ndjson': {}, 'text/event-stream': {} },
    });
    expect(document.components.schemas['Homepage.mobile']?.properties).toMatchObject({
      user: { properties: { id: { type: 'string' } } },
      feed: { $ref: '#/components/schemas/Headlines' },
      notifications: { $ref: '#/components/schemas/UnreadNotifications' },
    });
    expect(document.components.schemas['Homepage.tv']?.properties).not.toHaveProperty('notifications');
    expect(document.components.schemas['Homepage']?.properties).toMatchObject({
      user: { properties: { id: { type: 'string' }, roles: { type: 'array' } } },
      feed: { properties: { items: { items: { properties: { publishedAt: { format: 'date-time' } } } } } },
      notifications: { $ref: '#/components/schemas/Notifications' },
    });
  });
});

describe('GET /docs', () => {
  it('sends a page that may load nothing from elsewhere', async () => {
    const { url } = holder.shop.gateway;
    const page = await call(`${url}/docs`);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(page.text).not.toMatch(/https?:\/\/|<script>|style=|onclick/);
    const files = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, file]) => file ?? '');
    expect(files).toEqual(expect.arrayContaining(['docs/docs.js', 'docs/docs.css', 'openapi.json']));
    for (const file of files) expect((await call(`${url}/${file}`)).status).toBe(200);
  });

  it('has every module that its scripts import, as JavaScript', async () => {
    const { url } = holder.shop.gateway;
    const wanted = ['docs.js'];
    for (const file of wanted) {
      const script = await call(`${url}/docs/${file}`);
      expect([file, script.status, script.headers['content-type']]).toEqual([
        file,
        200,
        'text/javascript; charset=utf-8',
      ]);
      expect(script.headers['x-content-type-options']).toBe('nosniff');
      for (const [, name = ''] of script.text.matchAll(/from '\.\/([^']+)'/g))
        if (!wanted.includes(name)) wanted.push(name);
    }
    expect(wanted.length).toBeGreaterThan(3);
  });

  it.each(['/docs/other.js', '/docs/docs.html', '/docs/..%2fdocs.js'])('has nothing at %s', async (path) => {
    expect([400, 404]).toContain((await call(holder.shop.gateway.url + path)).status);
  });
});

describe('the configuration of the contracts', () => {
  const config = (contracts: object = {}): string =>
    JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: 'public' } },
      identity: { apiKeys: [{ sha256: 'a'.repeat(64), clientId: 'app' }] },
      upstreams: { web: { targets: ['http://127.0.0.1:9'] } },
      routes: [
        { id: 'web', match: { path: '/*' }, upstream: 'web' },
        { id: 'internal', match: { path: '/internal/*' }, upstream: 'web' },
      ],
      contracts,
    });

  async function statuses(contracts: object, mode: string): Promise<readonly number[]> {
    const gateway = await startGateway({ config: config(contracts), environment: { NODE_ENV: mode } });
    try {
      const paths = ['/openapi.json', '/docs', '/docs/docs.js'];
      return await Promise.all(paths.map(async (path) => (await call(gateway.url + path)).status));
    } finally {
      await gateway.stop();
    }
  }

  it('publishes nothing in production unless it is told to', async () => {
    // The catch-all takes the paths, and its upstream is not there.
    expect(await statuses({}, 'production')).toEqual([502, 502, 502]);
    expect(await statuses({ enabled: true }, 'production')).toEqual([200, 200, 200]);
    expect(await statuses({ enabled: false }, 'development')).toEqual([502, 502, 502]);
    expect(await statuses({}, 'development')).toEqual([200, 200, 200]);
  });

  it('puts them behind policies', async () => {
    const policies = { authentication: { schemes: ['apiKey'] } };
    expect(await statuses({ policies }, 'development')).toEqual([401, 401, 401]);
  });

  it('leaves out routes, names the API and says where it is', async () => {
    const contracts = {
      hide: ['internal'],
      title: 'Shop',
      version: '2.1',
      servers: ['https://api.example.com'],
    };
    const gateway = await startGateway({ config: config(contracts), modules: [PlainModule] });
    const document = await documentOf(gateway.url);
    await gateway.stop();
    expect(document).toMatchObject({
      info: { title: 'Shop', version: '2.1' },
      servers: [{ url: 'https://api.example.com' }],
    });
    const ids = operationsOf(document).map(({ operation: one }) => one['x-gatehouse-route']);
    expect([...new Set(ids)].sort()).toEqual(['health.live', 'health.ready', 'plain.say', 'web']);
    expect(openApiFaults(document)).toEqual([]);
  });

  it('refuses to hide what there is not', async () => {
    const started = startGateway({ config: config({ hide: ['internl'] }) });
    await expect(started).rejects.toThrow(ConfigError);
    await expect(started).rejects.toMatchObject({
      faults: [{ key: 'contracts.hide[0]', message: 'there is no route "internl"', suggestion: 'internal' }],
    });
  });
});
