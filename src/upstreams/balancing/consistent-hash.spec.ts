import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../../test/support/exchange.ts';
import { randomFrom } from '../../../test/support/random.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Route } from '../../routing/route.ts';
import type { Target } from '../target.ts';
import { countsOf, marginOf, nameOf, targetOf } from './balancing.fixture.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { hashKey } from './hash-key.ts';
import { maglevTable } from './maglev-table.ts';
import { textHash } from './text-hash.ts';

const many = (length: number, weight = 1): Target[] =>
  Array.from({ length }, (_, index) => targetOf(`t${index}`, { weight }));

/** By the query of a request, which is the cheapest to make. */
const asked = { query: '' } as { query: string };
const exchange = asked as unknown as Exchange;
const byKey = (): ConsistentHash => new ConsistentHash(({ query }) => query);
const KEYS = 3000;

function placesOf(all: readonly Target[], some: readonly Target[] = all): Target[] {
  const balancer = byKey();
  return Array.from({ length: KEYS }, (_, key) => {
    asked.query = `key ${key}`;
    return balancer.choose(some, exchange, all);
  });
}

describe('ConsistentHash', () => {
  it.each([3, 10, 50, 100])('moves no more than a fair part and ten points when one of %i goes', (size) => {
    const all = many(size);
    const gone = all[1];
    const before = placesOf(all);
    const after = placesOf(all.filter((one) => one !== gone));
    const moved = before.filter((one, key) => one !== after[key]).length / KEYS;
    expect(moved).toBeLessThan(1 / size + 0.1);
    // Far better than that: what moves is hardly more than what was with the one that is gone.
    expect(moved).toBeLessThan(1 / size + 0.03);
  });

  it('gives each as many keys as another', () => {
    const counts = Object.values(countsOf(placesOf(many(10)).map(nameOf)));
    for (const count of counts)
      expect(Math.abs(count / KEYS - 0.1)).toBeLessThan(marginOf(0.1, KEYS) + 0.001);
  });

  it('gives keys by weight', () => {
    const targets = [targetOf('h', { weight: 3 }), targetOf('l')];
    const heavy = placesOf(targets).filter((one) => nameOf(one) === 'h').length / KEYS;
    expect(Math.abs(heavy - 0.75)).toBeLessThan(marginOf(0.75, KEYS) + 0.001);
  });

  it('depends on addresses only: not on the order of a list, nor on the process', () => {
    const targets = many(5);
    expect(placesOf([...targets].reverse())).toEqual(placesOf(targets));
    // What others have computed stays true: a change of the hash moves every key of every gateway.
    expect(placesOf(targets).slice(0, 12).map(nameOf).join(' ')).toMatchInlineSnapshot(
      `"t1 t4 t3 t4 t2 t1 t1 t1 t4 t0 t4 t2"`,
    );
    expect(targetOf('a', { url: 'http://a' }).address).toBe(targetOf('a').address);
  });

  it('moves only the keys of a target that is not available, spread over all others, and back', () => {
    const all = many(5);
    const [down] = all;
    const before = placesOf(all);
    const meanwhile = placesOf(all, all.slice(1));
    const moved = meanwhile.filter((_, key) => before[key] === down);
    expect(meanwhile.filter((one, key) => before[key] !== down && one !== before[key])).toEqual([]);
    const counts = countsOf(moved.map(nameOf));
    for (const count of Object.values(counts))
      expect(Math.abs(count / moved.length - 0.25)).toBeLessThan(marginOf(0.25, moved.length) + 0.01);
    expect(placesOf(all)).toEqual(before);
  });

  it('keeps to its choice on random schedules of who is available', () => {
    const all = many(7);
    const random = randomFrom(7);
    const balancer = byKey();
    for (let step = 0; step < 300; step += 1) {
      const some = all.filter(() => random() < 0.4);
      if (some.length === 0) continue;
      asked.query = `key ${Math.floor(random() * 100)}`;
      const chosen = balancer.choose(some, exchange, all);
      expect(some).toContain(chosen);
      expect(byKey().choose([...some].reverse(), exchange, all)).toBe(chosen);
    }
  });

  it('goes by the fewest calls for what has no key', () => {
    const [a, b] = [targetOf('a'), targetOf('b')];
    a.inFlight = 1;
    const balancer = new ConsistentHash(() => undefined);
    expect([balancer.choose([a, b], exchange), balancer.choose([a, b])]).toEqual([b, b]);
    expect(balancer.draw(exchange)).toBeUndefined();
  });

  it('takes ways by another hash than targets', () => {
    const balancer = byKey();
    const draws = placesOf(many(2)).map((one, key) => {
      asked.query = `key ${key}`;
      return [nameOf(one), balancer.draw(exchange) as number] as const;
    });
    const low = draws.filter(([name, draw]) => name === 't0' && draw < 0.5).length / KEYS;
    expect(Math.abs(low - 0.25)).toBeLessThan(marginOf(0.25, KEYS) + 0.001);
  });
});

describe('maglevTable', () => {
  it('is as even as its weights, and grows with its members', () => {
    const members = Array.from({ length: 10 }, (_, index) => ({ key: `10.0.0.${index}:80`, weight: 1 }));
    const counts = Object.values(countsOf([...maglevTable(members)].map(String)));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(
      [1, 11, 41].map((size) => maglevTable(many(size).map((_, at) => ({ key: `${at}`, weight: 1 }))).length),
    ).toEqual([4093, 16_381, 65_537]);
  });
});

describe('textHash', () => {
  it('says the same for ever, and another thing for another seed', () => {
    expect([textHash('', 0), textHash('a', 0), textHash('a', 1)]).toMatchInlineSnapshot(`
     [
       0,
       3192030822,
       3567273737,
     ]
    `);
  });
});

describe('hashKey', () => {
  const request = createExchange({
    target: '/users/42?a=x&id=7&id=8&empty=',
    headers: ['x-tenant', 'acme', 'cookie', 'other=1; cart=c 9; cart=10'],
    principal: createPrincipal('ann'),
  });
  request.route = { pattern: { parameters: ['id', 'rest'] } } as unknown as Route;
  request.params = ['42'];

  it.each([
    ['principal', 'user:jwt::ann'],
    ['address', '203.0.113.7'],
    [{ header: 'x-tenant' }, 'acme'],
    [{ header: 'x-none' }, undefined],
    [{ cookie: 'cart' }, 'c 9'],
    [{ cookie: 'art' }, undefined],
    [{ parameter: 'id' }, '42'],
    [{ parameter: 'rest' }, undefined],
    [{ parameter: 'none' }, undefined],
    [{ query: 'id' }, '7'],
    [{ query: 'd' }, undefined],
    [{ query: 'empty' }, undefined],
  ] as const)('reads %j', (options, value) => {
    expect(hashKey(options)(request)).toBe(value);
  });

  it('has no key for a stranger, and nothing but a parameter for a request without a route', () => {
    expect(hashKey('principal')(createExchange())).toBeUndefined();
    expect(hashKey({ parameter: 'id' })(createExchange())).toBeUndefined();
  });
});
