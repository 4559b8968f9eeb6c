import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../test/support/redis.ts';
import type { ScenarioResult } from '../../chaos/report.ts';
import type { World } from '../../chaos/world.ts';
import { allLeft, Clients } from '../clients.ts';
import { Fleet, type ReplicaConfig } from '../fleet.ts';
import { Haproxy } from '../haproxy.ts';

const REPLICAS = 4;
const CALM_MS = 2000;

/** Four replicas behind HAProxy are replaced, one after the other, under load of every kind. */
export async function rollingRestart(world: World): Promise<ScenarioResult> {
  const redis = await startRedis();
  world.stand.redisUrl = redis.url;
  try {
    const targets = await world.startTargets(['one', 'two']);
    const config = configOf(targets.map(({ url }) => url));
    const fleet = await Fleet.start(world, config, REPLICAS);
    const haproxy = await Haproxy.start(world, fleet.ports);
    const clients = await new Clients(world, haproxy).start();
    await sleep(CALM_MS);
    const endings = await fleet.roll(haproxy);
    await sleep(CALM_MS);
    const { parts, outcomes } = await clients.finish();
    return { parts, outcomes: [...outcomes, allLeft(endings)] };
  } finally {
    world.stand.redisUrl = undefined;
    await redis.stop();
  }
}

/** Routes for requests, WebSockets and event streams, on a listener that speaks HTTP/2 without TLS as well. */
export function configOf(targets: readonly string[], routes: readonly object[] = []): ReplicaConfig {
  return (port) => ({
    version: 1,
    contracts: { enabled: false },
    trustedProxies: ['loopback'],
    floodLimit: 'off',
    listeners: [{ host: '127.0.0.1', port, http2: true }],
    defaults: { policies: { authentication: 'public' } },
    upstreams: { users: { targets } },
    routes: [
      { id: 'users', match: { path: '/users' }, upstream: 'users' },
      { id: 'socket', match: { path: '/socket' }, upstream: 'users', webSocket: {} },
      { id: 'events', match: { path: '/events' }, upstream: 'users' },
      ...routes,
    ],
  });
}
