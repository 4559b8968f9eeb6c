import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { startGateway, type TestGateway } from './gateway.ts';
import { startPeer, type GrpcPeer } from './grpc-peer.ts';
import { KindsGateway, kindsConfig, type KindsConfig } from './kinds-gateway.ts';

/** A gateway in front of a service in Python. */
export class PeerGateway extends KindsGateway {
  readonly peer: GrpcPeer;

  constructor(gateway: TestGateway, peer: GrpcPeer, options: KindsConfig) {
    super(gateway, { target: peer.url, ...options });
    this.peer = peer;
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
export function usePeerGateway(options: KindsConfig = {}): { readonly kinds: PeerGateway } {
  const holder: { kinds?: PeerGateway } = {};
  let peer: GrpcPeer | undefined;
  beforeAll(async () => {
    peer = await startPeer();
    const gateway = await startGateway({ config: kindsConfig({ target: peer.url, ...options }) });
    holder.kinds = new PeerGateway(gateway, peer, options);
  });
  beforeEach(() => peer?.behave());
  afterAll(async () => {
    await holder.kinds?.gateway.stop();
    await peer?.stop();
  });
  return holder as { readonly kinds: PeerGateway };
}
