import { createReadStream } from 'node:fs';
import type { Stand, Subject } from '../stand.ts';
import type { PeersCase } from './cases.ts';

/** Lines that may still be on their way to the file. */
const LATE_SHARE = 0.02;

/**
 * Makes sure that somebody really has the policies of a case: who has no token, or one with another signature, gets 401,
 * and who has another role 403.
 *
 * @throws {Error} naming what was let through.
 */
export async function checkPolicies(one: PeersCase, subject: Subject, stand: Stand): Promise<void> {
  const [token = ''] = stand.tokens;
  const guest = await guestToken(stand);
  const wanted: readonly (readonly [who: string, token: string | undefined, status: number])[] = [
    ['who has no token', undefined, 401],
    ['whose token has another signature', forged(token), 401],
    // GraphQL says what a caller may not do in an answer of 200.
    ...(one.counted ? [] : [['who has another role', guest, 403] as const]),
  ];
  for (const [who, bearer, status] of wanted) {
    const given = await statusOf(one, subject, bearer);
    if (given !== status) throw new Error(`${subject.name} answers ${given} to ${who}, expected ${status}`);
  }
}

/**
 * Makes sure that a log has a line of JSON for each request.
 *
 * @throws {Error} when there are too few.
 */
export async function checkLog({ name, logFile }: Subject, requests: number): Promise<void> {
  let lines = 0;
  for await (const piece of createReadStream(logFile)) {
    for (let at = (piece as Buffer).indexOf(10); at !== -1; at = (piece as Buffer).indexOf(10, at + 1))
      lines += 1;
  }
  if (lines < requests * (1 - LATE_SHARE)) {
    throw new Error(`${name}: ${lines} access lines for ${requests} requests`);
  }
}

/** The same token with another signature: its first character differs, because the last one may hold unused bits. */
export function forged(token: string): string {
  const at = token.lastIndexOf('.') + 1;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

async function statusOf(one: PeersCase, subject: Subject, bearer: string | undefined): Promise<number> {
  const { method, path, headers, body } = one.request;
  const response = await fetch(subject.origin + path, {
    method,
    headers: bearer === undefined ? headers : { ...headers, authorization: `Bearer ${bearer}` },
    ...(body === undefined ? {} : { body }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function guestToken({ env }: Stand): Promise<string> {
  const body = JSON.stringify({ user: 'guest' });
  const response = await fetch(`${env['ISSUER'] ?? ''}/token`, { method: 'POST', body });
  return ((await response.json()) as { access_token: string }).access_token;
}
