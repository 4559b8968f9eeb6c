import { create } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { identityHeaders } from '../../exchange/identity-headers.ts';
import type { Principal } from '../../exchange/principal.ts';
import { BOB } from '../../upstreams/grpc/call.fixture.ts';
import { randomOf } from '../calls.fixture.ts';
import { ListOrdersRequestSchema, Orders, OrderStatus } from '../../routes/services/gen/shop/v1/orders_pb.ts';
import { grpcUpstream } from '../grpc-upstream.ts';
import { httpUpstream } from '../http-upstream.ts';
import { canonicalJson, runKey, sortDeep } from './call-key.ts';

const ROUNDS = 1500;
/** Characters that separate, escape or end something somewhere. */
const ALPHABET = [
  'a',
  'b',
  '1',
  '/',
  '?',
  '&',
  '=',
  ',',
  '\n',
  '"',
  '\\',
  '%',
  '[',
  ' ',
  'é',
  '\u{1f600}',
  '.',
];

interface KeyCase {
  readonly id: string;
  readonly first: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly body: unknown;
}

const search = httpUpstream('things').post<KeyCase, unknown>('things.search', '/things/{id}/search', {
  decode: z.unknown(),
  query: ['first', 'tags'],
  body: ({ body }) => body,
  reads: true,
});

/** Makes random values of every kind that an input can have. */
class Maker {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  text(): string {
    return Array.from({ length: this.below(4) }, () => ALPHABET[this.below(ALPHABET.length)]).join('');
  }

  value(depth = 0): unknown {
    const kind = this.below(depth > 2 ? 5 : 7);
    if (kind === 5) return Array.from({ length: this.below(3) }, () => this.value(depth + 1));
    if (kind === 6) {
      const entries = Array.from({ length: this.below(3) }, () => [this.text(), this.value(depth + 1)]);
      return Object.fromEntries(entries);
    }
    return [this.text(), this.below(3), true, null, -this.below(9) / 2][kind];
  }

  asked(): KeyCase {
    return {
      // Without dots: `x/..` is refused.
      id: `x${this.text().replaceAll('.', '-')}`,
      first: this.below(2) === 0 ? undefined : this.text(),
      tags: this.below(2) === 0 ? undefined : [this.text(), this.text()],
      body: this.value(),
    };
  }

  principal(): Principal | undefined {
    if (this.below(8) === 0) return undefined;
    const text = (): string | undefined => (this.below(2) === 0 ? undefined : this.text());
    return {
      ...BOB,
      id: this.text(),
      scheme: this.below(2) === 0 ? 'jwt' : 'apiKey',
      roles: [this.text(), this.text()].slice(this.below(3)),
      email: text(),
      tenant: text(),
      clientId: text(),
    };
  }
}

/** The same value with the properties of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}

/** What the upstream would get: the whole request in one unambiguous form. */
function requestOf(asked: KeyCase, principal: Principal | undefined): string {
  const { id, first, tags, body } = asked;
  const who = principal && [principal.scheme, principal.id, ...identityHeaders(principal)];
  return canonicalJson([who ?? null, id, first ?? null, tags?.join(',') ?? null, body]);
}

describe(runKey.name, () => {
  it('is equal exactly for requests that are equal, over random inputs and principals', () => {
    const make = new Maker(20261122);
    const seen = new Map<string, string>();
    const keys = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const asked = make.asked();
      const principal = make.principal();
      const key = runKey('principal', principal, search.keyOf(asked));
      const request = requestOf(asked, principal);
      expect(seen.get(request) ?? key).toBe(key);
      if (!seen.has(request)) expect(keys.has(key)).toBe(false);
      seen.set(request, key);
      keys.add(key);
      const again = principal && { ...principal };
      expect(runKey('principal', again, search.keyOf(reversed(asked) as KeyCase))).toBe(key);
    }
    expect(keys.size).toBeGreaterThan(ROUNDS / 2);
  });

  it.each([
    ['another scheme', { ...BOB, scheme: 'apiKey' }],
    ['another id', { ...BOB, id: '3', subject: '3' }],
    ['another role', { ...BOB, roles: ['user', 'admin'] }],
    ['roles that read alike', { ...BOB, roles: ['user,reader'] }],
    ['another tenant', { ...BOB, tenant: 'globex' }],
    ['another client', { ...BOB, clientId: 'mobile' }],
    ['nobody', undefined],
  ] as [string, Principal | undefined][])('tells %s from Bob, but not in public', (_, other) => {
    expect(runKey('principal', other, '/x')).not.toBe(runKey('principal', BOB, '/x'));
    expect(runKey('public', other, '/x')).toBe(runKey('public', BOB, '/x'));
  });

  it('knows what JSON knows, and no prototype', () => {
    const tricky = JSON.parse('{"b":1,"__proto__":{"y":1,"x":2},"a":[{"d":1,"c":2}]}') as unknown;
    expect(canonicalJson(tricky)).toBe('{"__proto__":{"x":2,"y":1},"a":[{"c":2,"d":1}],"b":1}');
    expect(canonicalJson({ at: new Date(0), none: undefined })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
    expect(canonicalJson(undefined)).toBe('');
  });
});

describe('the key of a gRPC call', () => {
  const orders = grpcUpstream('orders');
  const list = orders.unary('orders.list', Orders.method.listOrders, { idempotent: true });
  const place = orders.unary('orders.create', Orders.method.createOrder);

  it('takes what the wire does not tell apart as equal, and nothing else', () => {
    const key = list.keyOf({ pageSize: 2, pageToken: 'x' });
    expect(list.keyOf({ pageToken: 'x', pageSize: 2 })).toBe(key);
    expect(list.keyOf(create(ListOrdersRequestSchema, { pageSize: 2, pageToken: 'x' }))).toBe(key);
    expect(list.keyOf({ pageSize: 0 })).toBe(list.keyOf({}));
    // An optional field that is set to its default is set.
    expect(list.keyOf({ status: OrderStatus.UNSPECIFIED })).not.toBe(list.keyOf({}));
  });

  it('is different for different messages, over random inputs', () => {
    const make = new Maker(7);
    const seen = new Map<string, string>();
    for (let round = 0; round < 1000; round += 1) {
      const items = Array.from({ length: make.below(3) }, () => ({
        sku: make.text(),
        quantity: make.below(4),
      }));
      const note = make.text();
      const key = place.keyOf({ items, note });
      const text = JSON.stringify([items, note]);
      expect(seen.get(key) ?? text).toBe(text);
      seen.set(key, text);
      expect(place.keyOf(reversed({ items, note }) as { items: typeof items; note: string })).toBe(key);
    }
  });

  it('orders the entries of maps, and leaves bytes alone', () => {
    const bytes = new Uint8Array([2, 1]);
    expect(Object.keys(sortDeep({ b: 1, a: bytes }) as object)).toEqual(['a', 'b']);
    expect((sortDeep({ b: 1, a: bytes }) as { a: unknown }).a).toBe(bytes);
    const struct = create(StructSchema, { fields: {} });
    expect(sortDeep(struct)).toEqual({ $typeName: 'google.protobuf.Struct', fields: {} });
  });

  it('refuses what the message cannot carry', () => {
    expect(() => list.keyOf({ pageSize: 2 ** 40 })).toThrow(
      expect.objectContaining({ code: 'request-invalid' }),
    );
  });
});
