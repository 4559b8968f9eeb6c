import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fixed, mainFile, TeamFiles } from '../support/team-files.ts';

let files: TeamFiles;

beforeEach(() => void (files = new TeamFiles()));
afterEach(() => files.remove());

const main = (more: object = {}, entry: object = {}): object => mainFile('http://127.0.0.1:1', more, entry);

interface Row {
  readonly title: string;
  readonly file: object | string;
  readonly faults: readonly (readonly [place: string, key: string, message: RegExp])[];
}

const route = (more: object): object => ({
  routes: [{ id: 'a', match: { path: '/NAME' }, respond: { status: 200 }, ...more }],
});
const upstream = (more: object): object => ({
  upstreams: { own: { targets: ['http://127.0.0.1:1'], ...more } },
});

/** What is wrong with the form of files; `NAME` stands for the name of the team. */
const FORM: readonly Row[] = [
  { title: 'no YAML', file: 'routes: [', faults: [['1:10', '', /not YAML/]] },
  {
    title: 'an include',
    file: { include: ['x.yaml'] },
    faults: [['2:2', 'include', /belongs into the file of the gateway/]],
  },
  {
    title: 'defaults',
    file: { defaults: {} },
    faults: [['2:2', 'defaults', /belongs into the file of the gateway/]],
  },
  {
    title: 'the name of another team',
    file: { team: 'other' },
    faults: [['2:2', 'team', /expected NAME, which the file is called/]],
  },
  {
    title: 'an unknown key of a route',
    file: route({ upstrem: 'x' }),
    faults: [['11:4', 'routes[a].upstrem', /unknown key/]],
  },
  {
    title: 'a variable that it has no right to',
    file: route({ respond: { status: 200, body: '${SECRET}' } }),
    faults: [
      [
        '10:13',
        'routes[a].respond.body',
        /SECRET is not set and has no default, or is not one of the `variables`/,
      ],
    ],
  },
  {
    title: 'a file',
    file: upstream({ sticky: { secretFile: '../key' } }),
    faults: [['8:5', 'upstreams.own.sticky.secretFile', /not one that it may name/]],
  },
  {
    title: 'a variable by name',
    file: upstream({ sticky: { secretEnv: 'SECRET' } }),
    faults: [['8:5', 'upstreams.own.sticky.secretEnv', /not one that it may name/]],
  },
];

/** What files say that their teams may not. */
const RIGHTS: readonly Row[] = [
  {
    title: 'a path of nobody',
    file: route({ match: { path: '/admin' } }),
    faults: [['6:5', 'routes[NAME.a].match.path', /not below \/NAME/]],
  },
  {
    title: 'a parameter in place of its prefix',
    file: route({ match: { path: '/{any}/x' } }),
    faults: [['6:5', 'routes[NAME.a].match.path', /not below/]],
  },
  {
    title: 'an upstream that is not shared',
    file: route({ respond: undefined, upstream: 'secret' }),
    faults: [['8:4', 'routes[a].upstream', /not one that it may lead to/]],
  },
  {
    title: 'an upstream of another team',
    file: route({ respond: undefined, upstream: 'good.own' }),
    faults: [['8:4', 'routes[a].upstream', /no upstream "good.own" in its files/]],
  },
  {
    title: 'a target elsewhere',
    file: upstream({ targets: ['http://169.254.169.254'] }),
    faults: [['5:5', 'upstreams.own.targets[0]', /169.254.169.254 is not an address/]],
  },
  {
    title: 'discovery',
    file: upstream({ targets: undefined, discovery: { dns: { name: 'x.internal', port: 80 } } }),
    faults: [['5:5', 'upstreams.own.discovery.dns', /x.internal is not a name/]],
  },
  {
    title: 'a long timeout',
    file: upstream({ timeouts: { firstByte: '5m' } }),
    faults: [['8:5', 'upstreams.own.timeouts.firstByte', /at most 30000ms/]],
  },
  {
    title: 'a priority',
    file: route({ priority: 5 }),
    faults: [['11:4', 'routes[NAME.a].priority', /at most 0/]],
  },
  {
    title: 'no deadline',
    file: route({ policies: { deadline: 'off' } }),
    faults: [['12:5', 'routes[NAME.a].policies.deadline', /looser/]],
  },
  {
    title: 'a larger body',
    file: route({ policies: { bodyLimit: '2MiB' } }),
    faults: [['12:5', 'routes[NAME.a].policies.bodyLimit', /looser/]],
  },
  {
    title: 'cross-origin pages',
    file: route({ policies: { cors: { origins: '*' } } }),
    faults: [['12:5', 'routes[NAME.a].policies.cors', /looser/]],
  },
  {
    title: 'policies of its upstream',
    file: upstream({ policies: { bodyLimit: 'off' } }),
    faults: [['8:5', 'upstreams.own.policies.bodyLimit', /looser/]],
  },
];

async function faultsOf(rows: readonly Row[]): Promise<[found: unknown, wanted: unknown]> {
  const named = (name: string, text: string): string => text.replaceAll('NAME', name);
  for (const [index, { file }] of rows.entries())
    files.write(
      `teams/t${index}.yaml`,
      named(`t${index}`, typeof file === 'string' ? file : JSON.stringify(file, null, 1)),
    );
  const found = await files.faults({ SECRET: 'x'.repeat(32) });
  const told = rows.map(({ title, faults }, index) => [
    title,
    (found.get(`teams/t${index}.yaml`) ?? []).map(({ line, column, key, message }, at) => {
      const text = named(`t${index}`, faults[at]?.[2].source ?? '');
      return [`${line}:${column}`, key, new RegExp(text).test(message) ? 'as wanted' : message];
    }),
  ]);
  const wanted = rows.map(({ title, faults }, index) => [
    title,
    faults.map(([place, key]) => [place, named(`t${index}`, key), 'as wanted']),
  ]);
  return [told, wanted];
}

