import { describe, expect, it } from '@jest/globals';
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
      split: { others: [{ upstream: 'db' }, { refuse: true }] },
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
      split: { others: [{ upstream: 'orders.db' }, { refuse: true }] },
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
    expect(upstreamsNamedBy(route)).toHaveLength(10);
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
