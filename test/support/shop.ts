import { afterAll, beforeAll } from '@jest/globals';
import { createHash } from 'node:crypto';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../examples/services/start.ts';
import type { TokenUser } from '../../examples/services/identity.ts';
import { call, type Answer, type CallOptions } from './client.ts';
import { startGateway, type LogLine, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

/** A key that the configuration of every shop knows; its client may do what a user may. */
export const API_KEY = 'test-key-of-the-mobile-app';

/** One route of the configuration file, as data. */
export type RouteInput = Readonly<Record<string, unknown>>;

/** What a shop's configuration says on top of the sample services. */
export interface ShopOptions {
  readonly routes?: readonly RouteInput[];
  /** More upstreams, or others in place of the sample services. */
  readonly upstreams?: (services: SampleServices) => Readonly<Record<string, unknown>>;
  /** More keys of the top level, such as `floodLimit`. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** More keys of `identity`. */
  readonly identity?:
    | Readonly<Record<string, unknown>>
    | ((services: SampleServices) => Readonly<Record<string, unknown>>);
  /** More keys of the issuer. */
  readonly issuer?: Readonly<Record<string, unknown>>;
  readonly policies?: Readonly<Record<string, unknown>>;
  /** What roles mean. */
  readonly roles?: Readonly<Record<string, unknown>>;
  readonly modules?: NonNullable<TestGatewayOptions['modules']>;
  readonly environment?: () => Readonly<Record<string, string>>;
}

/** A request of a test; the credential is a name, not a token. */
export interface ShopCall extends CallOptions {
  readonly as?: TokenUser;
  readonly apiKey?: string;
}

/** A gateway in front of all sample services and one upstream that echoes. */
export class Shop {
  readonly services: SampleServices;
  readonly echo: TestUpstream;
  readonly gateway: TestGateway;

  constructor(services: SampleServices, echo: TestUpstream, gateway: TestGateway) {
    this.services = services;
    this.echo = echo;
    this.gateway = gateway;
  }

  /** Sends a request through the gateway. */
  async call(path: string, { as, apiKey, ...options }: ShopCall = {}): Promise<Answer> {
    const headers = { ...options.headers };
    if (as !== undefined) headers['authorization'] = `Bearer ${await this.services.identity.token(as)}`;
    if (apiKey !== undefined) headers['x-api-key'] = apiKey;
    return call(this.gateway.url + path, { ...options, headers });
  }

  /** Resolves once the homepage is whole: sections have budgets, and whoever asks first waits for code and connections. */
  async warm(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) {
      const page = (await this.call('/api/homepage', { as: 'user' })).json<{ readonly degraded?: unknown }>();
      if (page.degraded === undefined) return;
    }
    throw new Error('the homepage stays degraded');
  }

  /** The access line of an answer, and proof that there is no second one. */
  async lineOf(answer: Pick<Answer, 'headers'>): Promise<LogLine> {
    return this.lineOfId(String(answer.headers['x-request-id']));
  }

  /** The access line of a request id. */
  async lineOfId(id: string): Promise<LogLine> {
    const lines = await this.gateway.linesWhere((line) => line['id'] === id && line.msg === 'exchange');
    if (lines.length !== 1) throw new Error(`expected one access line of ${id}, there are ${lines.length}`);
    return lines[0] as LogLine;
  }

  /** What operators would scrape. */
  async metrics(): Promise<string> {
    return (await call(`${this.gateway.adminUrl}/metrics`)).text;
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await Promise.all([this.echo.stop(), this.services.stop()]);
  }
}

/** Starts a shop. */
export async function startShop(options: ShopOptions = {}): Promise<Shop> {
  const [services, echo] = await Promise.all([
    startSampleServices({ ports: FREE_PORTS, quiet: true }),
    startUpstream(),
  ]);
  const config = JSON.stringify(shopConfig(services, echo, options));
  const { modules } = options;
  const gateway = await startGateway({
    config,
    environment: options.environment?.() ?? {},
    ...(modules === undefined ? {} : { modules }),
  });
  return new Shop(services, echo, gateway);
}

/** Starts a shop before the tests of a file and stops it after them. The holder is filled by then. */
export function useShop(options: ShopOptions = {}): { readonly shop: Shop } {
  const holder: { shop?: Shop } = {};
  beforeAll(async () => {
    holder.shop = await startShop(options);
  });
  afterAll(() => holder.shop?.stop());
  return holder as { readonly shop: Shop };
}

/** A whole configuration as data; JSON is YAML. */
export function shopConfig(services: SampleServices, echo: TestUpstream, options: ShopOptions): object {
  const { identity } = services;
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  return {
    version: 1,
    modules: ['orders', 'homepage', 'notifications'],
    defaults: { policies: { authentication: { schemes: ['jwt', 'apiKey'] }, ...options.policies } },
    identity: {
      issuers: [
        {
          issuer: identity.issuer,
          jwks: `${identity.url}/jwks`,
          audiences: ['api'],
          claims: { roles: 'roles', email: 'email', tenant: 'tid', tier: 'tier' },
          ...options.issuer,
        },
      ],
      apiKeys: [{ sha256: sha256(API_KEY), clientId: 'mobile-app', roles: ['user'] }],
      ...(typeof options.identity === 'function' ? options.identity(services) : options.identity),
      ...(options.roles && { roles: options.roles }),
    },
    upstreams: {
      users: { targets: [services['users-1'].url, services['users-2'].url] },
      feed: { targets: [services.feed.url] },
      payments: { targets: [services.payments.url] },
      orders: { protocol: 'grpc', targets: [services.orders.url] },
      notifications: { protocol: 'grpc', targets: [services.notifications.url] },
      echo: { targets: [echo.url], ...calm },
      ...options.upstreams?.(services),
    },
    routes: options.routes ?? [],
    ...options.more,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
