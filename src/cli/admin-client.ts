import { isIP } from 'node:net';
import type { Environment } from '../config/env.schema.ts';
import { UsageError } from './options.ts';

/** Where the operators' listener of a gateway is. */
export interface AdminPlace {
  /** Its origin. Default: as the environment says. */
  readonly admin: string | undefined;
  readonly environment: Pick<Environment, 'adminHost' | 'adminPort'>;
}

const TIMEOUT_MS = 10_000;

/**
 * Asks the operators' listener of a gateway that runs.
 *
 * @param body is sent as JSON; undefined for none.
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function askAdmin(
  { admin, environment }: AdminPlace,
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const url = (admin ?? originOf(environment)).replace(/\/$/, '') + path;
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = {
    'x-gatehouse-admin': 'cli',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...sent, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw unreachable(url, error);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const told = (answer as { error?: unknown } | undefined)?.error;
  throw new Error(typeof told === 'string' ? told : `the gateway answered ${response.status}`);
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
  const headers = { 'x-gatehouse-admin': 'cli', 'content-type': 'application/json' };
  const sent = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(url, sent).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  if (response.ok && response.body !== null) return response.body;
  const answer: unknown = await response.json().catch(() => undefined);
  const told = (answer as { error?: unknown } | undefined)?.error;
  throw new Error(typeof told === 'string' ? told : `the gateway answered ${response.status}`);
}

function unreachable(url: string, cause: unknown): Error {
  const message = `no gateway answers at ${new URL(url).origin}; say where with --admin, or with ADMIN_HOST and ADMIN_PORT`;
  return new Error(message, { cause });
}

/** Reads `--admin` of a command. @throws UsageError for what is no origin. */
export function adminOrigin(command: string, admin: string | undefined): string | undefined {
  if (admin !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(admin))
    throw new UsageError(`${command}: expected --admin to be an origin, such as http://127.0.0.1:9080`);
  return admin;
}

function originOf({ adminHost, adminPort }: AdminPlace['environment']): string {
  const host = adminHost === '0.0.0.0' || adminHost === '::' ? '127.0.0.1' : adminHost;
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${adminPort}`;
}
