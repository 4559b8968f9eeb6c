import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Injectable, Module, Post, type Type } from '@nestjs/common';
import { Field, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mask } from '../../src/bff/graphql/fields/mask.decorator.ts';
import { Deadline } from '../../src/policies/deadline/deadline.policy.ts';
import { Roles } from '../../src/policies/authorization/authorization.policy.ts';
import { modules } from '../../src/routes/index.ts';
import { ensureBuilt, runBin } from '../support/child.ts';
import { runCommand } from '../support/command.ts';
import { checkGateway, startGateway } from '../support/gateway.ts';

let folder: string;
let server: Server;
let port: number;
let connections = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-validate-'));
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  await ensureBuilt();
}, 60_000);
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A configuration with all that the modules of the sample need, and everything behind one port. */
const config = (more = '', orders = 'protocol: grpc, targets: [grpc://127.0.0.1:PORT]'): string =>
  `version: 1
modules: [orders, homepage, notifications]
identity: { issuers: [{ issuer: 'http://127.0.0.1:PORT', jwks: 'http://127.0.0.1:PORT/jwks', audiences: [api] }] }
defaults: { policies: { authentication: { schemes: [jwt] } } }
upstreams:
  users: { targets: ['http://127.0.0.1:PORT'] }
  feed: { targets: ['http://127.0.0.1:PORT'] }
  notifications: { protocol: grpc, targets: ['grpc://127.0.0.1:PORT'] }
  orders: { ${orders} }
  told: { protocol: grpc, targets: ['grpc://127.0.0.1:PORT'], reflection: true }
${more}`.replaceAll('PORT', String(port));
const REFLECTED = `routes:
  - { id: told, upstream: told, grpc: { service: s.S, prefix: /told } }
`;

const FILES: readonly (readonly [what: string, config: () => string, messages: readonly string[]])[] = [
  [
    'routes that cannot be compiled, a schema that is missing, and calls of another protocol, all at once',
    () =>
      config(
        `routes:
  - { id: one, match: { path: /one }, upstream: user }
  - { id: two, match: { path: /two }, upstream: users, policies: { authentication: public, authorization: { anyRole: [a] } } }
  - { id: kinds, upstream: orders, grpc: { service: s.S } }
`,
        'protocol: grpc, targets: [grpc://127.0.0.1:PORT], descriptorSet: no/such.binpb',
      ).replace("notifications: { protocol: grpc, targets: ['grpc:", "notifications: { targets: ['http:"),
    [
      'there is no upstream "user"; did you mean "users"?',
      'authorization: needs to know who calls',
      'there is no file no/such.binpb',
      'upstreams[notifications].protocol  expected `grpc`, which the calls of the module "homepage" speak; it is http',
    ],
  ],
  [
    'modules that there are not, or that lack something, all at once',
    () =>
      config()
        .replace('[orders, homepage, notifications]', '[order, orders, notifications, orders]')
        .replace("notifications: { protocol: grpc, targets: ['grpc:", "alerts: { targets: ['http:")
        .replace('orders: { protocol: grpc,', 'orders: { protocol: http,')
        .replace('targets: [grpc:', 'targets: [http:'),
    [
      '2:11  modules[0]  there is no module "order"; did you mean "orders"?',
      '2:26  modules[2]  the module "notifications" needs the module "homepage"; list it too',
      '2:26  modules[2]  the module "notifications" calls the upstream "notifications", and there is none of that name; add it under `upstreams`, with `protocol: grpc`',
      '2:41  modules[3]  "orders" is listed twice',
      '9:13  upstreams[orders].protocol  expected `grpc`, which the calls of the module "orders" speak; it is http',
    ],
  ],
  [
    'trusted documents that are not there',
    () => config('graphql: { trustedDocuments: { path: /no/such.json } }'),
    ['/no/such.json'],
  ],
];

