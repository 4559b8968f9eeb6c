import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { renamed, renamedUpstream, upstreamsNamedBy } from './team-names.ts';

const name = (one: string): string => (one === 'db' ? 'orders.db' : one);

describe('renamed', () => {
  it('gives every place of a route that names an upstream the name that it has in the gateway', () => {
    const asked = { externalAuthorization: { upstream: 'db', opa: { path: '/' } } };
    const route = {
      id: 'list',
      upstream: 'db',
      mirror: { upstream: 'shared' },
      canary: { upstream: 'db' },
      split: { others: [{ upstream: 'db' }, { upstream: 'shared', weight: 2 }, { refuse: true }] },
      passGrpc: { split: { others: [{ upstream: 'db' }] } },
      aggregate: {
        calls: { a: { upstream: 'db', fallback: { upstream: 'db' } } },
        response: { upstream: 'db' },
      },
      versions: { of: { v1: { upstream: 'db', mirror: { upstream: 'db' }, policies: asked } } },
      policies: { ...asked, rateLimit: [{ bucket: 'all' }, {}], quota: [{ name: 'monthly' }] },
    };
    const theirs = { externalAuthorization: { upstream: 'orders.db', opa: { path: '/' } } };
    expect(renamed(route, 'orders', name)).toEqual({
      id: 'orders.list',
      upstream: 'orders.db',
      mirror: { upstream: 'shared' },
      canary: { upstream: 'orders.db' },
      split: { others: [{ upstream: 'orders.db' }, { upstream: 'shared', weight: 2 }, { refuse: true }] },
      passGrpc: { split: { others: [{ upstream: 'orders.db' }] } },
      // What clients or services are told is nobody's name.
      aggregate: {
        calls: { a: { upstream: 'orders.db', fallback: { upstream: 'db' } } },
        response: { upstream: 'db' },
      },
      versions: {
        of: { v1: { upstream: 'orders.db', mirror: { upstream: 'orders.db' }, policies: theirs } },
      },
      policies: { ...theirs, rateLimit: [{ bucket: 'orders.all' }, {}], quota: [{ name: 'orders.monthly' }] },
    });
    expect(upstreamsNamedBy(route)).toHaveLength(11);
  });

  it('finds an upstream wherever the schema of a route lets it be named', () => {
    const schema = JSON.parse(readFileSync('config/team.schema.json', 'utf8')) as Schema;
    const places = placesOf(schema.properties?.['routes'] as Schema, schema).map(([, ...below]) => below);
    expect(places).toContainEqual(['upstream']);
    expect(places.length).toBeGreaterThan(8);
    const missed = places.filter((place) => {
      const route = place.reduceRight<unknown>(
        (inner, step) => (step === 0 ? [inner] : { [step]: inner }),
        'x',
      );
      return upstreamsNamedBy(route as Readonly<Record<string, unknown>>).length === 0;
    });
    expect(missed).toEqual([]);
  });

  it('leaves a route that names nothing else as it is', () => {
    expect(renamed({ id: 'a', respond: { body: 'x' } }, 'orders', name)).toEqual({
      id: 'orders.a',
      respond: { body: 'x' },
    });
  });
});

describe('renamedUpstream', () => {
  it('changes what its policies name', () => {
    expect(renamedUpstream({ targets: [], policies: { quota: [{ name: 'm' }] } }, 'orders', name)).toEqual({
      targets: [],
      policies: { quota: [{ name: 'orders.m' }] },
    });
  });
});

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

type Place = readonly (string | 0)[];

/** Where a text called `upstream` may stand; of a map under any name, of a list in its first place. */
function placesOf(schema: Schema, whole: Schema, path: Place = []): Place[] {
  // What describes itself has no end.
  if (path.length > 10) return [];
  const below = (one: Schema, at: Place): Place[] => placesOf(one, whole, at);
  if (schema.$ref !== undefined) {
    const named = whole.$defs?.[schema.$ref.split('/').at(-1) ?? ''];
    return named === undefined ? [] : below(named, path);
  }
  const { anyOf = [], oneOf = [], allOf = [], properties = {}, additionalProperties, items } = schema;
  const isHere = path.at(-1) === 'upstream' && schema.type === 'string';
  return [
    ...(isHere ? [path] : []),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((one) => below(one, path)),
    ...Object.entries(properties).flatMap(([key, one]) => below(one, [...path, key])),
    ...(typeof additionalProperties === 'object' ? below(additionalProperties, [...path, 'any']) : []),
    ...(items === undefined ? [] : below(items, [...path, 0])),
  ];
}
