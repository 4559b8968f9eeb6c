import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { startGateway, type TestGateway } from './gateway.ts';
import { startPeer, type GrpcPeer } from './grpc-peer.ts';

/** What the gateway in front of a peer is configured with; each of the texts is YAML in flow style. */
export interface PeerConfig {
  /** The services of `test.v1` that have routes; default `Kinds`. */
  readonly services?: readonly ('Kinds' | 'Shapes')[];
  /** More keys of `grpc` of each route. */
  readonly grpc?: string;
  /** More policies than `authentication: public`. */
  readonly policies?: string;
  /** Where the upstream is; default the peer. */
  readonly target?: string;
  /** How the methods are known; default a file of descriptors. */
  readonly schema?: string;
  /** More keys of the upstream; default that its breaker is off. */
  readonly upstream?: string;
}

/** What the gateway says of a request that is not what the method takes. */
export interface Invalid {
  readonly code: string;
  readonly errors: readonly { pointer: string; message: string; parameter?: string }[];
}

/** The configuration of a gateway in front of services of `test.v1`, as text. */
export function kindsConfig(options: PeerConfig & { readonly target: string }): string {
  const { services = ['Kinds'], grpc = '', policies = '', target } = options;
  const { schema = 'descriptorSet: proto/test/kinds.binpb', upstream = 'circuitBreaker: off' } = options;
  const routes = services.map(
    (name) => `
  - id: ${name.toLowerCase()}
    upstream: kinds
    grpc: { service: test.v1.${name}, ${grpc} }
    policies: { authentication: public, ${policies} }`,
  );
  return `
version: 1
identity: { apiKeys: [{ sha256: ${'a'.repeat(64)}, clientId: app }] }
upstreams:
  kinds: { protocol: grpc, ${schema}, targets: ['${target}'], ${upstream} }
routes:${routes.join('')}
`;
}

/** A service in Python and a gateway in front of it. */
export class PeerGateway {
  readonly peer: GrpcPeer;
  readonly gateway: TestGateway;
  readonly #options: PeerConfig;

  constructor(peer: GrpcPeer, gateway: TestGateway, options: PeerConfig) {
    this.peer = peer;
    this.gateway = gateway;
    this.#options = options;
  }

  /** The address of the gateway. */
  get url(): string {
    return this.gateway.url;
  }

  /** Starts another gateway in front of the same peer; whoever asked for it stops it. */
  another(options: PeerConfig): Promise<TestGateway> {
    return startGateway({ config: kindsConfig({ target: this.peer.url, ...this.#options, ...options }) });
  }

  /** Uses another gateway in front of the same peer, and stops it. */
  async withAnother(options: PeerConfig, use: (gateway: TestGateway) => Promise<void>): Promise<void> {
    const other = await this.another(options);
    try {
      await use(other);
    } finally {
      await other.stop();
    }
  }

  /** What the peer got with its first call, as Google's library prints it. */
  async received(type: string): Promise<unknown[]> {
    const { requests = [] } = (await this.peer.calls())[0] ?? {};
    const messages = requests.map((text) => Buffer.from(text, 'base64'));
    return (await this.peer.print(type, messages)).map((text) => JSON.parse(text ?? 'null') as unknown);
  }

  /** The one message that the peer has got, as Google's library prints it; undefined when there is none. */
  async understood(type = 'test.v1.AllKinds'): Promise<unknown> {
    const messages = await this.received(type);
    if (messages.length > 1) throw new Error(`expected one message, there are ${messages.length}`);
    return messages[0];
  }
}

/**
 * Starts a peer and a gateway before the tests of a file, and stops both after them. Each test finds a peer that
 * was told nothing and has seen no calls. The holder is filled by then.
 */
export function usePeerGateway(options: PeerConfig = {}): { readonly kinds: PeerGateway } {
  const holder: { kinds?: PeerGateway } = {};
  let peer: GrpcPeer | undefined;
  beforeAll(async () => {
    peer = await startPeer();
    const gateway = await startGateway({ config: kindsConfig({ target: peer.url, ...options }) });
    holder.kinds = new PeerGateway(peer, gateway, options);
  });
  beforeEach(() => peer?.behave());
  afterAll(async () => {
    await holder.kinds?.gateway.stop();
    await peer?.stop();
  });
  return holder as { readonly kinds: PeerGateway };
}
