import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../options.ts';
import { namesOf } from './part-names.ts';

describe('namesOf', () => {
  it.each([
    [
      'orders',
      { name: 'orders', camel: 'orders', Name: 'Orders', upstream: 'orders', upstreamKey: 'orders' },
    ],
    [
      'price-list',
      {
        name: 'price-list',
        camel: 'priceList',
        Name: 'PriceList',
        upstream: 'price-list',
        upstreamKey: "'price-list'",
      },
    ],
    [
      'v2-feed3',
      {
        name: 'v2-feed3',
        camel: 'v2Feed3',
        Name: 'V2Feed3',
        upstream: 'v2-feed3',
        upstreamKey: "'v2-feed3'",
      },
    ],
  ])('says how %s is spelled where', (name, names) => {
    expect(namesOf(name)).toEqual(names);
  });

  it('takes an upstream of another name', () => {
    expect(namesOf('products', 'catalog')).toMatchObject({ name: 'products', upstream: 'catalog' });
  });

  it.each([
    '',
    'Orders',
    '7up',
    'a_b',
    'a--b',
    '-a',
    'a-',
    '../a',
    'a/b',
    'class',
    'default',
    'view',
    'public',
  ])('refuses %j, which would make no code', (name) => {
    expect(() => namesOf(name)).toThrow(UsageError);
  });
});
