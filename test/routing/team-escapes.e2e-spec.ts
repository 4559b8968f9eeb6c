import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fixed, mainFile, TeamFiles, type RunningTeams } from '../support/team-files.ts';

let files: TeamFiles;
let running: RunningTeams | undefined;

beforeEach(() => {
  for (const name of VARIABLES) process.env[name] = 'x'.repeat(40);
  files = new TeamFiles();
});
afterEach(async () => {
  for (const name of VARIABLES) delete process.env[name];
  await running?.gateway.close();
  running = undefined;
  files.remove();
});

const VARIABLES = ['SIGNING', 'PAY_KEY', 'PAY_EU_KEY'];
const TARGET = 'http://127.0.0.1:1';
const GUARD = { authorization: { anyRole: ['staff'] } };
const ASKED = { upstream: 'opa', forward: {} };

/** A gateway whose upstreams hold something back, and a team that may lead to two of them. */
const main = (more: object = {}): object =>
  mainFile(TARGET, {
    identity: {
      signing: { rotate: '1h', secretEnv: 'SIGNING', path: '/keys/set' },
      issuers: [
        {
          issuer: 'https://id.test/',
          jwks: 'https://id.test/jwks',
          audiences: ['api'],
          algorithms: ['RS256'],
        },
      ],
    },
    defaults: { policies: { authentication: { schemes: ['jwt'] }, externalAuthorization: ASKED } },
    upstreams: {
      shared: { targets: [TARGET], identity: { authorization: 'remove', allowHeaders: ['x-app-*'] } },
      secret: { targets: [TARGET] },
      opa: { targets: [TARGET] },
      guarded: { targets: [TARGET], policies: GUARD },
    },
    include: [
      {
        files: 'teams/*.yaml',
        rights: { paths: ['/{team}', '/keys'], upstreams: ['shared', 'guarded'], targets: ['127.0.0.1'] },
      },
    ],
    ...more,
  });

const own = { own: { targets: [TARGET] } };
const route = (more: object): object => ({
  upstreams: own,
  routes: [{ id: 'a', match: { path: '/NAME' }, upstream: 'own', ...more }],
});
const calls = (more: object): object => route({ upstream: undefined, aggregate: { calls: { b: more } } });

interface Row {
  readonly title: string;
  readonly file: object;
  /** Of its only fault; undefined for none. */
  readonly key?: string;
  readonly message?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    title: 'a share of an upstream that it may not lead to',
    file: route({ split: { others: [{ upstream: 'secret' }] } }),
    key: 'routes[a].split.others[0].upstream',
    message: /not one that it may lead to/,
  },
  {
    title: 'a share of its own',
    file: { ...route({ split: { others: [{ upstream: 'two' }] } }), upstreams: { ...own, two: own.own } },
  },
  {
    title: 'tokens that are for another team',
    file: {
      upstreams: {
        own: { targets: [TARGET], identity: { token: { audience: ['NAME.own', 'payments.db'] } } },
      },
    },
    key: 'upstreams.own.identity.token.audience',
    message: /payments.db is not an audience/,
  },
  {
    title: 'tokens for itself',
    file: { upstreams: { own: { targets: [TARGET], identity: { token: { audience: 'NAME' } } } } },
  },
  {
    title: 'an upstream of its own that is called as the one that everybody has to ask',
    file: {
      upstreams: {
        opa: { targets: [TARGET] },
        own: { targets: [TARGET], policies: { externalAuthorization: ASKED } },
      },
    },
    key: 'upstreams.own.policies.externalAuthorization',
    message: /looser/,
  },
  {
    title: 'a canary past the policies of an upstream',
    file: route({ canary: { upstream: 'guarded', weight: '50%' } }),
    key: 'routes[a].canary.upstream',
    message: /asks for `authorization`/,
  },
  {
    title: 'a call that asks for less than the upstream does',
    file: {
      routes: [
        {
          id: 'a',
          match: { path: '/NAME' },
          aggregate: { calls: { b: { upstream: 'guarded', path: '/' } } },
          policies: { authorization: { anyRole: ['staff', 'guest'] } },
        },
      ],
    },
    key: 'routes[a].aggregate.calls.b.upstream',
    message: /asks for `authorization`/,
  },
  {
    title: 'a canary that asks for as much',
    file: route({ canary: { upstream: 'guarded', weight: '50%' }, policies: GUARD }),
  },
  {
    title: 'fields of clients that an upstream does not get',
    file: route({
      upstream: 'shared',
      identity: { authorization: 'forward', allowHeaders: ['authorization', 'x-app-1'] },
    }),
    key: 'routes[a].identity.authorization',
    message: /expected `remove`/,
  },
  { title: 'fewer fields', file: route({ upstream: 'shared', identity: { allowHeaders: ['x-app-1'] } }) },
  {
    title: 'another host behind an upstream of the gateway',
    file: route({ upstream: 'shared', host: 'admin.internal' }),
    key: 'routes[a].host',
    message: /expected what the upstream "shared" says/,
  },
  {
    title: 'the public keys of the gateway, at a host',
    file: route({ match: { path: '/keys/set', hosts: ['gateway.internal'] } }),
    key: 'routes[NAME.a].match.path',
    message: /where the gateway has its public keys/,
  },
  {
    title: 'sockets for pages of anybody',
    file: route({ webSocket: { origins: ['https://evil.test'] } }),
    key: 'routes[a].webSocket.origins[0]',
    message: /https:\/\/evil.test is not an origin/,
  },
  {
    title: 'more memory than it may have',
    file: calls({ upstream: 'own', path: '/', cache: { ttl: '1m', maxBytes: '10GiB' } }),
    key: 'routes[a].aggregate.calls.b.cache.maxBytes',
    message: /at most 16777216 bytes/,
  },
];

