import { mkdirSync, writeFileSync } from 'node:fs';
import { certificate } from '../../support/certificates.ts';
import { call } from '../../support/client.ts';
import { startGateway } from '../../support/gateway.ts';
import { Reloads } from '../../../src/snapshot/reloads.ts';
import { freePort } from '../../../src/listeners/free-port.ts';
import { Desk } from './desk.ts';
import type { Around, PageScenes, Scene } from './scene.ts';

/** A block that asks the gateway of the desk. */
const atDesk = (more: Omit<Around, 'gateway'> = {}): Scene => ({
  set: async () => ({ ...more, gateway: (await Desk.open()).gateway }),
});

/** A few requests, once somebody records. */
async function requests(): Promise<void> {
  const { gateway } = await Desk.open();
  const isOn = async (): Promise<boolean> =>
    (await call(`${gateway.adminUrl}/record`)).json<{ isOn: boolean }>().isOn;
  while (!(await isOn())) await new Promise(setImmediate);
  await Promise.all(Array.from({ length: 4 }, () => call(`${gateway.url}/open`)));
}

const FIRST = `version: 1
defaults: { policies: { authentication: public } }
routes:
  - { id: one, match: { path: /one }, respond: { status: 204 } }
  - { id: two, match: { path: /two }, respond: { status: 204 } }
`;

/** A gateway that has read its file again, with another route in it. */
async function reloaded(): Promise<Around> {
  writeFileSync('gateway.yaml', FIRST);
  const gateway = await startGateway({ config: FIRST });
  writeFileSync(
    'gateway.yaml',
    FIRST.replace('id: two, match: { path: /two', 'id: three, match: { path: /three'),
  );
  await gateway.gateway.app.get(Reloads).reload('file');
  return { gateway, stop: () => gateway.stop() };
}

const EXAMINED = `version: 1
listeners:
  - port: 0
    tls:
      certificates: [{ cert: tls/a.pem, key: tls/a.key }]
identity:
  issuers:
    - { issuer: 'https://id.test/', secretEnv: SIGNING_SECRET, audiences: [api] }
upstreams:
  users:
    targets:
      - http://127.0.0.1:CLOSED
routes:
  - { id: users, match: { path: /users/*, hosts: [api.example.com] }, upstream: users, policies: { authentication: public } }
`;

/** A file whose surroundings leave much to be desired. */
async function neglected(): Promise<Around> {
  const { redis } = await Desk.open();
  const client = redis.client();
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', '100mb');
  const { cert, key } = certificate({ name: 'api.example.com', hosts: ['api.example.com'], toDay: 6.5 });
  mkdirSync('tls');
  writeFileSync('tls/a.pem', cert);
  writeFileSync('tls/a.key', key, { mode: 0o600 });
  writeFileSync('gateway.yaml', EXAMINED.replace('CLOSED', String(await freePort())));
  return {
    env: { REDIS_URL: redis.url, PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1' },
    stop: () => client.config('SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '0'),
  };
}

/** Blocks of commands that ask a gateway that runs, or what is around one. */
export const running: Readonly<Record<string, PageScenes>> = {
  'docs/ask-before-you-change.md': {
    '$ npx gatehouse doctor': { set: neglected, varies: [/(?<=version \S+: )\d+\.\d+\.\d+/, /\bin \d days/] },
    '$ npx gatehouse record': {
      ...atDesk({ instead: [['--for 10m', '--for 400ms']], beside: requests }),
      varies: [/\b\d+(?= exchanges| left out)/],
    },
  },
  'docs/command-line.md': {
    '$ npx gatehouse log-level': atDesk(),
    '$ npx gatehouse quota': atDesk(),
    '$ npx gatehouse tiers': atDesk(),
  },
  'docs/health.md': {
    '$ curl -X PUT localhost:9080/upstreams': atDesk(),
    '$ npx gatehouse eject': atDesk(),
  },
  'docs/logs.md': { '$ npx gatehouse log-level': atDesk() },
  'docs/operations.md': { '$ npx gatehouse config history': { set: reloaded } },
  'docs/revocation.md': {
    '$ npx gatehouse revoke --sub': atDesk({
      instead: [['2026-11-27T18:00:00Z', new Date(Date.now() + 3_600_000).toISOString()]],
    }),
    '$ npx gatehouse revoke --undo': atDesk(),
  },
};
