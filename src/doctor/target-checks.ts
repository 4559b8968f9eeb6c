import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { isIP } from 'node:net';
import { lookup } from 'node:dns/promises';
import type { TLSSocket } from 'node:tls';
import { socketOf } from '../upstreams/create-target.ts';
import { createProbe } from '../upstreams/health/create-probe.ts';
import { loadTls, type UpstreamTls } from '../upstreams/tls-files.ts';
import {
  isOperatorsPlace,
  leadsTo,
  OPERATORS_WARNING,
  type OperatorsPlace,
} from '../upstreams/transport/operators-places.ts';
import type { Http1PoolOptions } from '../upstreams/transport/http1/http1-pool.ts';
import type { TargetOptions, UpstreamOptions } from '../upstreams/upstream.schema.ts';
import { expiryOf } from './certificate-facts.ts';
import type { Check, Finding, Outcome } from './check.ts';
import { connectionFault } from './connection-faults.ts';
import { discoveryCheck } from './discovery-checks.ts';
import { folderOf, placeOf, type Surroundings } from './surroundings.ts';

/** So many targets of one upstream are looked at. */
const MOST_TARGETS = 50;

/** An upstream, as its targets are reached. */
export interface CheckedUpstream {
  readonly name: string;
  readonly options: UpstreamOptions;
  readonly tls: UpstreamTls | undefined;
}

/** Whether the targets of all upstreams are there; those of registries once these have answered. */
export function upstreamChecks(around: Surroundings): readonly Check[] {
  const { upstreams } = around.source.value;
  const tls = loadTls(upstreams, folderOf(around)).upstreams;
  return Object.entries(upstreams).flatMap(([name, options]) => {
    const upstream = { name, options, tls: tls.get(name) };
    if (options.discovery !== undefined)
      return discoveryCheck(around, upstream, (found) => targetChecks(around, upstream, found));
    return targetChecks(around, upstream, options.targets);
  });
}

function targetChecks(
  around: Surroundings,
  upstream: CheckedUpstream,
  targets: readonly TargetOptions[],
): readonly Check[] {
  const checks = targets
    .slice(0, MOST_TARGETS)
    .map((target, index) => targetCheck(around, upstream, { target, index }));
  const names = new Set(targets.map((target) => hostOf(target)).filter((host) => isIP(host) === 0));
  const place = placeOf(around, ['upstreams', upstream.name]);
  const ofNames = [...names].slice(0, MOST_TARGETS).map((host) => nameCheck(upstream.name, host, place));
  if (targets.length <= MOST_TARGETS) return [...ofNames, ...checks];
  const what = `${MOST_TARGETS} of ${targets.length} targets are looked at`;
  const rest: Check = { name: 'target', subject: upstream.name, run: async () => ({ level: 'ok', what }) };
  return [...ofNames, ...checks, rest];
}

function hostOf({ url }: TargetOptions): string {
  return new URL(url.replace(/^grpc/, 'http')).hostname.replace(/^\[|\]$/g, '');
}

function nameCheck(upstream: string, host: string, mend: string): Check {
  return {
    name: 'dns',
    subject: `${upstream} ${host}`,
    mend,
    run: async () => {
      try {
        const found = await lookup(host, { all: true });
        return {
          level: 'ok',
          what: found
            .map(({ address }) => address)
            .slice(0, 4)
            .join(', '),
        };
      } catch (error) {
        return { level: 'fail', what: connectionFault(error, trustKeys('')).what, mend };
      }
    },
  };
}

