import type { Redis } from 'ioredis';
import { redisAddress, redisPlaceOf, type RedisPlace } from '../config/redis-url.ts';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeRedis, createRedis, whenReady, type StoreLog } from '../store/redis.ts';
import { mastersOf, readyMasters } from '../store/redis-cluster.ts';
import type { Check, Outcome } from './check.ts';
import { clockFinding } from './clock-checks.ts';
import { missingRights } from './redis-rights.ts';
import type { Surroundings } from './surroundings.ts';
import { reach } from './tcp-reach.ts';

/** The oldest Redis that knows all commands: `XADD` with `MINID`. */
const LEAST_VERSION = [6, 2] as const;
const READY_MS = 3000;
const WHOLE_MS = 1500;
const LOOK_EVERY_MS = 20;
const CLOCK = { slackMs: 500, toleranceMs: 5000 };

/** Whether Redis is there, and as the gateway needs it. */
export function redisChecks({ environment }: Surroundings): readonly Check[] {
  const { redisUrl, redisAccess = {}, workers } = environment;
  if (redisUrl === undefined) {
    const what = 'none: limits, quotas and revocations are of this process alone';
    return [
      {
        name: 'redis',
        subject: 'REDIS_URL',
        run: async () => ({ level: 'ok', what: workers > 1 ? `${what}, and WORKERS is ${workers}` : what }),
      },
    ];
  }
  const place = redisPlaceOf(redisUrl);
  const subject = redisAddress(place);
  const check: Check = {
    name: 'redis',
    subject,
    mend: 'REDIS_URL',
    run: async (signal) => {
      const log = new Reasons();
      const redis = createRedis(redisUrl, log, redisAccess);
      // What is left of it when nobody waits any longer.
      signal.addEventListener('abort', () => closeRedis(redis), { once: true });
      const isReady = await Promise.race([whenReady(redis, READY_MS), log.isHopeless]);
      if (!isReady) return unreachable(log.last, place);
      return reached(redis, place, subject);
    },
  };
  return [check, ...sentinelChecks(place)];
}

class Reasons implements StoreLog {
  last: string | undefined = undefined;
  readonly #hopeless = Promise.withResolvers<false>();

  /** Resolves once it is known that to wait helps nothing: one that is just starting refuses otherwise. */
  get isHopeless(): Promise<false> {
    return this.#hopeless.promise;
  }

  info(): void {
    // That it is connected shows in what comes next.
  }
  warn({ reason }: { readonly reason?: string }): void {
    this.last = reason ?? this.last;
    if (this.last !== undefined && this.last in HINTS) this.#hopeless.resolve(false);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  WRONGPASS: 'user and password in REDIS_URL, or REDIS_PASSWORD_FILE',
  NOAUTH: 'give REDIS_URL a user and a password, or set REDIS_PASSWORD_FILE',
  NOPERM: 'the rights of the user: docs/redis.md has an ACL',
  ERR_TLS_CERT_ALTNAME_INVALID: 'REDIS_SERVER_NAME: the name that its certificate is for',
  SELF_SIGNED_CERT_IN_CHAIN: 'REDIS_CA_FILE: who signs its certificates',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'REDIS_CA_FILE: who signs its certificates',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'REDIS_CA_FILE: who signs its certificates',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'REDIS_CA_FILE: who signs its certificates',
};

function unreachable(reason: string | undefined, { isTls }: RedisPlace): Outcome {
  const hint = HINTS[reason ?? ''];
  const scheme = isTls
    ? 'REDIS_URL; rediss is for a Redis that speaks TLS'
    : 'REDIS_URL; a Redis with TLS needs rediss';
  return { level: 'fail', what: `cannot be reached: ${reason ?? 'no answer'}`, mend: hint ?? scheme };
}

async function reached(redis: Redis, place: RedisPlace, subject: string): Promise<Outcome> {
  const nodes = place.kind === 'cluster' ? await connectedMasters(redis) : [redis];
  const infos = await Promise.all(nodes.map(async (node) => new Info(await node.info())));
  const first = infos[0] ?? new Info('');
  const version = first.text('redis_version');
  const clock = await clockOf(nodes[0] ?? redis);
  const role = roleFinding(infos, place, mastersOf(redis).length);
  // A replica answers each write with an error that has the connection opened anew.
  const rights =
    role.level === 'ok' ? [stated('redis rights', subject, await rightsFinding(nodes[0] ?? redis))] : [];
  const more = [
    stated('redis version', subject, versionFinding(version)),
    stated('redis role', subject, role),
    stated('redis eviction', subject, evictionFinding(infos)),
    stated('redis tls', subject, tlsFinding(place)),
    ...rights,
    stated('clock', subject, clock),
  ];
  return {
    level: 'ok',
    what: `answers, ${infos.length === 1 ? 'one server' : `${infos.length} masters`}`,
    more,
  };
}

/** Connections to the masters of a Cluster come one after the other, and perhaps not all of them. */
async function connectedMasters(redis: Redis): Promise<readonly Redis[]> {
  const lastLook = performance.now() + WHOLE_MS;
  while (readyMasters(redis).length < mastersOf(redis).length && performance.now() < lastLook)
    await sleep(LOOK_EVERY_MS);
  return readyMasters(redis);
}

function stated(name: string, subject: string, outcome: Outcome): Check {
  return { name, subject, run: () => Promise.resolve(outcome) };
}

class Info {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(text: string) {
    const pairs = text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    });
    this.#fields = new Map(pairs);
  }

  text(name: string): string {
    return this.#fields.get(name) ?? '';
  }
}

