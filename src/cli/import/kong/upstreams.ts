import { z } from 'zod';
import { urlFault } from '../../../config/url.ts';
import { Names, type Draft, type Section } from '../draft.ts';
import type { Source } from '../source.ts';
import { BOOKKEEPING, referenceOf } from './plugin.ts';

const MAX_WEIGHT = 1000;
const MAX_ATTEMPTS = 10;
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, grpc: 80, grpcs: 443 };
/** Targets of gRPC have no port that goes without saying. */
const UNSAID_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const BALANCING: Readonly<Record<string, string>> = {
  'round-robin': 'roundRobin',
  'least-connections': 'leastRequests',
};

/** Where a service is. */
interface Address {
  readonly protocol: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly path: string;
}

/** A service of a Kong file as an upstream. */
export interface ServiceUpstream {
  readonly name: string;
  /** What paths have in front for the service; empty for nothing. */
  readonly base: string;
  /** Whether it speaks gRPC: only calls that are passed on reach it. */
  readonly isGrpc: boolean;
  /** Why it cannot be reached by a route. */
  readonly closed?: string;
}

/** The services of a Kong file, each with the targets of the upstream that it names. */
export class Upstreams {
  readonly #names = new Names(/[^A-Za-z0-9_-]/g, 'service');
  readonly #pools = new Map<string, Source>();
  readonly #used = new Set<Source>();
  readonly #root: Source;
  readonly #draft: Draft;

  constructor(root: Source, draft: Draft) {
    this.#root = root;
    this.#draft = draft;
    for (const source of root.list('upstreams')) {
      source.skip(...BOOKKEEPING);
      source.skipDefaults({
        slots: 10_000,
        hash_on: 'none',
        hash_fallback: 'none',
        hash_on_cookie_path: '/',
        use_srv_name: false,
      });
      this.#pools.set(source.get('name', z.string()) ?? '', source);
    }
  }

  /** Adds a service. */
  add(service: Source): ServiceUpstream {
    const name = this.#names.take(service.get('name', z.string()) ?? 'service');
    const { protocol, host, port, path } = addressOf(service);
    const isGrpc = protocol === 'grpc' || protocol === 'grpcs';
    if (isGrpc && path.length > 1) service.note('left', 'calls of gRPC keep their path', 'path');
    const base = isGrpc ? '' : path.replace(/\/+$/, '');
    if (!(protocol in PORTS)) {
      service.note('closed', `services are reached by http, https, grpc and grpcs, not by ${protocol}`);
      return { name, base, isGrpc, closed: `its service is reached by ${protocol}` };
    }
    const pool = this.#pools.get(host);
    if (pool !== undefined) this.#used.add(pool);
    const targets =
      pool === undefined
        ? [targetUrl(service, protocol, `${host}:${port ?? PORTS[protocol]}`)]
        : this.#targetsOf(pool, protocol);
    if (targets.length === 0) return { name, base, isGrpc, closed: 'its upstream has no target' };
    this.#draft.upstreams[name] = {
      ...(isGrpc ? { protocol: 'grpc' } : {}),
      targets,
      ...(pool === undefined ? {} : balancingOf(pool)),
      ...limitsOf(service, protocol),
    };
    return { name, base, isGrpc };
  }

  /** Says which upstreams of the file no service names. */
  finish(): void {
    for (const pool of this.#pools.values()) {
      if (this.#used.has(pool)) continue;
      pool.note('left', 'no service that is written names it');
      pool.settle();
    }
  }

  #targetsOf(pool: Source, protocol: string): unknown[] {
    const name = pool.get('name', z.string());
    const listed = this.#root.list('targets').filter((one) => referenceOf(one, 'upstream') === name);
    const weighted = [...pool.list('targets'), ...listed].flatMap((source) => {
      source.skip(...BOOKKEEPING);
      const text = source.get('target', z.string()) ?? '';
      const weight = source.get('weight', z.int().min(0)) ?? 100;
      if (weight === 0) source.note('left', 'a target without weight gets no requests');
      const url = targetUrl(source, protocol, /:\d+$/.test(text) ? text : `${text}:8000`);
      return weight === 0 ? [] : [{ url, weight, source }];
    });
    const most = Math.max(1, ...weighted.map(({ weight }) => weight));
    if (weighted.every(({ weight }) => weight === most)) return weighted.map(({ url }) => url);
    const scale = most > MAX_WEIGHT ? MAX_WEIGHT / most : 1;
    return weighted.map(({ url, weight, source }) => {
      if (scale < 1)
        source.note('differs', `weights are 1 to ${MAX_WEIGHT}, so all of them are made smaller`, 'weight');
      return { url, weight: Math.max(1, Math.round(weight * scale)) };
    });
  }
}