function targetCheck(
  around: Surroundings,
  upstream: CheckedUpstream,
  { target, index }: { readonly target: TargetOptions; readonly index: number },
): Check {
  const { name, options, tls } = upstream;
  const isListed = options.discovery === undefined;
  const place = placeOf(
    around,
    isListed ? ['upstreams', name, 'targets', index] : ['upstreams', name, 'discovery'],
  );
  return {
    name: 'target',
    subject: `${name} ${target.url}`,
    mend: place,
    run: async (signal) => {
      const socket = socketOf(target, options, tls);
      const operators = { host: around.environment.adminHost, port: around.environment.adminPort };
      const opened = await open(socket, options, { signal, operators });
      // Also while the gateway does not run, where its address says so.
      const isOwn = isOperatorsPlace(socket.host, socket.port, operators);
      if (isOwn || ('isOperators' in opened && opened.isOperators))
        return { level: 'warn', what: OPERATORS_WARNING, mend: `ADMIN_PORT, or ${place}` };
      if ('error' in opened) {
        const fault = connectionFault(opened.error, trustKeys(`upstreams.${name}.tls`));
        return { level: 'fail', what: fault.what, mend: fault.mend ?? `start it, or mend ${place}` };
      }
      const found = foundOf(opened, options);
      const more = options.health.active === undefined ? [] : [healthCheck(upstream, target, place)];
      return { ...found, more };
    },
  };
}

function trustKeys(section: string): { readonly authority: string; readonly name: string } {
  return {
    authority: `${section}.ca: the authority that signs it`,
    name: `${section}.serverName: the name that it is for`,
  };
}

type Opened =
  | { readonly certificate: X509Certificate | undefined; readonly isOperators: boolean }
  | { readonly error: unknown };

interface Opening {
  readonly signal: AbortSignal;
  readonly operators: OperatorsPlace;
}

function open(
  { host, port, tls }: Http1PoolOptions,
  { protocol }: UpstreamOptions,
  { signal, operators }: Opening,
): Promise<Opened> {
  return new Promise((resolve) => {
    const ended = (error: unknown): void => resolve({ error });
    if (tls === undefined) {
      const socket = connect({ host, port, signal });
      socket.once('error', ended).once('connect', () => {
        const isOperators = leadsTo(socket, operators);
        socket.destroy();
        resolve({ certificate: undefined, isOperators });
      });
      return;
    }
    const socket: TLSSocket = tls.connect({ port }, protocol === 'grpc' ? 'h2' : 'http/1.1', () => {
      resolve({ certificate: socket.getPeerX509Certificate(), isOperators: leadsTo(socket, operators) });
      socket.destroy();
    });
    socket.once('error', ended);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}

function foundOf(
  opened: { readonly certificate: X509Certificate | undefined },
  { tls }: UpstreamOptions,
): Finding {
  const { certificate } = opened;
  if (certificate === undefined) return { level: 'ok', what: 'it takes connections' };
  const { level, what } = expiryOf(certificate);
  const told = `it takes connections; its certificate ${what}`;
  if (tls?.verify === false)
    return {
      level: 'warn',
      what: `${told}, and is not verified`,
      mend: 'take `verify: false` out of its `tls`',
    };
  return { level, what: told, mend: level === 'ok' ? undefined : 'renew the certificate there' };
}

// As the gateway itself asks it while it runs.
function healthCheck({ name, options, tls }: CheckedUpstream, target: TargetOptions, place: string): Check {
  const { active } = options.health;
  return {
    name: 'health',
    subject: `${name} ${target.url}${active?.path ?? ''}`,
    mend: place,
    run: (signal) => {
      if (active === undefined) return Promise.resolve({ level: 'ok', what: 'not asked' });
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const origin = target.url.replace(/\/$/, '');
      const watched = {
        upstream: name,
        options,
        origin,
        host: hostOf(target),
        socket: socketOf(target, options, tls),
      };
      const probe = createProbe(active, watched);
      const end = probe.ask(({ isGood, fault }) => {
        if (isGood) resolve({ level: 'ok', what: fault ?? 'well' });
        else
          resolve({
            level: 'fail',
            what: `not well: ${fault ?? 'unknown'}`,
            mend: `the service, or upstreams.${name}.health.active`,
          });
      });
      signal.addEventListener('abort', end, { once: true });
      return promise.finally(() => probe.close());
    },
  };
}
