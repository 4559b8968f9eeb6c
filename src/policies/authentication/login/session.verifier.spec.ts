import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import {
  ask,
  cookieAfter,
  NEW_KEY,
  OLD_KEY,
  pageRequest,
  SessionDesk,
  sessionsOf,
  TOKEN_SECRET,
} from '../../../../test/support/session-desk.ts';
import { createTestKey, KeyServer } from '../../../../test/support/key-server.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Problem } from '../../../problems/problem.ts';
import { IdentifyStage } from '../authentication.stage.ts';
import type { Identity } from '../identity.ts';
import { wayOf } from '../ways.ts';
import type { Session } from './session.ts';

const MINUTE = 60_000;
const IDLE = 30 * MINUTE;
const ABSOLUTE = 480 * MINUTE;
const GONE = { value: '' };

let desk: SessionDesk;
beforeAll(async () => {
  Logger.overrideLogger(false);
  desk = await SessionDesk.start();
});
afterAll(() => desk.stop());
beforeEach(() => {
  desk.hold = () => Promise.resolve();
  desk.accessToken = () => `access-${desk.asked}`;
  desk.asked = 0;
});

/** Tokens that are to be refreshed at once, and live a minute. */
const old = (): Partial<Session> => ({ refreshAt: desk.now, expiresAt: desk.now + MINUTE });

function accessToken(claims: object = {}): Promise<string> {
  return new SignJWT({ iss: desk.issuer, aud: 'api', sub: 'alice-of-the-api', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(new Date(desk.now + 60 * MINUTE))
    .sign(Buffer.from(TOKEN_SECRET));
}

describe('a session in its cookie', () => {
  it('goes on when it is used just before its end, and is over at its end', async () => {
    const identity = desk.identity();
    const first = await desk.begin(identity);
    desk.now += IDLE - 1;
    const used = await ask(identity, first);
    expect(used.says).toBe('alice');
    expect(used.value).not.toBe(first);
    desk.now += 1;
    expect(await ask(identity, first)).toEqual({ says: 'credentials-expired', ...GONE });
    desk.now += IDLE - 2;
    expect((await ask(identity, used.value)).says).toBe('alice');
    desk.now += 1;
    expect(await ask(identity, used.value)).toEqual({ says: 'credentials-expired', ...GONE });
  });

  it('never lives longer than it may, whatever is used and refreshed', async () => {
    const identity = desk.identity();
    const end = desk.now + ABSOLUTE;
    let value = await desk.begin(identity, old());
    for (; desk.now < end; desk.now += 20 * MINUTE) {
      const seen = await ask(identity, value);
      expect(seen.says).toBe('alice');
      value = seen.value;
    }
    expect(desk.asked).toBe(ABSOLUTE / (20 * MINUTE));
    desk.now = end - 1;
    const last = await ask(identity, value);
    expect(last.says).toBe('alice');
    desk.now = end;
    expect(await ask(identity, last.value)).toEqual({ says: 'credentials-expired', ...GONE });
  });

  it('is encrypted with the first key, and opened with any', async () => {
    const [before, both, after] = [OLD_KEY, `${NEW_KEY},${OLD_KEY}`, NEW_KEY].map((keys) =>
      desk.identity({ keys }),
    ) as [Identity, Identity, Identity];
    const value = await desk.begin(before);
    expect((await ask(both, value)).says).toBe('alice');
    expect(await ask(after, value)).toEqual({ says: 'credentials-invalid', ...GONE });
    const newer = await desk.begin(both);
    expect((await ask(after, newer)).says).toBe('alice');
    expect((await ask(before, newer)).says).toBe('credentials-invalid');
    desk.now += IDLE / 2;
    expect((await ask(after, (await ask(both, value)).value)).says).toBe('alice');
  });

  it('ends when the provider says that its refresh token is spent', async () => {
    const identity = desk.identity();
    const session = { ...old(), refreshToken: 'spent-elsewhere' };
    expect((await ask(desk.identity(), await desk.begin(identity, session))).says).toBe('alice');
    expect(await ask(identity, await desk.begin(identity, session))).toEqual({
      says: 'credentials-expired',
      ...GONE,
    });
  });

  it('ends when its new tokens do not fit into its cookies', async () => {
    const identity = desk.identity();
    const value = await desk.begin(identity, old());
    desk.accessToken = () => 'x'.repeat(8000);
    expect(await ask(identity, value)).toEqual({ says: 'credentials-expired', ...GONE });
  });

  it('is taken away from its browser when it was revoked', async () => {
    const identity = desk.identity();
    const value = await desk.begin(identity);
    const sessions = sessionsOf(identity);
    const revoked = await sessions.find(pageRequest(identity, value));
    const { revocations } = identity;
    const way = wayOf('session', () => sessions);
    const stage = new IdentifyStage({ way, verifiers: [sessions], revocations });
    const before = pageRequest(identity, value);
    await stage.enter(before);
    expect([before.principal?.id, cookieAfter(before.responseHeaders)]).toEqual(['alice', undefined]);
    await sessions.login?.end(value, revoked?.session as Session);
    const after = pageRequest(identity, value);
    const refusal = (async () => stage.enter(after))().catch((error: Problem) => error.code);
    expect([await refusal, cookieAfter(after.responseHeaders)]).toEqual(['credentials-revoked', '']);
  });

  it.each([
    [['sec-fetch-site', 'cross-site', 'origin', 'https://evil.example'], 'permission-denied'],
    [['sec-fetch-site', 'same-site'], 'permission-denied'],
    [['origin', 'null'], 'permission-denied'],
    [['origin', 'https://app.example.com'], 'alice'],
  ])('counts by GET with %j: %s', async (headers, says) => {
    const identity = desk.identity();
    expect((await ask(identity, await desk.begin(identity), headers)).says).toBe(says);
  });
});

describe('a caller that is who the access token says', () => {
  const login = { principal: 'accessToken' };

  it('is that one, also of the token after', async () => {
    const identity = desk.identity({ login });
    desk.accessToken = () => accessToken({ sub: 'alice-refreshed' });
    const value = await desk.begin(identity, { ...old(), accessToken: await accessToken() });
    desk.now -= 1;
    expect((await ask(identity, value)).says).toBe('alice-of-the-api');
    desk.now += 1;
    expect((await ask(identity, value)).says).toBe('alice-refreshed');
  });

  it('keeps the tokens that nobody can check while the keys of the issuer are away', async () => {
    const [keys, key] = await Promise.all([new KeyServer().start(), createTestKey()]);
    const url = keys.url;
    await keys.stop();
    const identity = desk.identity({ login, issuer: { jwks: url, algorithms: ['ES256'] } });
    const token = (sub: string): Promise<string> =>
      new SignJWT({ iss: desk.issuer, aud: 'api', sub, exp: Math.floor(desk.now / 1000) + 3600 })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid })
        .sign(key.privateKey);
    desk.accessToken = () => token('after');
    const before = await token('before');
    let value = await desk.begin(identity, { ...old(), accessToken: before });
    const look = async (): Promise<string> => {
      const seen = await ask(identity, value);
      value = seen.value;
      return seen.says;
    };
    expect(await look()).toBe('before');
    // Past the cool-down of the look at the keys, again and again; the provider has given its tokens once.
    desk.now += MINUTE / 2;
    expect(await look()).toBe('before');
    desk.now += MINUTE / 2;
    // Fails closed: those before are over, and those after unchecked.
    expect(await look()).toBe('identity-unavailable');
    expect(desk.asked).toBe(1);
    keys.keys = [key.publicJwk];
    await keys.start();
    desk.now += MINUTE;
    // What was told of the last try is forgotten by the clock of the process.
    while ((await look()) === 'identity-unavailable') await sleep(50);
    expect([await look(), desk.asked]).toEqual(['after', 1]);
    identity.stop();
    await keys.stop();
  });

  it.each([
    ['of another audience', () => accessToken({ aud: 'other' })],
    ['that is no JWT', () => 'opaque'],
  ])('is nobody by a token after %s', async (_what, token) => {
    const identity = desk.identity({ login });
    desk.accessToken = token;
    const value = await desk.begin(identity, { ...old(), accessToken: await accessToken() });
    expect(await ask(identity, value)).toEqual({ says: 'credentials-expired', ...GONE });
  });
});