function balancingOf(pool: Source): Section {
  const algorithm = pool.get('algorithm', z.string()) ?? 'round-robin';
  if (BALANCING[algorithm] === undefined)
    pool.note(
      'left',
      `${algorithm}: targets are taken in turn, or by who has the fewest requests`,
      'algorithm',
    );
  if (pool.has('healthchecks'))
    pool.note(
      'left',
      'each target has a circuit breaker; probes and ejection are `health` of the upstream',
      'healthchecks',
    );
  pool.at('healthchecks')?.settle();
  const host = pool.get('host_header', z.string());
  return {
    ...(BALANCING[algorithm] === 'leastRequests' ? { balancing: 'leastRequests' } : {}),
    ...(host === undefined ? {} : { host }),
  };
}

function addressOf(service: Source): Address {
  const text = service.get('url', z.string());
  const url = text === undefined ? undefined : URL.parse(text);
  if (url === null) service.notes.fault([...service.path, 'url'], 'expected a URL');
  if (url) {
    if (url.username + url.password !== '') service.note('left', 'targets have no credentials', 'url');
    const port = url.port === '' ? undefined : Number(url.port);
    return { protocol: url.protocol.slice(0, -1), host: url.hostname, port, path: url.pathname };
  }
  return {
    protocol: service.get('protocol', z.string()) ?? 'http',
    host: service.get('host', z.string()) ?? '',
    port: service.get('port', z.int()),
    path: service.get('path', z.string()) ?? '',
  };
}

function targetUrl(source: Source, protocol: string, authority: string): string {
  const [host, port] = [authority.replace(/:\d+$/, ''), Number(/\d+$/.exec(authority)?.[0])];
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const url = `${protocol}://${address}${port === UNSAID_PORTS[protocol] ? '' : `:${port}`}`;
  const fault = urlFault(url, {
    schemes: ['http', 'https', 'grpc', 'grpcs'],
    example: 'http://service:8001',
    rest: 'nothing',
  });
  if (fault !== undefined) source.notes.fault(source.path, 'expected the host and port of a service');
  return url;
}

function limitsOf(service: Source, protocol: string): Section {
  const [connect, read] = ['connect_timeout', 'read_timeout'].map((key) => service.get(key, z.int().min(1)));
  service.skipDefaults({ write_timeout: 60_000, enabled: true });
  if (service.has('write_timeout'))
    service.note('differs', 'the silence of both directions has one bound, `timeouts.idle`', 'write_timeout');
  const write = service.get('write_timeout', z.int().min(1));
  if (protocol === 'https' || protocol === 'grpcs') {
    if (service.get('tls_verify', z.boolean()) !== true)
      service.note(
        'differs',
        'the service has to prove who it is here; say `tls.ca` if its authority is your own',
      );
  } else service.skip('tls_verify');
  const retries = service.get('retries', z.int().min(0));
  const idle = Math.max(read ?? 0, write ?? 0);
  const timeouts = {
    ...(connect === undefined ? {} : { connect: `${connect}ms` }),
    ...(read === undefined ? {} : { firstByte: `${read}ms` }),
    ...(idle === 0 ? {} : { idle: `${idle}ms` }),
  };
  return {
    ...(retries === undefined ? {} : { retry: { attempts: Math.min(retries + 1, MAX_ATTEMPTS) } }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
  };
}
