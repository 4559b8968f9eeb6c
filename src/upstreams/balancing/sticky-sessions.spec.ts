import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Target } from '../target.ts';
import { upstreamSchema } from '../upstream.schema.ts';
import { Upstream } from '../upstream.ts';
import type { Switch } from './balancing.fixture.ts';
import { SessionCookies } from './session-cookie.ts';

const SECRET = 'a secret of thirty-two characters';
const HOUR = 3_600_000;

const healths: Switch[] = [];

function upstreamOf(sticky: object = {}, secrets: readonly string[] = [SECRET], name = 'shop'): Upstream {
  const targets = ['a', 'b', 'c'].map((host) => ({ url: `http://${host}:80`, labels: { host } }));
  const options = upstreamSchema.parse({ targets, sticky: { secretEnv: 'S', maxAge: '2h', ...sticky } });
  const made = options.targets.map((one, at) => {
    const health = (healths[at] = { available: true });
    return new Target(one, { health });
  });
  const upstream = new Upstream(name, options, made);
  upstream.keepSessions(secrets);
  return upstream;
}

/** Asks with a cookie, and tells where it led and what cookie came back. */
function ask(upstream: Upstream, cookie?: string, scheme: 'http' | 'https' = 'http') {
  const exchange = createExchange({ headers: cookie === undefined ? [] : ['cookie', cookie] });
  Object.assign(exchange, { scheme });
  const { target } = upstream.lease(exchange);
  return { host: target.host[0], set: setBy(exchange), exchange };
}

const setBy = ({ responseHeaders }: Exchange): string | undefined =>
  responseHeaders[responseHeaders.indexOf('set-cookie') + 1];
const pairOf = (set: string | undefined): string => set?.split(';')[0] ?? '';

beforeEach(() => void jest.useFakeTimers({ now: 1_900_000_000_000 }));

afterEach(() => void jest.useRealTimers());

describe('StickySessions', () => {
  it('keeps a client with its target, which the cookie does not name', () => {
    const upstream = upstreamOf();
    const { host, set } = ask(upstream);
    for (let i = 0; i < 6; i += 1)
      expect(ask(upstream, `x=1; ${pairOf(set)}`)).toMatchObject({ host, set: undefined });
    expect(set).toMatch(
      /^sticky-shop=[\w-]{16}\.\w+\.[\w-]{24}; Path=\/; Max-Age=7200; SameSite=Lax; HttpOnly$/,
    );
  });

  it('says of the cookie what the configuration does, and Secure to who came over TLS', () => {
    expect(ask(upstreamOf(), undefined, 'https').set).toMatch(/; HttpOnly; Secure$/);
    const own = { cookie: 'at', path: '/shop', sameSite: 'none', secure: true, httpOnly: false };
    expect(ask(upstreamOf(own)).set).toMatch(/^at=\S+; Path=\/shop; Max-Age=7200; SameSite=None; Secure$/);
  });

  it('means the same in every process, and after a change of the secret as long as the old one is known', () => {
    const { host, set } = ask(upstreamOf());
    expect(ask(upstreamOf(), pairOf(set))).toMatchObject({ host, set: undefined });
    const renewed = upstreamOf({}, [`new ${SECRET}`, SECRET]);
    expect(ask(renewed, pairOf(set))).toMatchObject({ host, set: undefined });
  });

  it('chooses anew, and says so, when the target is not available or was tried', () => {
    const upstream = upstreamOf();
    const { host, set } = ask(upstream);
    const health = healths['abc'.indexOf(host ?? '')] as Switch;
    health.available = false;
    const other = ask(upstream, pairOf(set));
    expect(other.host).not.toBe(host);
    health.available = true;
    expect(ask(upstream, pairOf(other.set)).host).toBe(other.host);
    // Another attempt of one exchange: one cookie, of the last.
    const { exchange } = other;
    const tried = upstream.targets.filter((one) => one.host[0] === other.host);
    const { target } = upstream.lease(exchange, tried);
    expect(exchange.responseHeaders).toHaveLength(2);
    expect(ask(upstream, pairOf(setBy(exchange))).host).toBe(target.host[0]);
  });

  it('believes no cookie of another upstream, secret, or maker, none that has ended, and none that is odd', () => {
    const upstream = upstreamOf();
    const [first] = upstream.targets;
    const good = new SessionCookies('shop', [SECRET]);
    const [id = ''] = good.idsOf(first?.address ?? '');
    const until = Date.now() + 2 * HOUR;
    const value = good.sign(id, until);
    expect(ask(upstream, `sticky-shop=${value}`)).toMatchObject({ host: 'a', set: undefined });
    const [, expiry = '', mac = ''] = value.split('.');
    const forged = [
      new SessionCookies('other', [SECRET]).sign(id, until),
      new SessionCookies('shop', [`not ${SECRET}`]).sign(id, until),
      `${id}.${(Number.parseInt(expiry, 36) + 1).toString(36)}.${mac}`,
      `${id}.${expiry}.${'A'.repeat(24)}`,
      `${id}.${expiry}.`,
      good.sign(id, Date.now()),
      'x'.repeat(8000),
      '%00',
      '',
    ];
    for (const one of forged) expect(ask(upstream, `sticky-shop=${one}`).set).toBeDefined();
  });

  it('renews a cookie at half of its time, and not before', () => {
    const upstream = upstreamOf();
    const { host, set } = ask(upstream);
    jest.advanceTimersByTime(HOUR - 1000);
    expect(ask(upstream, pairOf(set)).set).toBeUndefined();
    jest.advanceTimersByTime(2000);
    const renewed = ask(upstream, pairOf(set));
    expect(renewed.host).toBe(host);
    jest.advanceTimersByTime(HOUR);
    expect(ask(upstream, pairOf(renewed.set)).host).toBe(host);
    expect(ask(upstream, pairOf(set)).set).toBeDefined();
  });

  it('stays within a subset', () => {
    const upstream = upstreamOf();
    const { exchange } = ask(upstream);
    exchange.subset = Object.freeze({ labels: { host: 'c' }, fallback: 'none' });
    const again = createExchange({ headers: ['cookie', pairOf(setBy(exchange))] });
    again.subset = exchange.subset;
    expect(upstream.lease(again).target.host).toBe('c:80');
  });
});
