import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConfigFault } from './config-fault.ts';
import { readSecret } from './secrets.ts';

/** How the gateway shows itself to Redis, and by what it knows Redis; absent: as the URL says. */
export interface RedisAccess {
  readonly password?: string | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** Certificates in PEM that sign those of Redis. Default: those that Node trusts. */
  readonly ca?: string | undefined;
  /** The certificate of the gateway and its key, in PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the certificates of Redis are for. Default: the host that is asked. */
  readonly serverName?: string | undefined;
}

/** What of the environment access is read from. */
export interface RedisAccessVariables {
  readonly REDIS_URL?: string | undefined;
  readonly REDIS_PASSWORD_FILE?: string | undefined;
  readonly REDIS_SENTINEL_USERNAME?: string | undefined;
  readonly REDIS_SENTINEL_PASSWORD_FILE?: string | undefined;
  readonly REDIS_CA_FILE?: string | undefined;
  readonly REDIS_CERT_FILE?: string | undefined;
  readonly REDIS_KEY_FILE?: string | undefined;
  readonly REDIS_SERVER_NAME?: string | undefined;
}

type Name = keyof RedisAccessVariables;
const TLS: readonly Name[] = ['REDIS_CA_FILE', 'REDIS_CERT_FILE', 'REDIS_KEY_FILE', 'REDIS_SERVER_NAME'];
const SENTINEL: readonly Name[] = ['REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD_FILE'];
const ALL: readonly Name[] = ['REDIS_PASSWORD_FILE', ...SENTINEL, ...TLS];

/** Reads the files that the environment names. Nothing of what they hold is in the faults. */
export function readRedisAccess(given: RedisAccessVariables): {
  readonly access: RedisAccess | undefined;
  readonly faults: readonly ConfigFault[];
} {
  const named = ALL.filter((name) => given[name] !== undefined);
  if (named.length === 0) return { access: undefined, faults: [] };
  const faults: ConfigFault[] = [];
  const fault = (key: Name, message: string): void => void faults.push({ file: 'environment', key, message });
  const url = given.REDIS_URL ?? '';
  for (const name of named) {
    if (url === '') fault(name, 'expected REDIS_URL beside it, which says where Redis is');
    else if (TLS.includes(name) && !url.startsWith('rediss'))
      fault(name, 'expected REDIS_URL to begin with rediss, which is with TLS');
    else if (SENTINEL.includes(name) && !url.includes('+sentinel:'))
      fault(name, 'expected REDIS_URL to begin with redis+sentinel or rediss+sentinel');
  }
  if (
    given.REDIS_PASSWORD_FILE !== undefined &&
    /\/\/[^/@]*:[^/@]/.test(url.split('@')[0] ?? '') &&
    url.includes('@')
  )
    fault('REDIS_PASSWORD_FILE', 'expected no password in REDIS_URL beside it');
  if ((given.REDIS_CERT_FILE === undefined) !== (given.REDIS_KEY_FILE === undefined))
    fault('REDIS_CERT_FILE', 'expected REDIS_CERT_FILE and REDIS_KEY_FILE together');
  const password = (name: Name): string | undefined => {
    try {
      return given[name] === undefined ? undefined : readSecret({ file: given[name] }).trim();
    } catch (error) {
      fault(name, (error as Error).message);
      return undefined;
    }
  };
  const read = (name: Name, check: (text: string) => unknown): string | undefined => {
    const file = given[name];
    if (file === undefined) return undefined;
    try {
      const text = readFileSync(file, 'utf8');
      check(text);
      return text;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isRead = code?.startsWith('ERR_') !== false;
      fault(name, isRead ? 'expected a file in PEM' : `expected a file that can be read (${code})`);
      return undefined;
    }
  };
  const certificate = (text: string) => new X509Certificate(text);
  const access: RedisAccess = {
    password: password('REDIS_PASSWORD_FILE'),
    sentinelUsername: given.REDIS_SENTINEL_USERNAME,
    sentinelPassword: password('REDIS_SENTINEL_PASSWORD_FILE'),
    ca: read('REDIS_CA_FILE', certificate),
    cert: read('REDIS_CERT_FILE', certificate),
    key: read('REDIS_KEY_FILE', createPrivateKey),
    serverName: given.REDIS_SERVER_NAME,
  };
  return { access, faults };
}
