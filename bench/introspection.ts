/**
 * Measures what an introspected token costs a request that was seen before, and what a proof of possession costs:
 * `node bench/introspection.ts`.
 *
 * @module
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { hash } from 'node:crypto';
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
  { environment: { SECRET: 's'.repeat(40) } },
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
await row('cached token, few callers', stageFor('introspection'), TOKENS);
await row('cached token, 5000 callers in turn', stageFor('introspection'), MANY);
await row('the same beside `jwt`', stageFor('jwt', 'introspection'), MANY);
await proofs(stageFor('introspection'));
identity.stop();
await server.stop();

async function row(name: string, stage: Stage, callers: number): Promise<void> {
  const exchanges = Array.from({ length: callers }, (_, i) =>
    exchangeOf(`Bearer ${server.knows(`an-opaque-token-of-usual-length-${callers}-${i}`, { exp })}`),
  );
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
