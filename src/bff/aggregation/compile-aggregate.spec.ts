import { describe, expect, it } from '@jest/globals';
import { NearestNames } from '../../config/nearest-name.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { readDescriptorSet } from '../../upstreams/grpc/descriptors/descriptor-files.ts';
import { createExchange } from '../../../test/support/exchange.ts';
import { TemplateScope } from '../../templates/template-scope.ts';
import { aggregateSchema } from './aggregate.schema.ts';
import type { Aggregate } from './aggregate.ts';
import { compileAggregate } from './compile-aggregate.ts';

const protocols = new Map<string, 'http' | 'grpc'>([
  ['users', 'http'],
  ['orders', 'grpc'],
]);

function compile(section: unknown) {
  return compileAggregate(aggregateSchema.parse(section), {
    parameters: ['id', '*'],
    protocols,
    names: new NearestNames(protocols.keys()),
    schemaOf: () => readDescriptorSet('config/descriptors/shop.binpb'),
  });
}

function usable(section: unknown): Aggregate {
  const { aggregate, faults } = compile(section);
  expect(faults).toEqual([]);
  return aggregate;
}

function faultsOf(section: unknown): string[] {
  return compile(section).faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const users = (path: string, more: object = {}) => ({ upstream: 'users', path, ...more });
const answer = (response: object, answers: Record<string, unknown>): Record<string, unknown> => {
  const calls = Object.fromEntries(
    Object.keys(answers).map((name) => [name, users('/a', { required: true })]),
  );
  const aggregate = usable({ calls, response });
  const scope = new TemplateScope(exchange(), aggregate.calls.length, 10);
  scope.answers.splice(0, Infinity, ...Object.values(answers));
  return aggregate.respond(scope);
};
const exchange = (query = ''): Exchange => {
  const one = createExchange({ target: `/a${query}` });
  one.params = ['7', 'rest'];
  return one;
};

describe('compileAggregate', () => {
  it('finds what waits for what, and nothing more', () => {
    const { calls } = usable({
      calls: {
        a: users('/a/{id}'),
        b: users('/b/{a.id}?x={c.x}&y={a.y}'),
        c: users('/c/{query.q}'),
        d: users('/d/{b.id}', { required: true, budget: '1s' }),
      },
      response: { c: 'c.value' },
    });
    expect(calls.map(({ dependencies }) => dependencies)).toEqual([[], [0, 2], [], [1]]);
    expect(calls.map(({ budgetMs }) => budgetMs)).toEqual([Infinity, Infinity, Infinity, 1000]);
  });

  it('knows what the answer depends on besides path and query', () => {
    const calls = { a: users('/a?l={header.Accept-Language}&t={header.X-Kind}&l2={header.accept-language}') };
    expect(usable({ calls })).toMatchObject({ vary: 'accept-language, x-kind', isPersonal: false });
    expect(usable({ calls: { a: users('/a/{principal.id}') } })).toMatchObject({
      vary: undefined,
      isPersonal: true,
    });
    expect(usable({ calls: { a: users('/a') }, response: { a: 'a', me: 'principal.email' } })).toMatchObject({
      isPersonal: true,
    });
  });

  it.each([
    [
      { a: users('/{b.x}'), b: users('/{c.x}'), c: users('/{a.x}') },
      ['calls.a: waits for itself: a → b → c → a'],
    ],
    [{ a: users('/{b.x}'), b: users('/{b.x}', { required: true }) }, ['calls.b: waits for itself: b → b']],
    [
      { a: users('/{b.x}'), b: users('/{a.x}'), c: users('/{d.x}'), d: users('/{c.x}') },
      ['calls.a: waits for itself: a → b → a', 'calls.c: waits for itself: c → d → c'],
    ],
    [{ a: users('/{b.x}?c={c.x}'), b: users('/{c.x}'), c: users('/c') }, []],
  ])('tells the cycles of %j', (calls, faults) => {
    expect(faultsOf({ calls })).toEqual(faults);
  });

  it.each([
    [{ id: users('/a') }, 'calls.id: expected another name'],
    [{ item: users('/a') }, 'calls.item: expected another name'],
    [{ a: users('/a/{*}') }, 'calls.a.path: there is no parameter and no call "*"'],
    [{ a: users('/a/{id.x}') }, 'calls.a.path: the parameter {id} is a text'],
    [{ a: users('/a/{query}') }, 'calls.a.path: expected a name after it'],
    [{ a: users('/a/{header.Cookie}') }, 'calls.a.path: cookie is a credential'],
    [{ a: users('/a/{header.a b}') }, 'calls.a.path: expected the name of a header field'],
    [{ a: users('/a/{principal.roles}') }, 'calls.a.path: expected one of id, clientId, email'],
    [{ a: users('/a#b') }, 'calls.a.path: expected a percent-encoded path'],
    [{ a: users('/ä') }, 'calls.a.path: expected a percent-encoded path'],
    [{ a: users('//evil.example') }, 'calls.a.path: expected a percent-encoded path without empty'],
    [{ a: users('/a', { input: {} }) }, 'calls.a.input: expected no `input` beside `path`'],
    [{ a: { upstream: 'users', grpc: 'a.B/C' } }, 'calls.a.upstream: the upstream "users" speaks http'],
    [{ a: { upstream: 'orders', grpc: 'shop.v1.Order/GetOrder' } }, 'calls.a.grpc: there is no service'],
    [
      { a: { upstream: 'orders', grpc: 'shop.v1.Orders/WatchOrder' } },
      'calls.a.grpc: shop.v1.Orders has no method',
    ],
  ])('refuses %j', (calls, message) => {
    expect(faultsOf({ calls })).toEqual([expect.stringContaining(message)]);
  });

  it('fills messages with values that are there, and refuses those that are not', () => {
    const { calls } = usable({
      calls: {
        a: users('/a'),
        o: { upstream: 'orders', grpc: 'shop.v1.Orders/GetOrder', input: { id: 'x-{query.q}-{a.n}' } },
      },
    });
    const operation = calls[1]?.operation;
    if (operation?.kind !== 'grpc') throw new Error('expected gRPC');
    expect(() => operation.input(new TemplateScope(exchange(), 2, 10))).toThrow('query.q is missing.');
    const scope = new TemplateScope(exchange('?q=1'), 2, 10);
    expect(() => operation.input(scope)).toThrow('The upstream gave an answer that cannot be used');
    scope.answers[0] = { n: 5 };
    expect(operation.input(scope)).toEqual({ id: 'x-1-5' });
    scope.answers[0] = { n: JSON.rawJSON('12345678901234567890') };
    expect(operation.input(scope)).toEqual({ id: 'x-1-12345678901234567890' });
  });
});

describe('calls that nobody uses', () => {
  it('are a fault, unless they are required or something else is wrong', () => {
    const response = { n: 'a.name' };
    const fault = 'calls.b: expected something that uses its answer, or `required: true`';
    expect(faultsOf({ calls: { a: users('/a'), b: users('/b') }, response })).toEqual([fault]);
    expect(faultsOf({ calls: { a: users('/a'), b: users('/b', { required: true }) }, response })).toEqual([]);
    expect(faultsOf({ calls: { a: users('/{x}/{b.id}'), b: users('/b') }, response })).toHaveLength(1);
  });
});

describe('the response of an aggregate', () => {
  const user = { name: 'Ada', email: 'a@x', address: { city: 'Berlin' }, tags: ['x', 'y'] };

  it.each([
    [{ n: 'user.name' }, { n: 'Ada' }],
    [{ n: '{user.address.city}!' }, { n: 'Berlin!' }],
    [
      { n: '{user.missing}!', m: 'user.missing.deeper' },
      { n: null, m: null },
    ],
    [
      { n: 'user.tags.1', l: 'user.tags.length', p: 'user.constructor' },
      { n: 'y', l: null, p: null },
    ],
    [
      { id: 'id', t: '{id}/{user.name}' },
      { id: '7', t: '7/Ada' },
    ],
    [
      { a: 1, b: true, c: null, d: { e: [2, 'user.name'] } },
      { a: 1, b: true, c: null, d: { e: [2, 'Ada'] } },
    ],
    [{ p: { from: 'user', pick: ['name', 'age'] } }, { p: { name: 'Ada', age: null } }],
    [{ p: { from: 'user', omit: ['address', 'tags'] } }, { p: { name: 'Ada', email: 'a@x' } }],
    [{ p: { from: 'user', pick: ['name'], rename: { name: 'from' } } }, { p: { from: 'Ada' } }],
    [{ p: { from: 'user.missing', pick: ['name'] } }, { p: null }],
    [{ p: { from: 'user.tags', pick: ['name'] } }, { p: [null, null] }],
    [{ p: { from: 'user.tags' } }, { p: ['x', 'y'] }],
    [{ p: { merge: ['user.address', { city: 'user.name' }, 'user.tags', 'none'] } }, { p: { city: 'Ada' } }],
    [{ p: { merge: ['user.tags', 'none'] } }, { p: null }],
    [{ merge: ['user.address', { degraded: 1 }] }, { city: 'Berlin' }],
    [{ merge: ['none'] }, {}],
    [{ p: { each: 'user.tags', as: 'item' } }, { p: ['x', 'y'] }],
    [
      { p: { each: 'user.tags', as: { t: 'item', of: 'user.name' } } },
      {
        p: [
          { t: 'x', of: 'Ada' },
          { t: 'y', of: 'Ada' },
        ],
      },
    ],
    [{ p: { each: 'user.name', as: 'item' } }, { p: null }],
  ])('maps %j', (response, expected) => {
    expect(answer(response, { user, none: null })).toEqual(expected);
  });

  it('maps lists in lists, each with its own element', () => {
    const response = {
      p: { each: 'a.rows', as: { cells: { each: 'item.cells', as: 'item.v' }, n: 'item.n' } },
    };
    const rows = [
      { n: 1, cells: [{ v: 1 }, { v: 2 }] },
      { n: 2, cells: [] },
    ];
    expect(answer(response, { a: { rows } })).toEqual({
      p: [
        { n: 1, cells: [1, 2] },
        { n: 2, cells: [] },
      ],
    });
  });

  it('keeps a field called __proto__ a field, and pollutes nothing', () => {
    const evil: unknown = JSON.parse('{"__proto__":{"polluted":1},"a":2}');
    const response = { m: { merge: ['x'] }, o: { from: 'x', omit: ['b'] }, p: 'x.__proto__.polluted' };
    const text = JSON.stringify(answer(response, { x: evil }));
    expect(text).toBe(
      '{"m":{"__proto__":{"polluted":1},"a":2},"o":{"__proto__":{"polluted":1},"a":2},"p":1}',
    );
    expect({}).not.toHaveProperty('polluted');
  });

  it.each([
    [{ a: 'usr.name' }, 'response.a: there is no parameter and no call "usr"'],
    [{ a: 'user..name' }, 'response.a: expected names and indexes between dots'],
    [{ a: '{user.name' }, 'response.a: expected {name} for each value'],
    [{ a: ['user', 'usr'] }, 'response.a.1: there is no parameter'],
    [{ a: { from: 'user', pick: ['x'], omit: ['y'] } }, 'response.a: expected either pick or omit'],
    [{ a: { from: 'user', pick: [] } }, 'response.a: expected a list of field names for pick'],
    [{ a: { from: 'user', rename: ['x'] } }, 'response.a: expected a map of old to new'],
    [
      { a: { from: 'user', pick: ['name'], rename: { nam: 'x' } } },
      'response.a: "nam" is renamed but not picked',
    ],
    [
      { a: { from: 'user', pick: ['a', 'b'], rename: { a: 'b' } } },
      'response.a: two fields would be called "b"',
    ],
    [{ a: { merge: 'user' } }, 'response.a.merge: expected a list'],
    [{ merge: ['user'], more: 1 }, 'response.more: unknown key beside `merge`'],
    [{ from: 'user' }, 'response.from: expected a map of fields or `merge`'],
    [JSON.parse('{"a":{"__proto__":"user"}}'), 'response.a.__proto__: expected another name'],
  ])('refuses %j', (response, message) => {
    const faults = faultsOf({ calls: { user: users('/u', { required: true }) }, response });
    expect(faults).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });
});

it('takes a hundred calls and no more', () => {
  const calls = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`, users('/a')]));
  expect(usable({ calls: calls(100) })).toBeDefined();
  expect(aggregateSchema.safeParse({ calls: calls(101) }).error?.issues[0]?.message).toBe(
    'expected at most 100 calls',
  );
});
