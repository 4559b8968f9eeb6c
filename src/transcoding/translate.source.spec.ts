import { describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewaySchema } from '../pipeline/actions.ts';
import { readRoutes } from '../routing/read-routes.ts';
import type { ReadRoutes } from '../routing/route-action.ts';
import { translateSource } from './translate.source.ts';

const SET = { descriptorSet: 'proto/test/kinds.binpb' };

function read(upstream: object, grpc: object = {}, more: object = {}): ReadRoutes {
  const config = gatewaySchema.parse({
    version: 1,
    upstreams: { kinds: { protocol: 'grpc', targets: ['grpc://127.0.0.1:1'], ...upstream } },
    routes: [{ id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds', ...grpc }, ...more }],
  });
  return readRoutes(config, (index) => `gateway.yaml:${index}`, [translateSource]);
}

function written(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'x.proto');
  writeFileSync(file, text);
  return file;
}

/** In a workspace of its own, so that the imports are found. */
function inWorkspace(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  mkdirSync(join(folder, 'proto'));
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  copyFileSync('buf.yaml', join(folder, 'buf.yaml'));
  writeFileSync(join(folder, 'proto/x.proto'), text);
  return join(folder, 'proto/x.proto');
}

describe('routes with `grpc`', () => {
  it('makes a definition of every binding, with the policies of the route', () => {
    const { definitions, faults } = read(SET, {}, { policies: { deadline: '2s' } });
    expect(faults).toEqual([]);
    expect(definitions.map(({ id, match }) => `${match.methods.join()} ${match.path} ${id}`)).toEqual([
      'POST /test/echo kinds.Echo',
      'GET /test/query kinds.Echo',
      'PUT /test/nested/{nested_name}/{nested_deep_id} kinds.Echo',
      'PATCH /test/shelves/shelves/{string_value}/books/{string_value_2} kinds.Echo',
      'POST /test/list/{string_value} kinds.Echo',
      'GET /test/int64/{int64_value}/{color} kinds.Echo',
      'GET /test/times/{timestamp} kinds.Echo',
      'GET /test/files/* kinds.Echo',
      'POST /test/files/*:sign kinds.Echo',
      'POST /test/items/{string_value}:cancel kinds.Cancel',
      'GET /test/items/{string_value} kinds.Get',
      'OPTIONS /test/items/{string_value} kinds.Get',
      'GET /test/pick/nested kinds.Pick',
      'GET /test/pick/list kinds.Pick',
      'GET /test/pick/number kinds.Pick',
      'POST /test/blob kinds.Store',
      'DELETE /test/nothing kinds.Nothing',
      'POST /test/free kinds.Free',
      'GET /test/count/{to} kinds.Count',
      'POST /test/count kinds.Count',
      'POST /test/sum kinds.Sum',
      'POST /test/chat/{note} kinds.Chat',
      'GET /test/talk/{note} kinds.Chat',
      // The handshakes of streams whose binding takes no GET.
      'GET /test/count kinds.Count',
      'GET /test/sum kinds.Sum',
      'GET /test/chat/{note} kinds.Chat',
    ]);
    for (const one of definitions) expect(one.policies).toEqual([{ deadline: 2000 }]);
  });

  it.each([
    ['no schema', {}, {}, 'upstreams.kinds', 'expected `descriptorSet`, `proto` or `reflection`'],
    [
      'no file',
      { descriptorSet: 'no/such.binpb' },
      {},
      'upstreams.kinds.descriptorSet',
      'there is no file no/such.binpb',
    ],
    [
      'another file',
      { descriptorSet: 'package.json' },
      {},
      'upstreams.kinds.descriptorSet',
      'is not a descriptor set',
    ],
    [
      'no service',
      SET,
      { service: 'test.v1.Kind' },
      'routes.0.grpc.service',
      'there is no service "test.v1.Kind"',
    ],
    [
      'no annotation',
      SET,
      { service: 'test.v1.Plain' },
      'routes.0.grpc.service',
      'has the annotation google.api.http',
    ],
    [
      'a path outside of the prefix',
      SET,
      { prefix: '/api' },
      'routes.0.grpc.prefix',
      'Echo wants /test/echo, which is not below /api',
    ],
    ['reflection without a prefix', { reflection: true }, {}, 'routes.0.grpc', 'expected `prefix`'],
  ])('names the place and the cure of %s', (_, upstream, grpc, path, message) => {
    const { definitions, faults } = read(upstream, grpc);
    expect(definitions).toEqual([]);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.path.join('.')).toBe(path);
    expect(faults[0]?.message).toContain(message);
  });

  it('offers no WebSocket where they are off, nor what needs one', () => {
    const all = (grpc: object): string[] =>
      read(SET, grpc).definitions.map(({ match }) => `${match.path} ${match.headers['upgrade'] ?? ''}`);
    const [on, off] = [all({}), all({ webSocket: 'off' })];
    const sockets = [
      '/test/talk/{note} ',
      '/test/count websocket',
      '/test/sum websocket',
      '/test/chat/{note} websocket',
    ];
    expect(on.filter((one) => !off.includes(one))).toEqual(sockets);
    expect(off).toHaveLength(on.length - sockets.length);
  });

  it('suggests the nearest service', () => {
    expect(read(SET, { service: 'test.v1.Kind' }).faults[0]?.suggestion).toBe('test.v1.Kinds');
  });

  it('keeps the prefix for an upstream that tells its methods itself', () => {
    const { definitions } = read({ reflection: { refresh: '5s' } }, { prefix: '/test' });
    expect(definitions).toMatchObject([
      { id: 'kinds', match: { path: '/test/*', methods: [] }, action: { binding: 'unknown' } },
    ]);
  });

  it('refuses two sources of one schema, and any for an upstream of HTTP', () => {
    expect(() => read({ ...SET, reflection: true })).toThrow(
      'expected one of descriptorSet, proto, reflection',
    );
    expect(() => read({ ...SET, protocol: 'http', targets: ['http://127.0.0.1:1'] })).toThrow(
      'the protocol is http',
    );
  });

  it.each([
    [{ match: { path: '/x' } }, 'expected `match`, or `grpc` instead of it'],
    [{ rewrite: { path: '/x' } }, 'expected no `rewrite` beside `grpc`'],
    [{ grpc: { service: 'x', metadata: { request: ['X-User-Id'] } } }, 'expected a name of metadata'],
    [{ grpc: { service: 'x', metadata: { response: ['content-length'] } } }, 'expected a name of metadata'],
    [{ grpc: { service: 'x', metadata: { request: ['grpc-timeout'] } } }, 'expected a name of metadata'],
    [
      { grpc: { service: 'x', metadata: { request: ['sec-websocket-protocol'] } } },
      'expected a name of metadata',
    ],
    [
      { grpc: { service: 'x', webSocket: { origins: ['app.example'] } } },
      'a host, such as https://app.example.com',
    ],
  ])('refuses the route %j', (more, message) => {
    expect(() => read(SET, {}, more)).toThrow(message);
  });

  describe('with proto', () => {
    const PATH = process.env['PATH'];
    const schemaWith = (option: string): string => `
      syntax = "proto3";
      package s;
      import "google/api/annotations.proto";
      message Q { string id = 1; repeated string many = 2; Q self = 3; }
      service S { rpc Do(${option.startsWith('post: "/up"') ? 'stream Q' : 'Q'}) returns (Q) { option (google.api.http) = {${option}}; } }`;

    it('compiles schemas with buf', () => {
      process.env['PATH'] = `node_modules/.bin:${PATH}`;
      expect(read({ proto: 'proto/test/v1/kinds.proto' }).definitions).toHaveLength(26);
      process.env['PATH'] = PATH;
    });

    it('says what to do when buf is not installed', () => {
      process.env['PATH'] = '';
      const { faults } = read({ proto: 'proto/test/v1/kinds.proto' });
      process.env['PATH'] = PATH;
      expect(faults[0]?.path).toEqual(['upstreams', 'kinds', 'proto']);
      expect(faults[0]?.message).toContain('is not installed; use `descriptorSet`');
    });

    it('says what buf says about a schema that is wrong', () => {
      process.env['PATH'] = `node_modules/.bin:${PATH}`;
      const { faults } = read({ proto: written('syntax = "proto3"; message {') });
      process.env['PATH'] = PATH;
      expect(faults[0]?.message).toMatch(/`buf build` refuses it: .*x\.proto:1:20/);
    });

    it('lists all that is wrong in one schema at once: what buf says, methods, and paths', () => {
      process.env['PATH'] = `node_modules/.bin:${PATH}`;
      const broken = read({
        proto: written('syntax = "proto3";\nmessage A { B b = 1; }\nmessage C { D d = 1; }'),
      });
      const several = inWorkspace(`
        syntax = "proto3";
        package s;
        import "google/api/annotations.proto";
        message Q { string id = 1; }
        service S {
          rpc One(Q) returns (Q) { option (google.api.http) = { get: "/v1/{no}" }; }
          rpc Two(Q) returns (Q) { option (google.api.http) = { get: "/v1/{id}" }; }
          rpc Three(Q) returns (Q) { option (google.api.http) = { post: "/v1" body: "no" }; }
        }`);
      const wrong = read({ proto: several }, { service: 's.S' });
      process.env['PATH'] = PATH;
      expect(broken.faults.map(({ message }) => message)).toEqual([
        expect.stringMatching(/x\.proto:2:\d+.*B/),
        expect.stringMatching(/x\.proto:3:\d+.*D/),
      ]);
      expect(wrong.faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('s.S.One: s.Q has no field "no"'),
        expect.stringContaining('s.S.Three: body: s.Q has no field "no"'),
      ]);
      expect(wrong.definitions).toEqual([]);
      const { faults } = read(SET, { prefix: '/test/items' });
      expect(faults.length).toBeGreaterThan(10);
      expect(faults.every(({ message }) => message.includes('is not below /test/items'))).toBe(true);
    });

    it.each([
      ['get: "/v1/{idd}"', 's.S.Do: s.Q has no field "idd"; did you mean "id"?'],
      ['get: "/v1/{id.x}"', '"id" has no fields of its own'],
      ['get: "/v1/{many}"', '{many} can stand in a path only if it is one number, text or enum'],
      ['get: "/v1/{self}"', '{self} can stand in a path only if'],
      ['post: "/v1" body: "boddy"', 'body: s.Q has no field "boddy"'],
      ['get: "/v1" response_body: "x"', 'response_body: s.Q has no field "x"'],
      ['get: "/v1/{id"', 'expected "}"'],
      ['custom: {kind: "FETCH" path: "/v1"}', 'expected a custom kind of "*" or an HTTP method, got "FETCH"'],
      ['body: "*"', 'expected a method and a path'],
      [
        'get: "/v1" additional_bindings: {get: "/v2" additional_bindings: {get: "/v3"}}',
        'expected no additional_bindings inside',
      ],
      ['post: "/up"', 'expected body "*" for a stream of messages'],
    ])('refuses the annotation {%s}', (option, message) => {
      process.env['PATH'] = `node_modules/.bin:${PATH}`;
      const { faults } = read({ proto: inWorkspace(schemaWith(option)) }, { service: 's.S' });
      process.env['PATH'] = PATH;
      expect(faults[0]?.message).toContain(message);
    });
  });
});