describe('a reload', () => {
  it('refreshes nothing a second time that is being refreshed', async () => {
    const identity = desk.identity();
    const value = await desk.begin(identity, old());
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    desk.hold = () => (asked(), promise);
    const before = ask(identity, value);
    await isAsked;
    identity.apply(desk.options({ session: { idle: '10m' } }));
    const after = ask(identity, value);
    setImmediate(resolve);
    expect((await Promise.all([before, after])).map(({ says }) => says)).toEqual(['alice', 'alice']);
    expect((await ask(identity, value)).says).toBe('alice');
    expect(desk.asked).toBe(1);
  });

  it('of the idle time holds for sessions that are there', async () => {
    const identity = desk.identity();
    const value = await desk.begin(identity);
    identity.apply(desk.options({ session: { idle: '1m' } }));
    expect((await ask(identity, value)).says).toBe('alice');
    desk.now += MINUTE;
    expect((await ask(identity, value)).says).toBe('credentials-expired');
  });

  // Their user would become another caller; services behind may have seen the cookie of the former name.
  it.each([
    ['the keys', { session: { keysEnv: 'OTHER_KEYS' } }],
    ['the name of the cookie', { session: { cookie: 'other' } }],
    ['the provider', { login: { issuer: 'https://other.example' } }],
    ['the client', { login: { clientId: 'other' } }],
    ['the token that says who calls', { login: { principal: 'accessToken' } }],
  ])('of %s ends sessions, and is no fault', async (_what, differs) => {
    const identity = desk.identity();
    const value = await desk.begin(identity);
    expect((await ask(identity, value)).says).toBe('alice');
    identity.apply(desk.options(differs));
    expect(await ask(identity, value)).toEqual({ says: 'credentials-invalid', ...GONE });
  });
});
