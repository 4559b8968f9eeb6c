import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Res } from '@nestjs/common';
import { Field, ID, Int, ObjectType, Query } from '@nestjs/graphql';
import type { FastifyReply } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startFeed } from '../../examples/services/feed.ts';
import { startNotifications } from '../../examples/services/notifications.ts';
import type { SampleService } from '../../examples/services/sample-service.ts';
import { ViewResolver } from '../../src/bff/graphql/fields/view-resolver.ts';
import type { ViewRun } from '../../src/bff/view-run.ts';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { Notifications } from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';
import { grpcUpstream } from '../../src/calls/grpc-upstream.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { startShop, type Shop } from '../support/shop.ts';

const NAMES = ['rest', 'grpc'].flatMap((kind) => [1, 2, 3, 4, 5, 6].map((count) => `${kind}${count}`));
/** Far longer than any test runs: whoever waited for the service would never answer. */
const FOREVER = { slow: 600_000 };
const decode = z.object({ items: z.array(z.object({ id: z.string() })) });

type Shown = { readonly items?: readonly { readonly id: string }[]; readonly unread?: number };
type Any = View<object, object, never>;

/** One section per service; those with an odd number have a fallback. */
function withSection(view: Any, name: string, budget: '600ms' | '1m'): Any {
  const hasFallback = Number(name.at(-1)) % 2 === 1;
  if (name.startsWith('rest')) {
    const call = httpUpstream(name).get<object, Shown>(`${name}.feed`, '/feed', { decode });
    const options = hasFallback
      ? ({ budget, fallback: () => ({ items: [] }) } as const)
      : ({ budget } as const);
    return view.section(name as never, call, () => ({}), options) as unknown as Any;
  }
  const call = grpcUpstream(name).unary(`${name}.unread`, Notifications.method.getUnread, {
    idempotent: true,
  });
  const source = async (scope: {
    call: (of: typeof call, input: object) => Promise<Shown>;
  }): Promise<Shown> => {
    const { unread } = await scope.call(call, {});
    return { unread: unread as number };
  };
  const options = hasFallback
    ? ({ budget, fallback: () => ({ unread: 0 }) } as const)
    : ({ budget } as const);
  return view.section(name as never, source as never, options as never) as unknown as Any;
}

const define = (view: string, budget: '600ms' | '1m'): Any =>
  NAMES.reduce((made, name) => withSection(made, name, budget), View.define(view).input<object>() as Any);
/** Gives a section up when its budget is up. */
const Matrix = define('Matrix', '600ms');
/** Waits for longer than a busy machine takes. */
const Patient = define('Patient', '1m');

@ObjectType()
class MatrixItem {
  @Field(() => ID)
  readonly id!: string;
}
@ObjectType()
class MatrixFeed {
  @Field(() => [MatrixItem])
  readonly items!: MatrixItem[];
}
@ObjectType()
class MatrixUnread {
  @Field(() => Int)
  readonly unread!: number;
}
@ObjectType('Matrix')
class MatrixType {}
for (const name of NAMES) {
  Field(() => (name.startsWith('rest') ? MatrixFeed : MatrixUnread), { nullable: true })(
    MatrixType.prototype,
    name,
  );
}

@ViewResolver(Matrix, () => MatrixType)
class MatrixResolver {
  constructor(private readonly views: Views) {}

  @Query(() => MatrixType)
  matrix(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Matrix, {}, exchange);
  }
}
@ViewResolver(Patient, () => MatrixType)
class PatientResolver {
  constructor(private readonly views: Views) {}

  @Query(() => MatrixType)
  patient(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Patient, {}, exchange);
  }
}
@Controller('matrix')
@Authentication({ schemes: ['jwt'] })
class MatrixController {
  constructor(private readonly views: Views) {}

  @Get()
  show(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Matrix, {}, exchange, reply);
  }

  @Get('patient')
  wait(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Patient, {}, exchange, reply);
  }
}
@Module({
  imports: [ViewsModule],
  controllers: [MatrixController],
  providers: [MatrixResolver, PatientResolver],
})
class MatrixModule {}

type Page = Record<string, unknown> & { degraded?: readonly unknown[] };
type Services = Record<string, SampleService>;

let services: Services;
let shop: Shop;
let whole: Page;

beforeAll(async () => {
  const start = (name: string): Promise<SampleService> =>
    name.startsWith('rest') ? startFeed() : startNotifications();
  services = Object.fromEntries(
    await Promise.all(NAMES.map(async (name) => [name, await start(name)] as const)),
  );
  const upstreams = NAMES.map((name) => [
    name,
    {
      ...(name.startsWith('grpc') ? { protocol: 'grpc' } : {}),
      targets: [services[name]?.url],
      circuitBreaker: { errorRate: '100%', window: 100, consecutiveFailures: 4, openFor: '1s' },
      retry: { attempts: 1 },
    },
  ]);
  shop = await startShop({
    modules: [MatrixModule],
    upstreams: () => Object.fromEntries(upstreams) as object as Record<string, unknown>,
  });
  whole = await healed();
});
afterAll(async () => {
  await shop.stop();
  await Promise.all(Object.values(services).map((service) => service.stop()));
});
afterEach(async () => {
  await Promise.all(Object.values(services).map((service) => service.fault('none')));
  await healed();
});

