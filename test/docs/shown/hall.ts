import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestListener } from 'node:http';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { signWithSecret } from '../../support/key-server.ts';
import { echoSockets } from '../../support/socket-service.ts';
import { startUpstream } from '../../support/upstream.ts';

export const ISSUER = 'https://id.example.com';
const ROOT = join(import.meta.dirname, '../../..');
const SECRET = 'a-shared-secret-that-is-long-enough-for-it';

const BOB = {
  id: '2',
  name: 'Bob User',
  email: 'bob@example.com',
  roles: ['user'],
  tier: 'pro',
  segment: 'early-adopter',
};
const users: RequestListener = ({ url = '' }, response) => {
  const body = url.startsWith('/users?') ? { items: [BOB] } : url.startsWith('/unread') ? { unread: 7 } : BOB;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const config = (users: string, feed: string, audit: string): string => `version: 1
modules: [homepage]
trustedProxies: [loopback]
audit: { file: '${audit}' }
identity: { issuers: [{ issuer: '${ISSUER}', secretEnv: SIGNING, audiences: [api], claims: { roles: roles } }] }
defaults: { policies: { authentication: { schemes: [jwt] } } }
upstreams:
  users: { targets: ['${users}'] }
  feed: { targets: ['${feed}'] }
  notifications: { protocol: grpc, descriptorSet: ${ROOT}/config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] }
routes:
  - { id: users, match: { path: /api/users/* }, upstream: users, rewrite: { stripPrefix: /api }, policies: { authorization: { anyRole: [admin] } } }
  - { id: chat, match: { path: /chat/* }, upstream: users, webSocket: on, policies: { authentication: public } }
  - id: orders
    match: { path: /api/v1/orders }
    upstream: users
    policies: { rateLimit: { key: ip, rate: 100, per: 1m }, serverTiming: { for: loopback } }
  - id: profile
    match: { methods: [GET], path: '/api/v2/profile/{id}' }
    aggregate:
      calls:
        user: { upstream: users, path: '/users/{id}', required: true }
        feed: { upstream: feed, path: '/feed?user={id}&first=5', budget: 300ms, fallback: { items: [] } }
        unread: { upstream: users, path: /unread }
        author: { upstream: users, path: /users/1 }
`;

/**
 * A gateway in front of a service that is well and a feed that never answers, for blocks that show what clients and files are
 * given. It is started for all of them once.
 */
export class Hall {
  static #open: Hall | undefined;

  readonly gateway: TestGateway;
  /** Where audit events go. */
  readonly audit: string;
  readonly #stop: () => Promise<void>;

  private constructor(gateway: TestGateway, audit: string, stop: () => Promise<void>) {
    this.gateway = gateway;
    this.audit = audit;
    this.#stop = stop;
  }

  /** The one that runs; started when it is asked for first. */
  static async open(): Promise<Hall> {
    if (Hall.#open) return Hall.#open;
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-hall-'));
    const audit = join(folder, 'audit.jsonl');
    const [well, silent] = [await startUpstream(users), await startUpstream(() => undefined)];
    const sockets = echoSockets(well.server);
    // The secret of an issuer is read from the environment of the process.
    process.env['SIGNING'] = SECRET;
    const gateway = await startGateway({ config: config(well.url, silent.url, audit) });
    delete process.env['SIGNING'];
    return (Hall.#open = new Hall(gateway, audit, async () => {
      sockets.stop();
      await Promise.all([gateway.stop(), well.stop(), silent.stop()]);
      rmSync(folder, { recursive: true });
    }));
  }

  static async close(): Promise<void> {
    const hall = Hall.#open;
    Hall.#open = undefined;
    if (hall) await hall.#stop();
  }

  /** What a caller shows. */
  async bearer(sub: string, roles: readonly string[]): Promise<{ readonly authorization: string }> {
    return { authorization: `Bearer ${await signWithSecret(SECRET, ISSUER, { claims: { sub, roles } })}` };
  }
}