describe('files of teams with faults', () => {
  it.each([
    ['form', FORM],
    ['rights', RIGHTS],
  ])('tells all of them at once, each in its place: %s', async (_title, rows) => {
    files.write(
      'gateway.yaml',
      main({ defaults: { policies: { authentication: 'public', bodyLimit: '1MiB' } } }),
    );
    files.write('teams/good.yaml', { upstreams: { own: { targets: ['http://127.0.0.1:1'] } } });
    const [found, wanted] = await faultsOf(rows);
    expect(found).toEqual(wanted);
  });

  it('names both places of what two claim', async () => {
    files.write('gateway.yaml', {
      ...main({ routes: [fixed('mine', '/shop/mine')] }),
      include: [
        { files: 'teams/a.yaml', rights: { paths: ['/'] } },
        { files: ['teams/b.yaml', 'teams/c.yaml'], rights: { paths: ['/shop', '/{team}'] } },
      ],
    });
    files.write('teams/a.yaml', { routes: [fixed('x', '/shop/x'), fixed('own', '/a')] });
    files.write('teams/b.yaml', { routes: [fixed('y', '/shop/y'), fixed('mine', '/shop/mine')] });
    files.write('teams/c.yaml', { routes: [fixed('y', '/shop/y'), fixed('y', '/c')] });
    const found = await files.faults();
    const told = [...found].flatMap(([file, faults]) =>
      faults.map(
        ({ line, key, message }) => `${file}:${line} ${key} ${message.replaceAll(`${files.folder}/`, '')}`,
      ),
    );
    expect(told.sort()).toEqual([
      expect.stringMatching(
        /^teams\/a.yaml:\d+ routes\[a.x\].match.path \/shop\/x is below \/shop, which gateway.yaml:\d+:\d+ gives to the team [bc] /,
      ),
      expect.stringMatching(
        /^teams\/b.yaml:\d+ routes\[b.mine\].match \/shop\/mine is also claimed by gateway.yaml:\d+:\d+ \(route "mine"\)/,
      ),
      expect.stringMatching(
        /^teams\/b.yaml:\d+ routes\[b.y\].match \/shop\/y is also claimed by teams\/c.yaml:\d+:\d+ \(route "c.y" of the team c\)/,
      ),
      expect.stringMatching(
        /^teams\/c.yaml:\d+ routes\[c.y\].id the id "c.y" is taken by teams\/c.yaml:\d+:\d+/,
      ),
      expect.stringMatching(
        /^teams\/c.yaml:\d+ routes\[c.y\].match \/shop\/y is also claimed by teams\/b.yaml:\d+:\d+/,
      ),
    ]);
  });

  it('tells slips in what the gateway includes and allows, and leaves its folder only for links that it is told to follow', async () => {
    const outside = new TeamFiles();
    outside.write('far.yaml', { routes: [fixed('a', '/far')] });
    files.write('teams/near.yaml', {});
    symlinkSync(join(outside.folder, 'far.yaml'), join(files.folder, 'teams/far.yaml'));
    files.write('gateway.yaml', main());
    expect((await files.faults()).get('teams/far.yaml')?.[0]?.message).toMatch(/leads out of the folder/);
    files.write('gateway.yaml', main({}, { follow: [outside.folder] }));
    expect(await files.faults()).toEqual(new Map());
    files.write('gateway.yaml', main({}, { rights: { upstreams: ['shard'] } }));
    expect((await files.faults()).get('gateway.yaml')?.[0]).toMatchObject({
      key: 'include[0].rights.upstreams[0]',
      suggestion: 'shared',
    });
    files.write('gateway.yaml', main({}, { files: '../*.yaml' }));
    expect((await files.faults()).get('gateway.yaml')?.[0]).toMatchObject({
      key: 'include[0]',
      message: expect.stringContaining('".."'),
    });
    outside.remove();
  });

  it('lets a team go as far as the gateway says', async () => {
    process.env['SHOP_TEXT'] = 'x';
    const rights = {
      policies: { deadline: '2m', cors: { origins: ['https://shop.example.com'] } },
      variables: ['{TEAM}_*'],
      paths: ['/far'],
    };
    files.write('gateway.yaml', main({}, { rights }));
    const policies = (deadline: string): object => ({
      deadline,
      cors: { origins: ['https://shop.example.com'] },
    });
    const file = (deadline: string): object => ({
      routes: [
        {
          id: 'a',
          match: { path: '/far/a' },
          respond: { status: 200, body: '${SHOP_TEXT}' },
          policies: policies(deadline),
        },
      ],
    });
    files.write('teams/shop.yaml', file('90s'));
    expect(await files.faults()).toEqual(new Map());
    files.write('teams/shop.yaml', file('150s'));
    expect((await files.faults()).get('teams/shop.yaml')?.map(({ key }) => key)).toEqual([
      'routes[shop.a].policies.deadline',
    ]);
  });
});