describe('validate and start', () => {
  it.each(FILES)(
    'and all that puts a gateway together refuse %s, with the same message',
    async (_, text, messages) => {
      const file = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
      writeFileSync(file, text());
      const variables = { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'silent' };
      const validated = await runCommand(['validate', '--config', file], variables, modules);
      const started = await runBin(['start', '--config', file], variables);
      expect([validated.code, validated.stdout]).toEqual([1, '']);
      for (const message of messages) expect(validated.stderr).toContain(message);
      expect([started.code, started.stderr]).toEqual([1, validated.stderr]);
      for (const command of [['routes'], ['openapi'], ['client', '--ts', '--out', join(folder, 'client.ts')]])
        expect(await runCommand([...command, '--config', file], {}, modules)).toEqual(validated);
    },
    60_000,
  );

  it('validate asks nobody, with issuers, upstreams and Redis that are there to be asked', async () => {
    const file = join(folder, 'valid.yaml');
    writeFileSync(file, config(REFLECTED));
    const before = connections;
    const variables = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const { code, stdout, stderr } = await runCommand(['validate', '--config', file], variables, modules);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/: valid, \d+ routes? in the file, \d+ in code\n$/);
    expect(connections).toBe(before);
  });

  it('validate takes what needs Redis where REDIS_URL names one, and asks for it where none is', async () => {
    const file = join(folder, 'redis.yaml');
    const text = `version: 1
identity:
  revocation: {}
  login:
    issuer: http://127.0.0.1:PORT
    clientId: gateway
    publicOrigin: http://127.0.0.1:PORT
    session: { keysEnv: SESSION_KEYS, store: redis }
upstreams: { users: { targets: ['http://127.0.0.1:PORT'] } }
routes:
  - { id: keys, match: { path: /keys }, upstream: users, policies: { authentication: { schemes: [apiKey] } } }
`;
    const keysOnly = text.replace(/ {2}login:[^]*(?=upstreams)/, '');
    const before = connections;
    const run = (config: string, variables: Record<string, string>) => {
      writeFileSync(file, config.replaceAll('PORT', String(port)));
      return runCommand(['validate', '--config', file], { SESSION_KEYS: 'k'.repeat(32), ...variables });
    };
    const valid = await run(text, { REDIS_URL: `redis://127.0.0.1:${port}` });
    expect([valid.code, valid.stderr]).toEqual([0, '']);
    expect((await run(text, { REDIS_URL: '' })).stderr).toContain('there is no Redis: set REDIS_URL');
    expect((await run(keysOnly, { REDIS_URL: '' })).stderr).toContain(
      'add identity.apiKeys, or Redis (REDIS_URL)',
    );
    expect(connections).toBe(before);
  });
});

const CODE: readonly (readonly [what: string, messages: readonly string[], modules: () => Type[]])[] = [
  [
    'policies that nobody enforces, on fields, services and modules, and bodies that nobody checks, all at once',
    [
      'SlowResolver.slow: the policy "deadline" has no effect on a part of a GraphQL schema',
      'Query.masked: @Mask shows "***", which is no Float',
      'Service.work  @Authorization  policies.authorization  has no effect here',
      'SlowModule  @Deadline  policies.deadline  has no effect here',
      'OpenController.take  @Body  anything may come in',
      'Helped.help  @Authorization  policies.authorization  has no effect here',
    ],
    () => {
      @Resolver()
      class SlowResolver {
        @Deadline('1s')
        @Query(() => String)
        slow(): string {
          return '';
        }
        @Mask({ unless: { anyRole: ['a'] }, with: '***' })
        @Query(() => Number)
        masked(): number {
          return 1;
        }
      }
      @Injectable()
      class Service {
        @Roles('a')
        work(): void {}
      }
      class Helped {
        @Roles('a')
        help(): void {}
      }
      @Controller('open')
      class OpenController extends Helped {
        @Post()
        take(@Body() _body: object): void {}
      }
      @Deadline('1s')
      @Module({ providers: [SlowResolver, Service], controllers: [OpenController] })
      class SlowModule {}
      return [SlowModule];
    },
  ],
  [
    'a GraphQL type that is there twice',
    ['"Twice"'],
    () => {
      const twice = (): Type => {
        @ObjectType('Twice')
        class Twice {
          @Field(() => String)
          name!: string;
        }
        return Twice;
      };
      const [one, other] = [twice(), twice()];
      @Resolver()
      class TwiceResolver {
        @Query(() => one)
        one(): object {
          return {};
        }
        @Query(() => other)
        other(): object {
          return {};
        }
      }
      @Module({ providers: [TwiceResolver] })
      class TwiceModule {}
      return [TwiceModule];
    },
  ],
  [
    'a resolver that says nothing of its calls',
    ['say which calls it makes with @Calls(…)'],
    () => {
      @ObjectType('Listed')
      class Listed {
        @Field(() => String)
        name!: string;
      }
      @Resolver(() => Listed)
      class ListedResolver {
        @Query(() => [Listed])
        listed(): object[] {
          return [];
        }
        @ResolveField(() => String)
        more(): string {
          return '';
        }
      }
      @Module({ providers: [ListedResolver] })
      class ListedModule {}
      return [ListedModule];
    },
  ],
];

describe('what validate puts together, and a start', () => {
  const refusal = (start: Promise<unknown>): Promise<string> =>
    start.then(
      () => 'started',
      (error: unknown) => (error as Error).message,
    );

  it.each(CODE)('both refuse %s, with the same message', async (_, messages, modules) => {
    const options = { config: config(), modules: modules() };
    const validated = await refusal(checkGateway(options));
    for (const message of messages) expect(validated).toContain(message);
    expect(await refusal(startGateway(options))).toBe(validated);
  });

  it('both are content with a module that has nothing wrong', async () => {
    @Module({})
    class FineModule {}
    await checkGateway({ config: config(), modules: [FineModule] });
    const gateway = await startGateway({ config: config(), modules: [FineModule] });
    await gateway.stop();
  });
});