describe('what a team could reach beyond its rights', () => {
  it('is a fault in its file, by whatever key', async () => {
    files.write('gateway.yaml', main());
    const named = (index: number, text: string): string => text.replaceAll('NAME', `t${index}`);
    for (const [index, { file }] of ROWS.entries())
      files.write(`teams/t${index}.yaml`, named(index, JSON.stringify(file)));
    const found = await files.faults();
    const told = ROWS.map(({ title, key }, index) => {
      const faults = (found.get(`teams/t${index}.yaml`) ?? []).filter(
        (one) => key === undefined || one.key === named(index, key),
      );
      return [
        title,
        faults.map(({ message }) => (ROWS[index]?.message?.test(message) === true ? 'as wanted' : message)),
      ];
    });
    expect(told).toEqual(ROWS.map(({ title, key }) => [title, key === undefined ? [] : ['as wanted']]));
    // There is no Redis here.
    expect(found.get('gateway.yaml')?.map(({ key }) => key)).toEqual(['identity.signing.rotate']);
  });

  it('leaves a variable to the team that it is named for', async () => {
    const include = [{ files: 'teams/*.yaml', rights: { variables: ['{TEAM}_*'] } }];
    files.write('gateway.yaml', { ...mainFile(TARGET), include });
    files.write('teams/pay.yaml', { routes: [fixed('a', '/pay', '${PAY_KEY} ${PAY_EU_KEY}')] });
    files.write('teams/pay-eu.yaml', { routes: [fixed('a', '/pay-eu', '${PAY_EU_KEY}')] });
    const found = await files.faults();
    expect([...found.keys()]).toEqual(['teams/pay.yaml']);
    expect(found.get('teams/pay.yaml')?.map(({ message }) => message)).toEqual([
      expect.stringContaining('PAY_EU_KEY is not set'),
    ]);
  });
});

it('names no file of another team by a link', async () => {
  files.write('gateway.yaml', {
    ...mainFile(TARGET),
    include: [{ files: 'teams/*.yaml', rights: { files: ['tls/{team}'], targets: ['127.0.0.1'] } }],
  });
  files.write('tls/bank/ca.pem', 'theirs');
  files.write('tls/shop/own.pem', 'own');
  symlinkSync('../bank/ca.pem', join(files.folder, 'tls/shop/ca.pem'));
  const secure = (ca: string): object => ({ targets: ['https://127.0.0.1:1'], tls: { ca } });
  files.write('teams/shop.yaml', {
    upstreams: { a: secure('tls/shop/ca.pem'), b: secure('tls/shop/own.pem') },
  });
  const told = (await files.faults()).get('teams/shop.yaml')?.map(({ key, message }) => `${key}: ${message}`);
  expect(told).toEqual([
    expect.stringMatching(/^upstreams.a.tls.ca: the file tls\/shop\/ca.pem is a link out of/),
  ]);
});

describe('paths that were given to a team', () => {
  const include = [
    { files: 'teams/web.yaml', rights: { paths: ['/'] }, onFault: 'leaveOut' },
    { files: 'teams/*.yaml', onFault: 'leaveOut' },
  ];
  const web = {
    routes: [
      { ...fixed('all', '/*'), match: { path: '/*', hosts: ['127.0.0.1'] } },
      fixed('any', '/{a:pay}/{b}'),
      fixed('home', '/{page}'),
    ],
  };

  it('are taken by no other, neither at a host, nor by a pattern, nor while its file is left out', async () => {
    files.write('gateway.yaml', { ...mainFile(TARGET), include });
    files.write('teams/web.yaml', web);
    files.write('teams/pay.yaml', { routes: [fixed('p', '/pay/in')] });
    running = await files.start();
    const asked = ['/pay/in', '/pay/x', '/pay', '/pay/x/y', '/payments', '/x/y'];
    const answers = async (): Promise<unknown> =>
      Promise.all(
        asked.map(async (path) => ((await running?.status(path)) === 200 ? running?.text(path) : 404)),
      );
    expect(await answers()).toEqual(['p', 404, 404, 404, 'all', 'all']);
    expect(JSON.stringify(await running.admin('/routes'))).toContain('not below /pay');
    await running.gateway.close();
    files.write('teams/pay.yaml', 'routes: [');
    running = await files.start();
    expect(await answers()).toEqual([404, 404, 404, 404, 'all', 'all']);
  });

  it('are not lost to a claim of who has no right to them', async () => {
    files.write('gateway.yaml', {
      ...mainFile(TARGET),
      include: [{ files: 'teams/*.yaml', onFault: 'leaveOut' }],
    });
    files.write('teams/pay.yaml', { routes: [fixed('p', '/pay')] });
    files.write('teams/evil.yaml', { routes: [fixed('p', '/pay')] });
    expect([...(await files.faults()).keys()]).toEqual(['teams/evil.yaml']);
    running = await files.start();
    expect(await running.text('/pay')).toBe('p');
  });
});
