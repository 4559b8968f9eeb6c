/**
 * Measures what signed identities cost: `npm run bench -- --only identity`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import type { Exchange } from '../src/exchange/exchange.ts';
import type { Principal } from '../src/exchange/principal.ts';
import { FixedKeys } from '../src/signing/key-ring.ts';
import { generatedKey, SIGNING_ALGORITHMS, type SigningAlgorithm } from '../src/signing/signing-key.ts';
import { upstreamIdentitySchema } from '../src/upstreams/identity/identity.schema.ts';
import { IdentityTokens } from '../src/upstreams/identity/identity-token.ts';
import { ServiceIdentity } from '../src/upstreams/identity/service-identity.ts';
import { median } from './table.ts';

const CALLERS = [1, 10_000];
const REQUESTS = 100_000;
const ROUNDS = 7;
const TARGET_US = 1;

/** Measures in a process of its own. @returns a Markdown table. */
export function identityTimes(): string {
  return execFileSync(process.execPath, [import.meta.filename], { encoding: 'utf8' }).trim();
}

if (import.meta.main) {
  const head = '| algorithm | callers | first request µs | each further one µs | target |';
  const rows = SIGNING_ALGORITHMS.flatMap((algorithm) => CALLERS.map((callers) => rowOf(algorithm, callers)));
  console.log([head, `| :- |${' -: |'.repeat(4)}`, ...rows].join('\n'));
}

function rowOf(algorithm: SigningAlgorithm, callers: number): string {
  const options = upstreamIdentitySchema.parse({ token: {} });
  const key = generatedKey(algorithm);
  const ring = new FixedKeys(key, [key.published]);
  const place = { upstream: 'users', issuer: 'https://edge.example', ring };
  const tokens = options.token && new IdentityTokens(options.token, place);
  const identity = new ServiceIdentity({ digest: '', options, tokens, ring, exchange: undefined });
  const exchanges = Array.from({ length: callers }, (_, at) => exchangeOf(at));
  const fields = Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? `x-field-${at}` : 'value'));
  const firstUs = timedUs(callers, (at) => identity.signed(fields, exchanges[at] as Exchange));
  const each = Array.from({ length: ROUNDS }, () =>
    timedUs(REQUESTS, (at) => identity.signed(fields, exchanges[at % callers] as Exchange)),
  );
  const us = median(each);
  const verdict = us <= TARGET_US ? `≤ ${TARGET_US} ✓` : `≤ ${TARGET_US} ✗`;
  return `| ${algorithm} | ${callers} | ${firstUs.toFixed(1)} | ${us.toFixed(2)} | ${verdict} |`;
}

/** CPU time of one piece of work. */
function timedUs(times: number, work: (at: number) => unknown): number {
  const begin = process.cpuUsage();
  for (let at = 0; at < times; at += 1) work(at);
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / times;
}

// What is read of one for its token.
function exchangeOf(at: number): Exchange {
  const principal: Principal = {
    id: String(at), scheme: 'jwt', issuer: 'https://id.example', subject: String(at), clientId: 'app', apiKeyId: undefined,
    roles: ['user'], permissions: ['orders.read'], scopes: ['read'], email: 'a@example.com', tenant: 'acme', tier: 'pro', claims: {},
  }; // prettier-ignore
  return { principal, method: 'GET', headerEdits: undefined } as unknown as Exchange;
}
