import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { eachCertificate } from '../admin/access/authorities.ts';
import type { AdminVariables, Environment } from '../config/env.schema.ts';
import { readSecret } from '../config/secrets.ts';
import { UsageError } from './options.ts';
import { OrderRefused } from './order-refused.ts';

/** Where the operators' listener of a gateway is. */
export interface AdminPlace {
  /** Its origin. Default: as the environment says. */
  readonly admin: string | undefined;
  readonly environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort'>;
}

const TIMEOUT_MS = 10_000;

/**
 * Asks the operators' listener of a gateway that runs.
 *
 * @param body is sent as JSON; undefined for none.
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function askAdmin(
  { admin, environment, timeoutMs = TIMEOUT_MS }: AdminPlace & { readonly timeoutMs?: number },
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const url = (admin ?? originOf(environment)).replace(/\/$/, '') + path;
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  trust(environment.admin?.caFile);
  const headers = {
    'x-gatehouse-admin': 'cli',
    ...credentialsOf(environment.admin),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...sent, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw unreachable(url, error);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  // Some orders are answered with nothing, and whoever else listens there with anything.
  if (response.ok && (answer !== undefined || response.status === 204)) return answer;
  throw refusedBy(response, answer);
}

/** What commands show at the operators' listener. @throws {UsageError} for a file that cannot be read. */
export function credentialsOf({ token, tokenFile }: AdminVariables = {}): {
  readonly authorization?: string;
} {
  const shown = token ?? (tokenFile === undefined ? undefined : tokenIn(tokenFile));
  return shown === undefined ? {} : { authorization: `Bearer ${shown}` };
}

// Of the whole process, which a command has for itself: `fetch` takes no authorities of its own.
function trust(file: string | undefined): void {
  if (file === undefined) return;
  try {
    const own = eachCertificate(readFileSync(file, 'utf8')).map(String);
    setDefaultCACertificates([...getCACertificates('default'), ...own]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === undefined || code.startsWith('ERR_') ? 'in PEM' : `that can be read (${code})`;
    throw new UsageError(`ADMIN_CA_FILE: expected a file ${why}: ${file}`);
  }
}

function tokenIn(file: string): string {
  try {
    return readSecret({ file }).trim();
  } catch (error) {
    throw new UsageError(`ADMIN_TOKEN_FILE: ${(error as Error).message}`);
  }
}

const WHAT_TO_SHOW =
  'say who you are with --token-file, ADMIN_TOKEN_FILE or ADMIN_TOKEN; `gatehouse admin-token` makes a token';

/** What an answer that is none says, for people. */
export function refusedBy({ status, url }: Pick<Response, 'status' | 'url'>, answer: unknown): Error {
  const told = (answer as { error?: unknown } | null | undefined)?.error;
  const { origin } = new URL(url);
  const said = typeof told === 'string' ? told : `${origin} answered ${status}`;
  if (status === 401) return new Error(`${said}: ${WHAT_TO_SHOW}`);
  if (typeof told !== 'string')
    return new Error(
      `${said}, which no operators' listener does; is it ADMIN_PORT, and not that of clients?`,
    );
  return status === 400 ? new OrderRefused(said) : new Error(said);
}

/**
 * Gives an order to the operators' listener whose answer comes bit by bit, for as long as it takes.
 *
 * @throws {Error} for people, when it cannot be reached, and when it refuses.
 */
export async function streamAdmin(
  { admin, environment }: AdminPlace,
  path: string,
  body: unknown,
): Promise<AsyncIterable<Uint8Array>> {
  const url = (admin ?? originOf(environment)).replace(/\/$/, '') + path;
  const headers = {
    'x-gatehouse-admin': 'cli',
    'content-type': 'application/json',
    ...credentialsOf(environment.admin),
  };
  const sent = { method: 'POST', headers, body: JSON.stringify(body) };
  trust(environment.admin?.caFile);
  const response = await fetch(url, sent).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  if (response.ok && response.body !== null) return response.body;
  const answer: unknown = await response.json().catch(() => undefined);
  throw refusedBy(response, answer);
}

function unreachable(url: string, cause: unknown): Error {
  const { code = '' } = ((cause as Error).cause ?? {}) as NodeJS.ErrnoException;
  const { origin } = new URL(url);
  const message = /CERT|SIGNATURE|ISSUER/.test(code)
    ? `the certificate of ${origin} is not trusted (${code}); --ca-file or ADMIN_CA_FILE name who signs it`
    : `no gateway answers at ${origin}; say where with --admin, or with ADMIN_HOST and ADMIN_PORT`;
  return new Error(message, { cause });
}

/** Reads `--admin` of a command. @throws UsageError for what is no origin. */
export function adminOrigin(command: string, admin: string | undefined): string | undefined {
  if (admin !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(admin))
    throw new UsageError(`${command}: expected --admin to be an origin, such as http://127.0.0.1:9080`);
  return admin;
}

function originOf({ adminHost, adminPort, admin }: AdminPlace['environment']): string {
  const host = adminHost === '0.0.0.0' || adminHost === '::' ? '127.0.0.1' : adminHost;
  return `http${admin?.certFile === undefined ? '' : 's'}://${isIP(host) === 6 ? `[${host}]` : host}:${adminPort}`;
}
