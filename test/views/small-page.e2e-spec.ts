import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../examples/services/start.ts';
import { startBff, type BffApp } from '../../src/bff/bff-app.fixture.ts';
import { exposedViews } from '../../src/bff/exposed/exposed-views.ts';
import { View } from '../../src/bff/view.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import { grpcUpstream } from '../../src/calls/grpc-upstream.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { AuthorizationStageFactory } from '../../src/policies/authorization/authorization.stage.ts';
import { policyRegistry } from '../../src/policies/order.ts';
import type { StageFactory } from '../../src/policies/stage-factory.ts';
import { Notifications } from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';

// A page as a team writes it: a gRPC call, a field that only its owner sees, a view, a route, a query.
const getUnread = grpcUpstream('notifications').unary('small.unread', Notifications.method.getUnread, {
  idempotent: true,
});

const note = z
  .object({
    id: z.string(),
    owner: z.string(),
    text: z.string().meta({ mask: { unless: 'parent.owner == principal.id', with: '***' } }),
  })
  .meta({ id: 'SmallNote', description: 'Something that somebody has not read.' });

const SmallPage = View.define('SmallPage')
  .input<{ id: string; caller: string }>()
  .required(
    'notes',
    async ({ input, call }) =>
      (await call(getUnread, { userId: input.caller })).latest.map(({ id, text }) => ({
        id,
        owner: input.id,
        text,
      })),
    { budget: '1s' },
  )
  .expose({
    rest: '/api/small-page/{id}',
    graphql: 'smallPage',
    // The service shows callers their own only; whose page it is decides who reads the texts here.
    input: ({ params, exchange }) => ({ id: params.id, caller: exchange.principal?.id ?? '' }),
    policies: { authentication: { schemes: ['jwt'] } },
    sections: { notes: z.array(note) },
    summary: 'Show what somebody has not read',
  });
const smallPage = { module: class SmallPageModule {}, imports: [CallsModule, exposedViews(SmallPage)] };

// And its spec.
const identify: StageFactory = {
  policy: policyRegistry.authentication,
  compile: () => ({ enter: (exchange: Exchange) => void exchange.principal?.id }),
};
const authorize: StageFactory = {
  policy: policyRegistry.authorization,
  compile: (input) => new AuthorizationStageFactory().compile(input),
};
let services: SampleServices;
let bff: BffApp;
beforeAll(async () => {
  services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
  const notifications = { protocol: 'grpc', targets: [services.notifications.url], circuitBreaker: 'off' };
  bff = await startBff({
    modules: [smallPage],
    factories: [identify, authorize],
    door: { authentication: { schemes: ['jwt'] } },
    upstreams: JSON.stringify({ notifications }),
  });
});
afterAll(async () => {
  await bff.stop();
  await services.stop();
});

interface Page {
  readonly notes: readonly { readonly id: string; readonly owner: string; readonly text: string }[];
}

async function rest(user: string): Promise<Page> {
  const response = await fetch(`${bff.url}/api/small-page/2`, { headers: { 'x-test-user': user } });
  return (await response.json()) as Page;
}

async function graphql(user: string): Promise<Page | undefined> {
  const response = await fetch(`${bff.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-test-user': user },
    body: JSON.stringify({ query: '{ smallPage(id: "2") { notes { id owner text } } }' }),
  });
  return ((await response.json()) as { data: { smallPage?: Page } }).data.smallPage;
}

describe('a small page', () => {
  it('shows texts to whom they belong, and is the same over REST and GraphQL', async () => {
    const own = await rest('2');
    expect(own.notes.map(({ text }) => text)).toContain('Your order was shipped');
    expect(await graphql('2')).toEqual(own);
  });

  it('masks them for everybody else', async () => {
    const others = await rest('3');
    expect(new Set(others.notes.map(({ text }) => text))).toEqual(new Set(['***']));
    expect(await graphql('3')).toEqual(others);
  });
});
