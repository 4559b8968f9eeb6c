import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { formOf, told } from '../support/faults-at-once.ts';
import { fixed, mainFile, TeamFiles } from '../support/team-files.ts';

const HEAD = `version: 1
defaults: { policies: { authentication: public } }
upstreams:
  users: { targets: [http://127.0.0.1:1] }
`;

describe('faults of form, and what can be told of the rest', () => {
  it('are told together: an unknown upstream of one route, and a mistyped key of another', async () => {
    const text = `${HEAD}routes:
  - { id: a, match: { pth: /a }, upstream: users }
  - { id: b, match: { path: /b }, upstream: usres }
`;
    expect(await told(text)).toEqual([
      '6:23  routes[a].match.pth  unknown key; did you mean "path"?',
      '7:35  routes[b].upstream  there is no upstream "usres"; did you mean "users"?',
    ]);
  });

  it('are told with the expression of another policy of the same route', async () => {
    const text = `${HEAD}routes:
  - id: a
    match: { path: /a }
    upstream: users
    policies:
      rateLimit: { rate: many, per: 1m }
      authorization: { when: "request.nothing == 1" }
`;
    expect(await told(text)).toEqual([
      expect.stringMatching(/^10:20 {2}routes\[a\]\.policies\.rateLimit\.rate /),
      expect.stringMatching(/^11:24 {2}routes\[a\]\.policies\.authorization\.when /),
    ]);
  });

  it('are told where they come after another one of the same route', async () => {
    const text = `${HEAD}routes:
  - id: a
    match: { path: /a }
    upstream: usres
    policies:
      authorization: { when: "request.nothing == 1" }
      serverTiming: { for: { when: "nobody == 1" } }
`;
    expect(await told(text)).toEqual([
      '8:5  routes[a].upstream  there is no upstream "usres"; did you mean "users"?',
      expect.stringMatching(/^10:24 {2}routes\[a\]\.policies\.authorization\.when /),
      expect.stringMatching(/^11:30 {2}routes\[a\]\.policies\.serverTiming\.for\.when /),
    ]);
  });

  it('are told with conflicts of the others, in the place where these stand', async () => {
    const text = `${HEAD}routes:
  - { id: a, upstream: users }
  - { id: b, match: { path: /b }, upstream: users }
  - { id: c, match: { path: /b }, upstream: users }
`;
    expect(await told(text)).toEqual([
      expect.stringMatching(/^6:5 {2}routes\[a\]\.match {2}expected `match`/),
      expect.stringMatching(/^8:14 {2}routes\[c\]\.match {2}can never be reached: g\.yaml:7:5 /),
    ]);
  });

  it('are told with what all keys together say wrong, where those are right', async () => {
    const text = `${HEAD}graphql: { policies: { rateLimit: { key: ip, rate: 1, per: 1m, cost: query } } }
routes:
  - { id: a, match: { pth: /a }, upstream: users }
`;
    expect(await told(text)).toEqual([
      expect.stringMatching(/^5:24 {2}graphql\.policies\.rateLimit {2}expected `graphql\.cost`/),
      expect.stringMatching(/^7:23 {2}routes\[a\]\.match\.pth /),
    ]);
  });
});

describe('faults of modules, beside a fault of form', () => {
  const route = 'routes:\n  - { id: a, match: { pth: /a }, upstream: users }\n';
  const PTH = expect.stringContaining('routes[a].match.pth');

  it('are told: there is none of that name', async () => {
    expect(await told(`${HEAD}modules: [ordrs]\n${route}`)).toEqual([
      '5:11  modules[0]  there is no module "ordrs": this gateway offers none',
      PTH,
    ]);
  });

  it('are told: the upstream that it calls is not there, but not one that is at fault', async () => {
    @Module({})
    class OrdersModule {}
    const orders = [
      { name: 'orders', module: OrdersModule, upstreams: { users: 'http', shop: 'http' } },
    ] as const;
    const text = HEAD.replace('users: { targets', 'users: { tragets');
    expect(await told(`${HEAD}modules: [orders]\n${route}`, orders)).toEqual([
      expect.stringContaining('modules[0]  the module "orders" calls the upstream "shop"'),
      PTH,
    ]);
    const both = await told(`${text}modules: [orders]\n${route}`, orders);
    expect(both.filter((line) => line.includes('modules[0]'))).toEqual([expect.stringContaining('"shop"')]);
  });
});

const UPSTREAMS = 'upstreams: { users: { targets: [http://127.0.0.1:1] } }';
const route = (more = '', policies = 'authentication: public'): string =>
  `{ id: a, match: { path: /a }, upstream: users, ${more}policies: { ${policies} } }`;

