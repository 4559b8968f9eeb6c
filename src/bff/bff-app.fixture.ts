import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { readConfig } from '../config/config-reader.ts';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';
import { fastifyOptions } from '../pipeline/fastify-options.ts';
import { gatewayAdapter } from '../pipeline/gateway-adapter.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage-factory.ts';
import { ProblemFilter } from '../problems/problem.filter.ts';
import { gatewaySchemaOf } from '../routing/gateway.schema.ts';
import { ACTION_KINDS } from '../routing/route-action.ts';
import type { DeclaredPolicies } from '../routing/route.ts';
import { SnapshotModule } from '../snapshot/snapshot.module.ts';
import { errorName } from '../telemetry/error-facts.ts';
import { continueTrace } from '../telemetry/trace-context.ts';
import { TelemetryModule } from '../telemetry/telemetry.module.ts';
import { BffModule } from './bff.module.ts';
import type { GraphqlOptions } from './graphql/door/graphql.options.ts';
import { graphqlRoute } from './graphql/door/graphql.route.ts';

const LOGGER = pino({ level: 'silent' });

/** What a test application is made of. */
export interface BffAppOptions {
  readonly modules?: readonly (Type | DynamicModule)[];
  readonly graphql?: GraphqlOptions;
  /** The `upstreams:` section as YAML or JSON. */
  readonly upstreams?: string;
  /** Stages of every route; none by default. */
  readonly factories?: readonly StageFactory[];
  /** The policies of the GraphQL door; it is public by default. */
  readonly door?: DeclaredPolicies;
  /** The policies of routes that say nothing themselves. */
  readonly defaults?: DeclaredPolicies;
}

/** A running application with both faces of views, and what its loggers were told. */
export interface BffApp {
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly errors: string[];
  /** The exchanges so far, oldest first. */
  readonly exchanges: Exchange[];
  stop(): Promise<void>;
}

/** The principal that the field `x-test-user` names. */
export function testPrincipal(id: string): Principal {
  const nothing = { apiKeyId: undefined, email: undefined, tenant: undefined, tier: undefined, claims: {} };
  const user = { id, scheme: 'jwt', issuer: undefined, subject: id, clientId: undefined } as const;
  return { ...user, roles: ['user'], permissions: [], scopes: [], ...nothing };
}

/** Makes the exchange of a request, as the open stage does. */
export function testExchange(
  request: Partial<Exchange['request']> & { readonly headers: Exchange['request']['headers'] },
  response: Exchange['response'],
): Exchange {
  const [path = '/', query] = (request.url ?? '/').split('?');
  return new Exchange({
    id: 'test-exchange',
    trace: continueTrace(undefined, undefined),
    clientAddress: '127.0.0.1',
    scheme: 'http',
    host: 'localhost',
    path,
    query: query === undefined ? '' : `?${query}`,
    request: request as Exchange['request'],
    response,
  });
}

/** Starts an application on a free port; whoever sends `x-test-user` is that user. */
export async function startBff(options: BffAppOptions): Promise<BffApp> {
  const errors: string[] = [];
  const noteError = (message: unknown, ...rest: unknown[]): void => {
    const shown = rest.filter((one) => Error.isError(one)).map(errorName);
    errors.push([String(message), ...shown].join(': '));
  };
  const exchanges: Exchange[] = [];
  const silent = (): void => {};
  const adapter = gatewayAdapter(fastifyOptions(LOGGER));
  const app = await NestFactory.create<NestFastifyApplication>(rootModule(options), adapter, {
    abortOnError: false,
    logger: { log: silent, warn: silent, error: noteError },
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorateRequest('exchange', null as unknown as Exchange);
  fastify.addHook('onRequest', (request, reply, done) => {
    const exchange = (request.exchange = testExchange(request.raw, reply.raw));
    const user = request.headers['x-test-user'];
    if (typeof user === 'string') exchange.principal = testPrincipal(user);
    exchanges.push(exchange);
    done();
  });
  fastify.addHook('onSend', ({ exchange }, reply, _payload, done) => {
    const { responseHeaders } = exchange;
    for (let i = 0; i < responseHeaders.length; i += 2) {
      void reply.header(responseHeaders[i] as string, responseHeaders[i + 1]);
    }
    done();
  });
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), app, errors, exchanges, stop: () => app.close() };
}

function rootModule({
  modules = [],
  graphql = {},
  upstreams = '{}',
  factories = [],
  door = { authentication: 'public' },
  defaults = {},
}: BffAppOptions): DynamicModule {
  const text = `version: 1\nupstreams: ${upstreams}\ndefaults: { policies: ${JSON.stringify(defaults)} }\n`;
  const source = readConfig(gatewaySchemaOf([]), text, 'test.yaml', {});
  const globals = {
    providers: [
      { provide: GATEWAY_SOURCE, useValue: source },
      { provide: STAGE_FACTORIES, useValue: factories },
      { provide: ACTION_KINDS, useValue: [] },
    ],
    exports: [GATEWAY_SOURCE, STAGE_FACTORIES, ACTION_KINDS],
  };
  return {
    module: class RootModule {},
    imports: [
      { module: Globals, ...globals },
      TelemetryModule.forRoot(LOGGER),
      SnapshotModule.forRoot(() => [graphqlRoute(door)]),
      BffModule.forRoot({ production: false, ...graphql }),
      ...modules,
    ],
    providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
  };
}

@Global()
@Module({})
class Globals {}
