import { createHash } from 'node:crypto';
import { call } from '../../support/client.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { startRedis, type RedisServer } from '../../support/redis.ts';

const KEY = 'test-key-of-the-acme-app-of-the-pages';
/** How many requests of its quota the client has used. */
const USED = 13;

const CONFIG = `version: 1
identity:
  issuers: [{ issuer: 'https://id.example.com/', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }]
  apiKeys: [{ sha256: ${createHash('sha256').update(KEY).digest('hex')}, clientId: acme-app, tier: pro }]
  revocation: { longest: 1d }
tiers: { free: { rate: 100, per: 1m }, pro: { rate: 10000, per: 1m } }
defaults: { policies: { authentication: { schemes: [jwt, apiKey] } } }
upstreams: { users: { targets: ['http://10.0.0.1:4101', 'http://10.0.0.2:4101'] } }
routes:
  - { id: users, match: { path: /users/* }, upstream: users, policies: { rateLimit: { key: principal, tiers: true } } }
  - id: counted
    match: { path: /counted }
    respond: { status: 204 }
    policies: { quota: { name: monthly, limit: 10, window: month, timeZone: Europe/Berlin, byTier: { pro: 30 } } }
  - { id: open, match: { path: /open }, respond: { status: 204 }, policies: { authentication: public } }
`;

/** The gateway that the blocks about orders of operators ask, with a Redis. It is started for all of them once. */
export class Desk {
  static #open: Desk | undefined;

  readonly redis: RedisServer;
  readonly gateway: TestGateway;

  private constructor(redis: RedisServer, gateway: TestGateway) {
    this.redis = redis;
    this.gateway = gateway;
  }

  /** The one that runs; started when it is asked for first. */
  static async open(): Promise<Desk> {
    if (Desk.#open) return Desk.#open;
    const redis = await startRedis();
    const gateway = await startGateway({ config: CONFIG, environment: { REDIS_URL: redis.url } });
    Desk.#open = new Desk(redis, gateway);
    for (let sent = 0; sent < USED; sent += 1)
      await call(`${gateway.url}/counted`, { headers: { 'x-api-key': KEY } });
    return Desk.#open;
  }

  static async close(): Promise<void> {
    await Desk.#open?.gateway.stop();
    await Desk.#open?.redis.stop();
    Desk.#open = undefined;
  }
}
