import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, type Answer } from '../support/client.ts';
import { createProofKey, proofOf } from '../support/dpop.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startIdentityProvider, type IdentityProvider } from '../support/oidc.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const AT = 'https://api.example.com';
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-introspection-'));

let provider: IdentityProvider;
let echo: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  [provider, echo] = await Promise.all([
    startIdentityProvider([
      { id: 'ann', claims: { roles: ['admin'] } },
      { id: 'gateway', hearsSigned: true },
    ]),
    startUpstream(),
  ]);
  writeFileSync(
    join(folder, 'secret'),
    `${provider.secret}
`,
  );
  const { issuer, audiences } = provider;
  const introspection = {
    clientId: 'gateway',
    clientSecretFile: join(folder, 'secret'),
    issuer,
    discovery: true,
    answers: 'signed',
    audiences: [audiences.opaque],
    cache: { ttl: '150ms' },
  };
  const config = {
    version: 1,
    defaults: { policies: { authentication: { schemes: ['jwt', 'introspection'] } } },
    identity: {
      issuers: [{ issuer, discovery: true, audiences: [audiences.RS256] }],
      introspection,
      tokens: { dpop: { mode: 'accept', urls: [AT] } },
      revocation: {},
    },
    upstreams: { echo: { targets: [echo.url] } },
    routes: [{ id: 'echo', match: { path: '/*' }, upstream: 'echo' }],
  };
  gateway = await startGateway({ config: JSON.stringify(config) });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([echo.stop(), provider.stop()]);
  rmSync(folder, { recursive: true });
});

const send = (authorization: string, more: object = {}): Promise<Answer> =>
  call(`${gateway.url}/x`, { headers: { authorization, ...more } });
const statusOf = async (token: string): Promise<number> => (await send(`Bearer ${token}`)).status;
const opaque = () => provider.token('ann', { algorithm: 'opaque' });

async function untilStatus(wanted: number, token: string): Promise<number> {
  for (const until = Date.now() + 2000; ;) {
    const status = await statusOf(token);
    if (status === wanted || Date.now() > until) return status;
  }
}

describe('an OpenID provider that is asked about tokens', () => {
  it('says whose they are, in answers that it signs', async () => {
    const answer = await send(`Bearer ${await opaque()}`);
    expect(answer.json<Echo>().headers).toMatchObject({ 'x-client-id': 'ann', 'x-user-roles': 'admin' });
  });

  it('is not asked about tokens that it has signed itself, and knows those for nobody else', async () => {
    expect(await statusOf(await provider.token('ann'))).toBe(200);
    // Signed, of the issuer, and for another audience: not one to ask about.
    expect(await statusOf(await provider.token('ann', { algorithm: 'ES256' }))).toBe(401);
    expect(await statusOf('made-up')).toBe(401);
  });

  it('may take other keys', async () => {
    provider.rotate();
    expect(await statusOf(await opaque())).toBe(200);
    expect(await statusOf(await provider.token('ann'))).toBe(200);
  });

  it('revokes a token, which is heard when its time is over', async () => {
    const token = await opaque();
    expect(await statusOf(token)).toBe(200);
    await provider.revoke('ann', token);
    expect(await untilStatus(401, token)).toBe(401);
  });

  it('binds a token to a key, which has to be proved', async () => {
    const key = await createProofKey();
    const token = await provider.token('ann', {
      algorithm: 'opaque',
      proof: (htu) => proofOf(key, { htm: 'POST', htu }),
    });
    const dpop = await proofOf(key, { htu: `${AT}/x`, token });
    expect((await send(`DPoP ${token}`, { dpop })).status).toBe(200);
    expect((await send(`DPoP ${token}`, { dpop })).status).toBe(401);
    expect(await statusOf(token)).toBe(401);
  });

  it('is gone: who is known goes on for a while, and about others nobody knows', async () => {
    const [known, other] = [await opaque(), await opaque()];
    expect(await statusOf(known)).toBe(200);
    await provider.stop();
    expect(await statusOf(known)).toBe(200);
    const answer = await send(`Bearer ${other}`);
    expect([answer.status, answer.json()['code']]).toEqual([503, 'identity-unavailable']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(await untilStatus(503, known)).toBe(503);
  });
});
