import { urlFault } from './url.ts';

/** Where Redis is, and how it is asked. */
export interface RedisPlace {
  /** One server, one that Sentinels choose, or a Cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly isTls: boolean;
  /** The server, the Sentinels, or some nodes of the Cluster. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** What Sentinels call the master; empty for other kinds. */
  readonly master: string;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const PARTS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#@]*)@)?([^/?#@]*)(?:\/([^?#]*))?$/;
const PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const MASTER_AND_DATABASE = /^([A-Za-z0-9._-]+)(?:\/(\d{1,5}))?$/;
const EXAMPLES = {
  single: 'redis://127.0.0.1:6379/0',
  sentinel: 'redis+sentinel://one:26379,two:26379,three:26379/mymaster',
  cluster: 'redis+cluster://one:6379,two:6379,three:6379',
} as const;

/**
 * Says what is wrong with `REDIS_URL`, in words that never hold a part of it, for it may hold a password; undefined for
 * nothing.
 */
export function redisUrlFault(text: string): string | undefined {
  const read = partsOf(text);
  if (typeof read === 'string') return read;
  const { kind, hosts, path, user } = read;
  const example = EXAMPLES[kind];
  for (const host of hosts) {
    const fault = urlFault(`redis://${host}`, { schemes: ['redis'], example, rest: 'nothing' });
    if (fault !== undefined) return fault;
  }
  if (kind === 'single' && hosts.length > 1)
    return `expected redis+sentinel:// or redis+cluster:// where there are several hosts, such as ${EXAMPLES.sentinel}`;
  if (!isDecodable(user)) return 'expected user and password as in URLs, with %25 for a percent sign';
  if (kind === 'single' && !/^\d{0,5}$/.test(path))
    return `expected nothing but the number of a database after the host, such as ${example}`;
  if (kind === 'sentinel' && !MASTER_AND_DATABASE.test(path))
    return `expected the name of the master after the Sentinels, such as ${example}`;
  if (kind === 'cluster' && path !== '' && path !== '0')
    return `expected no database: a Redis Cluster has one, such as ${example}`;
  return undefined;
}

/** Reads `REDIS_URL`. @throws {Error} naming it, and what was expected. */
export function redisPlaceOf(text: string): RedisPlace {
  const fault = redisUrlFault(text);
  const read = partsOf(text);
  if (fault !== undefined || typeof read === 'string') throw new Error(`REDIS_URL: ${fault ?? String(read)}`);
  const { kind, isTls, hosts, path, user } = read;
  const [username = '', password = ''] = user.split(/:(.*)/s).map(decodeURIComponent);
  const [, master = '', database] = MASTER_AND_DATABASE.exec(path) ?? [];
  return {
    kind,
    isTls,
    hosts: hosts.map((host) => hostOf(host, PORTS[kind])),
    master: kind === 'sentinel' ? master : '',
    database: Number((kind === 'sentinel' ? database : path) ?? 0),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

/** Names a place for people, without its secrets. */
export function redisAddress({ kind, hosts, master }: RedisPlace): string {
  const all = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  if (kind === 'single') return all;
  return kind === 'cluster' ? `cluster of ${all}` : `${master} of Sentinels ${all}`;
}

interface Parts {
  readonly kind: RedisPlace['kind'];
  readonly isTls: boolean;
  readonly user: string;
  readonly hosts: readonly string[];
  readonly path: string;
}

function partsOf(text: string): Parts | string {
  if (!/^[!-[\]-~]*$/.test(text))
    return `expected a URL of ASCII characters without white space and backslashes, such as ${EXAMPLES.single}`;
  const [, scheme, kind = 'single', user = '', hosts = '', path = ''] = PARTS.exec(text) ?? [];
  if (scheme === undefined) {
    if (/^rediss?(?:\+(?:sentinel|cluster))?:\/\//.test(text))
      return `expected no query, no fragment and one @ at most, with %40 for an @ in a password, such as ${EXAMPLES.single}`;
    return `expected redis:// or rediss:// and a host, such as ${EXAMPLES.single}, or for several servers ${EXAMPLES.sentinel} or ${EXAMPLES.cluster}`;
  }
  return {
    kind: kind as RedisPlace['kind'],
    isTls: scheme === 'rediss',
    user,
    hosts: hosts.split(','),
    path,
  };
}

function hostOf(text: string, port: number): RedisPlace['hosts'][number] {
  const [, host = '', given] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(given ?? port) };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether an environment says where Redis is, for what only looks at a configuration and connects to nothing. */
export function namesRedis(environment: Readonly<Record<string, string | undefined>>): boolean {
  return Boolean(environment['REDIS_URL'] || environment['REDIS_URL_FILE']);
}
