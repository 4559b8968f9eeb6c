import type { Login } from '../policies/authentication/login/login.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { Problem } from '../problems/problem.ts';

/** The log-in of the configuration. @throws {Problem} `route-not-found` where there is none, which has no such routes. */
export function loginOf({ login }: SessionVerifier): Login {
  if (login === undefined) throw new Problem('route-not-found');
  return login;
}

/** An answer in JSON that nobody keeps. */
export function privateJson(value: object) {
  const body = Buffer.from(JSON.stringify(value));
  const headers = ['content-type', 'application/json', 'content-length', String(body.length), ...NOT_KEPT];
  return { status: 200, headers, body };
}

/** Says that nobody may keep an answer. */
export const NOT_KEPT = ['cache-control', 'no-store'] as const;
