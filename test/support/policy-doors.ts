import { Body, Controller, Get, Module, Post, Res, type Type } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { FastifyReply } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { AnswersView } from '../../src/contracts/answers.decorator.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import type { DoorName } from '../../src/policies/doors.ts';
import { policyList } from '../../src/policies/order.ts';
import type { Policy } from '../../src/policies/policy.ts';
import { KindsServer } from './kinds-server.ts';
import { ASK, type Asking, type Outcome } from './policy-requests.ts';
import { startShop } from './shop.ts';
import { echoSockets } from './socket-service.ts';
import { echo, startUpstream } from './upstream.ts';

type Policies = Readonly<Record<string, unknown>>;

/**
 * How a policy shows that it acts at every door that it does not declare unfit. Lies in the folder of the policy, as
 * `<folder>.doors.fixture.ts`, exported as `row`.
 */
export interface PolicyRow {
  /** Its options as a configuration file would say them, the same at every door. */
  readonly options: unknown;
  /** Those of doors at which not all of them mean something. */
  readonly optionsAt?: Readonly<Partial<Record<DoorName, unknown>>>;
  /** More policies, for what it needs to show something. */
  readonly beside?: Policies;
  /** More keys of the upstreams. */
  readonly upstream?: Policies;
  /** More keys of `grpc` of the translated route. */
  readonly grpc?: Policies;
  /** Whether calls of views say how long they are good for; then the view says so too. Default false. */
  readonly keepsParts?: boolean;
  /** Variables of the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More keys of the top level. */
  readonly more?: Policies;
  /** Whether the routes of the file say it, and not only handlers and GraphQL. Default true. */
  readonly onRoutes?: boolean;
  /** Sends real requests to a door, and fails where nothing shows. */
  acts(at: PolicyDoor): Promise<void>;
}

/** One door of a gateway on which a policy is in force. */
export interface PolicyDoor {
  readonly name: DoorName;
  /** Sends a request, as a known client unless it says otherwise, and tells what came of it. */
  ask(asking?: Asking): Promise<Outcome>;
  /** Sends a request to another door of the same gateway. */
  askAt(name: DoorName, asking?: Asking): Promise<Outcome>;
  /** Whether everything behind the gateway is silent from now on. */
  silence(isSilent: boolean): void;
  /** The header fields that the service behind a translated route heard last. */
  heard(): Readonly<Record<string, unknown>>;
}

/** A gateway with all doors, one policy in force on each. */
export interface PolicyGateway {
  at(name: DoorName): PolicyDoor;
  stop(): Promise<void>;
}

const parts = httpUpstream('parts');
const getPart = parts.get<object, unknown>('parts.get', '/part', { decode: z.unknown() });
const getKeptPart = parts.get<object, unknown>('parts.kept', '/part', {
  decode: z.unknown(),
  cache: { ttl: '1m', scope: 'public' },
});

/** What waits as long as everything is silent. */
class Silence {
  #over: Promise<void> | undefined = undefined;
  #end: () => void = () => {};

  get over(): Promise<void> | undefined {
    return this.#over;
  }

  set(isSilent: boolean): void {
    this.#end();
    this.#over = isSilent ? new Promise((resolve) => (this.#end = resolve)) : undefined;
  }
}

/** Starts a gateway with all doors, on each of which the policy is in force as far as it fits. */
export async function startPolicyDoors(policy: Policy, row: PolicyRow): Promise<PolicyGateway> {
  const silence = new Silence();
  const [kinds, behind] = await Promise.all([new KindsServer().start(), startUpstream()]);
  const sockets = echoSockets(behind.server, () => silence.over);
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 }, ...row.upstream };
  const on = (name: DoorName): Policies =>
    policy.unfit?.[name] === undefined
      ? { ...row.beside, [policy.name]: row.optionsAt?.[name] ?? row.options }
      : { ...row.beside };
  const onRoute = (name: DoorName): Policies => (row.onRoutes === false ? { ...row.beside } : on(name));
  const shop = await startShop({
    modules: [doorModule(on, silence, row.keepsParts === true ? getKeptPart : getPart)],
    environment: () => row.environment ?? {},
    upstreams: () => ({
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url], ...calm },
      behind: { targets: [behind.url], ...calm },
      // Never refuses, so that what refuses is the handler's own.
      parts: { targets: [behind.url], circuitBreaker: 'off', retry: { attempts: 1 } },
    }),
    more: { graphql: { policies: on('graphqlPost') }, ...row.more },
    routes: routesOf(onRoute, row.grpc),
  });
  const silent = (_request: IncomingMessage): void => {};
  const door = (name: DoorName): PolicyDoor => ({
    name,
    ask: (asking = {}) => ASK[name](shop.gateway.url, asking),
    askAt: (other, asking = {}) => ASK[other](shop.gateway.url, asking),
    silence: (isSilent) => {
      silence.set(isSilent);
      kinds.hold = silence.over;
      behind.listener = isSilent ? silent : echo;
    },
    heard: () => kinds.lastMetadata?.getMap() ?? {},
  });
  const stop = async (): Promise<void> => {
    silence.set(false);
    await Promise.all([shop.stop(), behind.stop()]);
    kinds.stop();
    sockets.stop();
  };
  return { at: door, stop };
}

function routesOf(on: (name: DoorName) => Policies, grpc: Policies = {}): readonly Policies[] {
  return [
    {
      id: 'socket',
      match: { path: '/socket' },
      upstream: 'behind',
      webSocket: 'on',
      policies: on('forwardedSocket'),
    },
    { id: 'proxied', match: { path: '/proxied' }, upstream: 'behind', policies: on('proxied') },
    {
      id: 'kinds',
      upstream: 'kinds',
      grpc: { service: 'test.v1.Kinds', ...grpc },
      policies: on('translated'),
    },
    {
      id: 'passed',
      match: { path: '/rpc/test.v1.Kinds/*' },
      upstream: 'kinds',
      passGrpc: { stripPrefix: '/rpc' },
      policies: on('passedGrpc'),
    },
    {
      id: 'composed',
      match: { path: '/composed/{id}' },
      policies: on('aggregated'),
      aggregate: { calls: { one: { upstream: 'behind', path: '/one/{id}', required: true } } },
    },
  ];
}

function doorModule(on: (name: DoorName) => Policies, silence: Silence, call: typeof getPart): Type {
  const Page = View.define('DoorPage')
    .input<object>()
    .required('part', call, () => ({}));

  @Controller('door')
  class DoorController {
    @Get()
    async show(): Promise<object> {
      await silence.over;
      return { shown: true };
    }

    @Post()
    async take(@Body({ schema: z.unknown() }) body: unknown): Promise<object> {
      await silence.over;
      return { body };
    }
  }

  @Controller('page')
  class PageController {
    constructor(private readonly views: Views) {}

    @Get()
    @AnswersView(Page, {}, { streamed: true })
    show(
      @CurrentExchange() exchange: Exchange,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<object | undefined> {
      return this.views.answer(Page, {}, exchange, reply);
    }
  }

  @Resolver()
  class DoorResolver {
    @Query(() => String)
    async doorPong(): Promise<string> {
      await silence.over;
      return 'pong';
    }
  }

  @Module({
    imports: [ViewsModule],
    controllers: [DoorController, PageController],
    providers: [DoorResolver],
  })
  class DoorModule {}

  say(DoorController, on('controller'));
  say(PageController, on('view'));
  return DoorModule;
}

function say(target: Type, policies: Policies): void {
  for (const { name, decorator } of policyList)
    if (Object.hasOwn(policies, name)) decorator(policies[name] as never)(target as never);
}
