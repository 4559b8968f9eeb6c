/**
 * Measures what credentials cost a request on top of an anonymous one once they were seen, what a proof of possession costs, and
 * what many distinct tokens take of the memory: `npm run bench -- --only credentials`.
 *
 * @module
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createSecretKey, hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../src/exchange/exchange.ts';
import { Identity } from '../src/policies/authentication/identity.ts';
import { identitySchema } from '../src/policies/authentication/identity.schema.ts';
import { Possession } from '../src/policies/authentication/proof-of-possession/possession.ts';
import type { CredentialVerifier } from '../src/policies/authentication/verifier.ts';
import type { Principal } from '../src/exchange/principal.ts';
import { IntrospectionServer } from '../test/support/introspection-server.ts';

const RUNS = 200_000;
const ROUNDS = 7;
const TOKENS = 20;
const MANY = 5000;
const PROOFS = 2000;
const DISTINCT = 100_000;
const SECRET = 's'.repeat(40);
const TARGET_NS = 3000;
const AT = 'https://api.example.com';

const server = await new IntrospectionServer().start();
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const jwk = await exportJWK(publicKey);
const jkt = await calculateJwkThumbprint(jwk, 'sha256');
const exp = Math.floor(Date.now() / 1000) + 3600;
const bound = server.knows('bound-token', { cnf: { jkt }, exp });

const identity = new Identity(
  identitySchema.parse({
    issuers: [{ issuer: 'https://id.test', secretEnv: 'SECRET', audiences: ['api'] }],
    introspection: { url: server.url, clientId: 'gateway', clientSecretEnv: 'SECRET', cache: { ttl: '1h' } },
    tokens: { dpop: { mode: 'accept', urls: [AT], replay: { max: 5_000_000 } } },
    revocation: {},
  }),
  { environment: { SECRET } },
);
const possession = new Possession(identity.section.possession);

/** What the stage does, but for its Nest provider, which needs a build. */
class Stage {
  readonly #verifiers: readonly CredentialVerifier[];

  constructor(schemes: readonly ('jwt' | 'introspection')[]) {
    this.#verifiers = schemes.map((scheme) => {
      const verifier = identity.verifier(scheme);
      return verifier.onRoute?.({ schemes }) ?? verifier;
    });
  }

  enter(exchange: Exchange): void | Promise<void> {
    for (const verifier of this.#verifiers) {
      const found = verifier.verify(exchange);
      if (found === undefined) continue;
      return found instanceof Promise
        ? found.then((principal) => this.#admit(exchange, principal))
        : this.#admit(exchange, found);
    }
    throw new Error('nobody');
  }

  #admit(exchange: Exchange, principal: Principal): void | Promise<void> {
    const proof = possession.check(exchange, principal);
    identity.revocations.admit(exchange, principal);
    exchange.principal = principal;
    return proof;
  }
}

const stageFor = (...schemes: ('jwt' | 'introspection')[]): Stage => new Stage(schemes);

console.log('| path | ns | target |\n| :- | -: | -: |');
await row('cached JWT, few callers', stageFor('jwt'), await signed(TOKENS));
await row('cached JWT, 5000 callers in turn', stageFor('jwt'), await signed(MANY));
await row('cached token of introspection, few callers', stageFor('introspection'), opaque(TOKENS));
await row('the same, 5000 callers in turn', stageFor('introspection'), opaque(MANY));
await row('the same beside `jwt`', stageFor('jwt', 'introspection'), opaque(MANY));
await proofs(stageFor('introspection'));
await manyTokens(stageFor('jwt'));
identity.stop();
await server.stop();

function opaque(callers: number): readonly string[] {
  return Array.from({ length: callers }, (_, i) =>
    server.knows(`an-opaque-token-of-usual-length-${callers}-${i}`, { exp }),
  );
}

function signed(callers: number, from = 0): Promise<readonly string[]> {
  const key = createSecretKey(SECRET, 'utf8');
  const claims = { iss: 'https://id.test', aud: 'api', iat: exp - 3600, exp, roles: ['user'] };
  return Promise.all(
    Array.from({ length: callers }, (_, i) =>
      new SignJWT({ ...claims, sub: `user-${from + i}`, jti: `token-${from + i}` })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(key),
    ),
  );
}

/** Each token once, more of them than are remembered. */
async function manyTokens(stage: Stage): Promise<void> {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const start = process.cpuUsage();
  for (let from = 0; from < DISTINCT; from += 1000)
    for (const token of await signed(1000, from)) {
      const exchange = exchangeOf(`Bearer ${token}`);
      await stage.enter(exchange);
      // It is over.
      exchange.listedIn?.remove(exchange);
    }
  const us = nsSince(start) / DISTINCT / 1000;
  globalThis.gc?.();
  const more = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  console.log(
    `\n${DISTINCT} distinct JWTs, of which 10000 are remembered: ${more.toFixed(0)} MiB of heap more, ${us.toFixed(0)} us each with its making`,
  );
}

async function row(name: string, stage: Stage, tokens: readonly string[]): Promise<void> {
  const callers = tokens.length;
  const exchanges = tokens.map((token) => exchangeOf(`Bearer ${token}`));
  for (const one of exchanges) await stage.enter(one);
  const rounds = Array.from({ length: ROUNDS }, () => {
    // Of the processor: the machine may have other things to do.
    const start = process.cpuUsage();
    for (let run = 0; run < RUNS; run += 1)
      if (stage.enter(exchanges[run % callers] as Exchange) !== undefined) throw new Error('not cached');
    return nsSince(start) / RUNS;
  }).sort((a, b) => a - b);
  const ns = rounds[Math.floor(ROUNDS / 2)] ?? 0;
  console.log(`| ${name} | ${ns.toFixed(0)} | ≤ ${TARGET_NS} ${ns <= TARGET_NS ? 'met' : 'above'} |`);
}

async function proofs(stage: Stage): Promise<void> {
  const ath = hash('sha256', bound, 'base64url');
  const iat = Math.floor(Date.now() / 1000);
  const made = Array.from({ length: PROOFS }, (_, i) =>
    new SignJWT({ jti: `proof-${i}`, htm: 'GET', htu: `${AT}/x`, iat, ath })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .sign(privateKey),
  );
  const exchanges = (await Promise.all(made)).map((proof) => exchangeOf(`DPoP ${bound}`, proof));
  const start = process.cpuUsage();
  for (const one of exchanges) await stage.enter(one);
  const ns = nsSince(start) / PROOFS;
  console.log(`| cached token with a proof of ES256 | ${ns.toFixed(0)} | |`);
}

function nsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

/** As much of an exchange as the stage looks at. */
function exchangeOf(authorization: string, dpop?: string): Exchange {
  const rawHeaders = [
    'Host',
    'api.example.com',
    'Authorization',
    authorization,
    ...(dpop ? ['DPoP', dpop] : []),
  ];
  const request = {
    method: 'GET',
    headers: { authorization, dpop },
    rawHeaders,
  } as unknown as IncomingMessage;
  const quiet = { responseHeaders: [], onClosed: () => undefined, listedIn: undefined };
  return {
    request,
    method: 'GET',
    host: 'api.example.com',
    path: '/x',
    principal: undefined,
    ...quiet,
  } as unknown as Exchange;
}