describe('faults that only follow from one of form', () => {
  it.each([
    ['the upstream of a route', UPSTREAMS.replace('targets', 'targts'), route()],
    ['all upstreams', UPSTREAMS.replace('upstreams', 'upstrems'), route()],
    ['a protocol', UPSTREAMS.replace('{ targets', '{ protocol: grcp, targets'), route()],
    ['labels of a target', UPSTREAMS.replace('http:', 'htp:'), route('subset: { a: b }, ')],
    ['who may call', UPSTREAMS, route('', 'authentcation: public')],
    ['all policies', UPSTREAMS, route().replace('policies', 'polices')],
    ['a default', `${UPSTREAMS}\ndefaults: { policies: { authentication: pubic } }`, route('', '')],
    ['identity', `${UPSTREAMS}\nidentity: { isuers: [] }`, route('', 'authentication: { schemes: [jwt] }')],
    ['tiers', `${UPSTREAMS}\ntiers: { free: { rat: 1, per: 1m } }`, route('', 'authentication: public, rateLimit: { key: ip, tiers: true }')],
    ['parameters', UPSTREAMS, route('', `authentication: public, authorization: { when: "params.id == '1'" }`).replace('/a', '7')],
    ['an upstream of a canary', UPSTREAMS.replace('} }', '}, next: { targts: [] } }'), route('canary: { upstream: next, weight: 5% }, ')],
    ['a variable', UPSTREAMS.replace('http://127.0.0.1:1', '"${NOT_SET_ANYWHERE}"'), route()],
  ])('are not told: of %s', async (_, sections, one) => {
    const text = `version: 1\n${sections}\nroutes:\n  - ${one}\n`;
    expect(await told(text)).toEqual(formOf(text));
  }); // prettier-ignore

  it('are told where what follows is not all that is wrong', async () => {
    const text = `version: 1\n${UPSTREAMS.replace('targets', 'targts')}\nroutes:\n  - ${route()}\n  - ${route().replace('users', 'shop').replaceAll('a,', 'b,')}\n`;
    expect(await told(text)).toEqual([
      ...formOf(text),
      expect.stringContaining('routes[b].upstream  there is no upstream "shop"'),
    ]);
  });
});

describe('faults of several files', () => {
  let files: TeamFiles;
  beforeEach(() => {
    files = new TeamFiles();
  });
  afterEach(() => files.remove());

  it('are told together, each in its file, without those that follow from them', async () => {
    files.write('gateway.yaml', mainFile('http://127.0.0.1:1', { routes: [{ id: 'home', mtch: {} }] }));
    files.write('teams/orders.yaml', {
      upstreams: { db: { targts: ['http://127.0.0.1:2'] } },
      routes: [
        { id: 'list', match: { path: '/orders' }, upstream: 'db' },
        { id: 'one', match: { path: '/orders/{id}' }, upstream: 'sharde' },
        { id: 'two', match: { path: '/orders/{id}' }, upstream: 'shared' },
      ],
    });
    files.write('teams/users.yaml', { routes: [fixed('list', '/users'), fixed('other', '/elsewhere')] });
    const found = await files.faults();
    const keysOf = (file: string) => found.get(file)?.map(({ key, message }) => `${key} ${message}`) ?? [];
    expect(keysOf('gateway.yaml')).toEqual(
      expect.arrayContaining([expect.stringContaining('routes[home].mtch')]),
    );
    expect(keysOf('teams/orders.yaml').filter((line) => line.startsWith('upstreams'))).not.toEqual([]);
    expect(keysOf('teams/orders.yaml').filter((line) => line.startsWith('routes'))).toEqual([
      expect.stringMatching(/^routes\[one\]\.upstream there is no upstream "sharde"/),
    ]);
    expect(keysOf('teams/users.yaml')).toEqual([
      expect.stringMatching(/^routes\[users\.other\]\.match\.path /),
    ]);
  });

  it('are told together by a reload as well, and what is in force stays', async () => {
    files.write('gateway.yaml', mainFile('http://127.0.0.1:1', { routes: [fixed('home', '/home')] }));
    files.write('teams/users.yaml', { routes: [fixed('list', '/users')] });
    const running = await files.start();
    try {
      const routes = [
        { id: 'a', match: { pth: '/a' }, upstream: 'shared' },
        { id: 'b', match: { path: '/b' }, upstream: 'sharde' },
      ];
      files.write('gateway.yaml', mainFile('http://127.0.0.1:1', { routes }));
      files.write('teams/users.yaml', { routes: [fixed('list', '/elsewhere')] });
      const { outcome, faults } = await running.gateway.reload('test');
      expect([outcome, faults.map(({ key }) => key)]).toEqual([
        'faulty',
        ['routes[a].match.pth', 'routes[b].upstream', 'routes[users.list].match.path'],
      ]);
      expect(await running.text('/home')).toBe('home');
    } finally {
      await running.gateway.close();
    }
  });

  it('are not told of what stands beside a file that cannot be read', async () => {
    files.write(
      'gateway.yaml',
      mainFile('http://127.0.0.1:1', {}, { files: 'teams/*.yaml', team: 'orders' }),
    );
    files.write('teams/a.yaml', 'upstreams: { db: [');
    files.write('teams/b.yaml', { routes: [{ id: 'one', match: { path: '/orders' }, upstream: 'db' }] });
    expect([...(await files.faults()).keys()]).toEqual(['teams/a.yaml']);
  });
});
