import { readSecret, secretFault } from '../config/secrets.ts';
import { answerOf, send } from '../policies/authentication/tokens/fetched-document.ts';
import {
  metadataUrls,
  jwksFromDiscovery,
  readMetadata,
} from '../policies/authentication/tokens/discovery-document.ts';
import { jwksFromFile, jwksFromUrl } from '../policies/authentication/tokens/jwks-document.ts';
import { FixedKey, type SigningKey } from '../policies/authentication/tokens/signing-key.ts';
import type { IssuerOptions } from '../policies/authentication/identity.schema.ts';
import type { Check, Outcome } from './check.ts';
import { clockFinding } from './clock-checks.ts';
import { connectionFault } from './connection-faults.ts';
import { placeOf, type Surroundings } from './surroundings.ts';

const TRUST = {
  authority: 'start with NODE_EXTRA_CA_CERTS=FILE, the authority of the issuer in PEM',
  name: 'ask for it by a name that its certificate has',
};

/** Whether the issuers of tokens can be asked, and their keys be used. */
export function issuerChecks(around: Surroundings): readonly Check[] {
  const { issuers = [], introspection, login } = around.source.value.identity ?? {};
  const checks = issuers.flatMap((issuer, index) => issuerCheck(around, issuer, index));
  if (introspection !== undefined) {
    const { url, issuer = '' } = introspection;
    const subject = shownUrl(url ?? issuer);
    const mend = placeOf(around, ['identity', 'introspection']);
    const run = (signal: AbortSignal) =>
      url === undefined ? metadata(issuer, signal, mend) : anyAnswer(url, signal, mend);
    checks.push({ name: 'introspection', subject, mend, run });
  }
  if (login !== undefined) {
    const mend = placeOf(around, ['identity', 'login', 'issuer']);
    const run = (signal: AbortSignal) => metadata(login.issuer, signal, mend);
    checks.push({ name: 'login', subject: shownUrl(login.issuer), mend, run });
  }
  return checks;
}

function issuerCheck(around: Surroundings, issuer: IssuerOptions, index: number): readonly Check[] {
  const path = ['identity', 'issuers', index];
  const member = (['jwks', 'discovery', 'jwksFile', 'publicKey', 'secretEnv'] as const).find((one) => issuer[one] !== undefined) ?? 'jwks'; // prettier-ignore
  const mend = placeOf(around, [...path, member]);
  const subject = shownUrl(issuer.issuer);
  const keys: Check = {
    name: 'issuer',
    subject,
    mend,
    run: async (signal) => {
      const fault = secretFaultOf(around, issuer);
      if (fault !== undefined) return { level: 'fail', what: fault, mend };
      try {
        const found = await keysOf(around, issuer, signal);
        return usable(found, issuer, { algorithms: placeOf(around, [...path, 'algorithms']), keys: mend });
      } catch (error) {
        return failed(error, mend);
      }
    },
  };
  const url = issuer.jwks ?? (issuer.discovery === true ? metadataUrls(issuer.issuer)[0] : undefined);
  return url === undefined ? [keys] : [keys, issuerClock(url, issuer, subject)];
}

/** What is wrong with the secret that its tokens are signed with, which holds nothing of it. */
function secretFaultOf({ variables }: Surroundings, { secretEnv }: IssuerOptions): string | undefined {
  return secretEnv === undefined ? undefined : secretFault({ variable: secretEnv, environment: variables });
}

async function keysOf(
  { variables }: Surroundings,
  { issuer, jwks, jwksFile, publicKey, secretEnv, secretFile }: IssuerOptions,
  signal: AbortSignal,
): Promise<readonly Pick<SigningKey, 'algorithms'>[]> {
  if (jwks !== undefined) return jwksFromUrl(jwks)(signal);
  if (jwksFile !== undefined) return jwksFromFile(jwksFile)(signal);
  if (publicKey !== undefined) return [FixedKey.ofPem(publicKey)];
  if (secretEnv !== undefined || secretFile !== undefined) {
    const from = { variable: secretEnv, file: secretFile, environment: variables };
    return [FixedKey.ofSecret(readSecret(from))];
  }
  return jwksFromDiscovery(issuer)(signal);
}

function usable(
  keys: readonly Pick<SigningKey, 'algorithms'>[],
  { algorithms }: IssuerOptions,
  places: { readonly algorithms: string; readonly keys: string },
): Outcome {
  const fitting = keys.filter((key) => key.algorithms.some((one) => algorithms.includes(one)));
  const count = `${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`;
  if (fitting.length > 0) {
    const unused =
      fitting.length < keys.length ? `, ${fitting.length} of them for ${algorithms.join(', ')}` : '';
    return { level: 'ok', what: `${count} that can be used${unused}` };
  }
  if (keys.length === 0)
    return {
      level: 'fail',
      what: 'it has no key that can be used: each token is refused',
      mend: places.keys,
    };
  const offered =
    [...new Set(keys.flatMap((key) => key.algorithms))].join(', ') || 'none that is strong enough';
  const what = `its ${count} are for ${offered}, and accepted is ${algorithms.join(', ')}: each token is refused`;
  return { level: 'fail', what, mend: places.algorithms };
}

function issuerClock(url: string, { clockSkew }: IssuerOptions, subject: string): Check {
  return {
    name: 'clock',
    subject,
    run: async (signal) => {
      try {
        const before = Date.now();
        const answer = await answerOf(
          send(url, { agent: false, signal, headers: { accept: 'application/json' } }),
        );
        answer.destroy();
        const theirs = Date.parse(answer.headers.date ?? '');
        if (Number.isNaN(theirs)) return { level: 'ok', what: 'it says no Date to compare with' };
        // Its field is of whole seconds, cut off.
        return clockFinding(theirs + 500 - (before + Date.now()) / 2, {
          slackMs: 1500,
          toleranceMs: clockSkew,
        });
      } catch {
        return { level: 'warn', what: 'not compared: it cannot be asked' };
      }
    },
  };
}

async function metadata(issuer: string, signal: AbortSignal, mend: string): Promise<Outcome> {
  try {
    await readMetadata(issuer, signal);
    return { level: 'ok', what: 'its metadata can be read' };
  } catch (error) {
    return failed(error, mend);
  }
}

async function anyAnswer(url: string, signal: AbortSignal, mend: string): Promise<Outcome> {
  try {
    const answer = await answerOf(send(url, { agent: false, signal }));
    answer.destroy();
    const { statusCode = 0 } = answer;
    // It is not asked about a token: that it wants a POST, or to know who asks, is an answer as well.
    if (statusCode < 500 && statusCode !== 404) return { level: 'ok', what: `it answers (${statusCode})` };
    return { level: 'fail', what: `it answers ${statusCode}`, mend };
  } catch (error) {
    return failed(error, mend);
  }
}

function failed(error: unknown, mend: string): Outcome {
  const fault = connectionFault(error, TRUST);
  return { level: 'fail', what: fault.what, mend: fault.mend ?? mend };
}

/** Without user, password and query, which may be secrets. */
export function shownUrl(text: string): string {
  const url = URL.parse(text);
  return url === null || url.host === ''
    ? text
    : `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}