function versionFinding(version: string): Outcome {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_VERSION;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor))
    return { level: 'ok', what: version };
  const least = LEAST_VERSION.join('.');
  if (version === '')
    return { level: 'warn', what: `it does not say its version; ${least} is the oldest that will do` };
  return { level: 'fail', what: `it is ${version}`, mend: `run Redis ${least} or newer` };
}

function roleFinding(infos: readonly Info[], { kind }: RedisPlace, masters: number): Outcome {
  const first = infos[0];
  if (first?.text('role') === 'slave')
    return {
      level: 'fail',
      what: 'it is a replica, which takes no writes',
      mend: 'REDIS_URL: name the master, or Sentinels that know it',
    };
  if (kind !== 'cluster' && first?.text('cluster_enabled') === '1')
    return { level: 'fail', what: 'it is a node of a Cluster', mend: 'REDIS_URL: redis+cluster://…' };
  if (kind === 'cluster' && infos.length < masters)
    return {
      level: 'fail',
      what: `${masters - infos.length} of ${masters} masters cannot be reached`,
      mend: 'start those nodes, or let replicas take over',
    };
  return { level: 'ok', what: kind === 'cluster' ? `all ${masters} masters are reached` : 'it takes writes' };
}

function evictionFinding(infos: readonly Info[]): Outcome {
  const policies = [...new Set(infos.map((info) => info.text('maxmemory_policy')))];
  const policy = policies.find((one) => one !== 'noeviction') ?? policies[0] ?? '';
  if (policy === 'noeviction') return { level: 'ok', what: policy };
  if (policy === '')
    return { level: 'warn', what: 'it does not say its policy', mend: 'the right to call INFO' };
  const isBounded = infos.some((info) => info.text('maxmemory') !== '0');
  const what = isBounded
    ? `${policy}: when it is full, limits begin anew and revocations are forgotten`
    : `${policy}, without a limit of memory for now`;
  return { level: 'warn', what, mend: 'redis-cli CONFIG SET maxmemory-policy noeviction' };
}

function tlsFinding({ isTls, hosts }: RedisPlace): Outcome {
  if (isTls) return { level: 'ok', what: 'over TLS, verified' };
  const isNear = hosts.every(
    ({ host }) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.')),
  );
  if (isNear) return { level: 'ok', what: 'in the clear, on this machine' };
  return {
    level: 'warn',
    what: 'in the clear: whoever is in between reads sessions and keys',
    mend: 'REDIS_URL: rediss://…, and REDIS_CA_FILE for an authority of your own',
  };
}

async function rightsFinding(redis: Redis): Promise<Outcome> {
  const missing = await missingRights(redis);
  if (missing.length === 0) return { level: 'ok', what: 'all that the gateway does is allowed' };
  return {
    level: 'fail',
    what: `not allowed: ${missing.join(', ')}`,
    mend: 'ACL SETUSER: docs/redis.md has the rights that are needed',
  };
}

async function clockOf(redis: Redis): Promise<Outcome> {
  const before = Date.now();
  const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
  return clockFinding(seconds * 1000 + micros / 1000 - (before + Date.now()) / 2, CLOCK);
}

function sentinelChecks({ kind, hosts }: RedisPlace): readonly Check[] {
  if (kind !== 'sentinel') return [];
  return hosts.map(({ host, port }) => ({
    name: 'redis sentinel',
    subject: `${host}:${port}`,
    mend: 'start that Sentinel, or take it out of REDIS_URL',
    run: async (signal) => {
      const fault = await reach({ host, port, signal });
      if (fault === undefined) return { level: 'ok', what: 'reached' };
      return { level: 'warn', what: fault.what, mend: 'start that Sentinel, or take it out of REDIS_URL' };
    },
  }));
}
