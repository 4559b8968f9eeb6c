import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Answer } from './client.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { KindsServer } from './kinds-server.ts';

/** The API key that every gateway of {@link kindsConfig} knows. */
export const KINDS_KEY = 'test-key-of-kinds';

/** What a gateway in front of services of `test.v1` is configured with; each of the texts is YAML in flow style. */
export interface KindsConfig {
  /** The services of `test.v1` that have routes; default `Kinds`. */
  readonly services?: readonly ('Kinds' | 'Shapes')[];
  /** More keys of `grpc` of each route. */
  readonly grpc?: string;
  /** Who may call; default `public`. */
  readonly authentication?: string;
  /** More policies. */
  readonly policies?: string;
  /** Where the upstream is; default the service of the fixture. */
  readonly target?: string;
  /** How the methods are known; default a file of descriptors. */
  readonly schema?: string;
  /** More keys of the upstream; default that its breaker is off. */
  readonly upstream?: string;
}

/** What the gateway says of a request that is not what the method takes. */
export interface Invalid {
  readonly code: string;
  readonly detail?: string;
  readonly errors: readonly { pointer: string; message: string; parameter?: string }[];
}

/** The configuration of a gateway in front of services of `test.v1`, as text. */
export function kindsConfig(options: KindsConfig & { readonly target: string }): string {
  const { services = ['Kinds'], grpc = '', authentication = 'public', policies = '', target } = options;
  const { schema = 'descriptorSet: proto/test/kinds.binpb', upstream = 'circuitBreaker: off' } = options;
  const routes = services.map(
    (name) => `
  - id: ${name.toLowerCase()}
    upstream: kinds
    grpc: { service: test.v1.${name}, ${grpc} }
    policies: { authentication: ${authentication}, ${policies} }`,
  );
  return `
version: 1
identity: { apiKeys: [{ sha256: ${createHash('sha256').update(KINDS_KEY).digest('hex')}, clientId: app }] }
upstreams:
  kinds: { protocol: grpc, ${schema}, targets: ['${target}'], ${upstream} }
routes:${routes.join('')}
`;
}

/** A gateway in front of a service, and others like it where a test wants one. */
export class KindsGateway {
  readonly gateway: TestGateway;
  readonly #options: KindsConfig & { readonly target: string };

  constructor(gateway: TestGateway, options: KindsConfig & { readonly target: string }) {
    this.gateway = gateway;
    this.#options = options;
  }

  /** The address of the gateway. */
  get url(): string {
    return this.gateway.url;
  }

  /** Starts another gateway in front of the same service; whoever asked for it stops it. */
  another(options: KindsConfig): Promise<TestGateway> {
    return startGateway({ config: kindsConfig({ ...this.#options, ...options }) });
  }

  /** Uses another gateway in front of the same service, and stops it. */
  async withAnother(options: KindsConfig, use: (gateway: TestGateway) => Promise<void>): Promise<void> {
    const other = await this.another(options);
    try {
      await use(other);
    } finally {
      await other.stop();
    }
  }

  /** Sends JSON. */
  send(path: string, body: unknown, method = 'POST', url = this.url): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    return call(url + path, { method, headers, body: JSON.stringify(body) });
  }
}

/** A gateway in front of a service of this process. */
export class ServedKinds extends KindsGateway {
  readonly server: KindsServer;

  constructor(gateway: TestGateway, server: KindsServer, options: KindsConfig) {
    super(gateway, { target: server.url, ...options });
    this.server = server;
  }
}

/**
 * Starts a {@link KindsServer} and a gateway before the tests of a file, and stops both after them; its breaker is
 * on. Each test finds a service that was told nothing. The holder is filled by then.
 */
export function useServedKinds(): { readonly kinds: ServedKinds } {
  const options: KindsConfig = { upstream: '' };
  const holder: { kinds?: ServedKinds } = {};
  beforeAll(async () => {
    const server = await new KindsServer().start();
    const gateway = await startGateway({ config: kindsConfig({ target: server.url, ...options }) });
    holder.kinds = new ServedKinds(gateway, server, options);
  });
  beforeEach(() => holder.kinds?.server.reset());
  afterAll(async () => {
    await holder.kinds?.gateway.stop();
    holder.kinds?.server.stop();
  });
  return holder as { readonly kinds: ServedKinds };
}

/** Waits for as long as the test may take. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}