/** Waits until breakers have closed and channels have noticed that their target is back. */
async function healed(): Promise<Page> {
  for (;;) {
    const page = await rest();
    if (page.degraded === undefined) return page;
    await sleep(50);
  }
}

async function rest(path = '/matrix/patient'): Promise<Page> {
  return (await shop.call(path, { as: 'user' })).json<Page>();
}

const SECTIONS = `{ ${NAMES.map((name) => `${name} { ${name.startsWith('rest') ? 'items { id }' : 'unread'} }`).join(' ')} }`;
const QUERIES = { matrix: `{ matrix ${SECTIONS} }`, patient: `{ matrix: patient ${SECTIONS} }` };

interface GraphqlAnswer {
  readonly data: { readonly matrix: Page };
  readonly errors?: readonly { readonly path: unknown; readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly degraded?: readonly object[] };
}

async function graphql(query = QUERIES.patient): Promise<GraphqlAnswer> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query });
  return (await shop.call('/graphql', { as: 'user', method: 'POST', headers, body })).json<GraphqlAnswer>();
}

/** The sections in the order in which they arrive. */
async function arrivals(): Promise<readonly (string | undefined)[]> {
  const { text } = await shop.call('/matrix', { as: 'user', headers: { accept: 'application/x-ndjson' } });
  return text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { section?: string }).section);
}

const counts = (): Record<string, number> =>
  Object.fromEntries(Object.entries(services).map(([name, { requests }]) => [name, requests.total]));

/** Both faces show the page without one section, name it, and asked every other service once each. */
async function expectOnlyMissing(
  name: string,
  code: string,
  callsOfIt: number,
  asked = () => Promise.all([rest(), graphql()]),
): Promise<void> {
  const before = counts();
  const [page, answer] = await asked();
  const hasFallback = Number(name.at(-1)) % 2 === 1;
  const standIn = hasFallback ? (name.startsWith('rest') ? { items: [] } : { unread: 0 }) : null;
  const expected = { ...whole, [name]: standIn };
  const degradation = { section: name, code, via: hasFallback ? 'fallback' : 'null' };
  expect(page).toEqual({ ...expected, degraded: [degradation] });
  expect(answer.data.matrix).toEqual(expected);
  const path = ['matrix', name];
  expect(answer.extensions?.degraded).toEqual(hasFallback ? [{ ...degradation, path }] : undefined);
  expect(answer.errors?.map((error) => [error.path, error.extensions.code])).toEqual(
    hasFallback ? undefined : [[path, code]],
  );
  const after = counts();
  const made = Object.fromEntries(NAMES.map((one) => [one, (after[one] ?? 0) - (before[one] ?? 0)]));
  expect(made).toEqual({ ...Object.fromEntries(NAMES.map((one) => [one, 2])), [name]: callsOfIt });
}

const serviceOf = (name: string): SampleService => services[name] as SampleService;

describe.each(NAMES)('of twelve sections, %s', (name) => {
  it('is slow: only it is given up, when its budget is up, and it is the last to arrive', async () => {
    await serviceOf(name).fault(FOREVER);
    const order = await arrivals();
    expect(order.slice(-2)).toEqual([name, undefined]);
    expect(new Set(order.slice(0, -2))).toEqual(new Set(NAMES.filter((one) => one !== name)));
    await expectOnlyMissing(name, 'upstream-timeout', 2, () =>
      Promise.all([rest('/matrix'), graphql(QUERIES.matrix)]),
    );
  });

  it('is dead: only it is missing', async () => {
    await serviceOf(name).fault('dead');
    await expectOnlyMissing(name, 'upstream-unreachable', 0);
  });

  it('answers garbage: only it is missing', async () => {
    await serviceOf(name).fault('garbage');
    await expectOnlyMissing(name, 'upstream-response-invalid', 2);
  });

  it('has an open breaker: only it is missing, and its service is left alone', async () => {
    await serviceOf(name).fault('unavailable');
    let code: unknown;
    while (code !== 'circuit-open')
      code = ((await rest()).degraded as { code: string }[] | undefined)?.[0]?.code;
    await expectOnlyMissing(name, 'circuit-open', 0);
  });

  it.each(['/matrix/patient', '/graphql'])(
    'is being waited for on %s when the client goes: its call ends, and nothing else',
    async (path) => {
      const service = serviceOf(name);
      const { aborted, total } = service.requests;
      await service.fault(FOREVER);
      const token = await shop.services.identity.token('user');
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const request =
        path === '/graphql' ? { method: 'POST', body: JSON.stringify({ query: QUERIES.patient }) } : {};
      const leaving = new AbortController();
      const gone = fetch(shop.gateway.url + path, { ...request, headers, signal: leaving.signal });
      while (service.requests.total === total) await sleep(2);
      leaving.abort();
      await expect(gone).rejects.toThrow();
      while (service.requests.aborted === aborted) await sleep(2);
      await service.fault('none');
      expect(await rest()).toEqual(whole);
      expect((await graphql()).data.matrix).toEqual(whole);
    },
  );
});
