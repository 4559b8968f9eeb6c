import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from './main.ts';

const route = (id: string, policies: object, match: object = {}): object => ({
  id,
  match: { path: `/${id}`, ...match },
  upstream: 'it',
  policies,
});

const CONFIG = {
  version: 1,
  identity: {
    apiKeys: [{ sha256: '0'.repeat(64), clientId: 'app' }],
    issuers: [{ issuer: 'https://id.example.com/', jwksFile: 'keys.json', audiences: ['api'] }],
    roles: { admin: { includes: ['user'], permissions: ['orders.*'] } },
  },
  defaults: { policies: { authentication: { schemes: ['jwt'] } } },
  upstreams: { it: { targets: ['http://127.0.0.1:1'] } },
  contracts: { enabled: false },
  access: [
    { path: '/rest/secret/*', anyRole: ['chief'] },
    { path: '/rest/*', methods: ['POST'], anyRole: ['admin'] },
    { path: '/whole/*', anyRole: ['whole'] },
    { path: '/whole/part/*', methods: ['GET'], anyRole: ['part'] },
    { path: '/both/*', methods: ['GET'], anyRole: ['reader'] },
    { path: '/both/*', methods: ['POST'], anyRole: ['writer'] },
    { path: '/both/*', anyRole: ['never'] },
  ],
  routes: [
    route('open', { authentication: 'public' }),
    route('keys', { authentication: { schemes: ['apiKey'] } }),
    route('anybody', {}),
    route('users', { authorization: { anyRole: ['user'], deny: { anyRole: ['suspended'] } } }),
    route('orders', { authorization: { allPermissions: ['orders.write'] } }),
    route(
      'own',
      { authorization: { anyRole: ['user'], when: 'params.id == principal.id' } },
      { path: '/own/{id}' },
    ),
    route('gold', { authorization: { when: "principal.tier == 'gold'" } }),
    route('tried', { authorization: { anyRole: ['nobody'], mode: 'shadow' } }),
    route('rest', {}, { path: '/rest/*' }),
    route('whole', {}, { path: '/whole/*' }),
    route('part', {}, { path: '/whole/part/{id}' }),
    route('read', {}, { path: '/whole/part/{id}/read', methods: ['GET', 'HEAD'] }),
    route('both', {}, { path: '/both/{id}', methods: ['HEAD', 'POST'] }),
  ],
};

describe('gatehouse access', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-access-'));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  function file(name: string, value: unknown): string {
    const path = join(folder, name);
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
  }

  async function run(...args: string[]) {
    let [out, err] = ['', ''];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
    const before = process.exitCode;
    process.exitCode = undefined;
    try {
      await main(args);
      return { out, err, code: process.exitCode as unknown };
    } finally {
      process.exitCode = before;
      jest.restoreAllMocks();
    }
  }

  const access = (...args: string[]) => run('access', '--config', file('a.yaml', CONFIG), ...args);
  const rows = async (caller?: object): Promise<string[]> => {
    const as = caller === undefined ? [] : ['--as', file('who.json', caller)];
    const { out } = await access(...as, '--json');
    return (JSON.parse(out) as Record<string, string>[]).map(
      ({ may, methods, path, why }) => `${may} ${methods} ${path} ${why}`,
    );
  };

  it('prints who may call what, and what keeps it out', async () => {
    expect(await rows({ id: 'ada', roles: ['admin'] })).toEqual([
      'yes * /anybody -',
      'no GET /both/* anyRole(reader)',
      'no POST /both/* anyRole(writer)',
      "no * /gold when(principal.tier == 'gold')",
      'yes GET /health/live public',
      'yes GET /health/ready public',
      'no * /keys takes apiKey',
      'yes * /open public',
      'yes * /orders -',
      'depends * /own/{id} when(params.id == principal.id)',
      'yes * /rest/* -',
      'yes POST /rest/* -',
      'no * /rest/secret/* anyRole(chief)',
      'yes * /tried in shadow: anyRole(nobody)',
      'yes * /users -',
      'no * /whole/* anyRole(whole)',
      'no * /whole/* anyRole(whole)',
      'no GET /whole/part/* anyRole(part)',
      'no GET /whole/part/* anyRole(part)',
      'no GET /whole/part/* anyRole(part)',
    ]);
    expect(await rows({ id: 'eve', roles: ['user', 'suspended'], tier: 'gold' })).toEqual(
      expect.arrayContaining([
        'yes * /gold -',
        'no * /orders allPermissions(orders.write)',
        'no POST /rest/* anyRole(admin)',
        'no * /users deny.anyRole(suspended)',
      ]),
    );
    expect(await rows()).toEqual(
      expect.arrayContaining(['yes * /open public', 'no * /anybody nobody is known']),
    );
  });

  it('lists what decides about some request, and nothing else', async () => {
    const { out } = await access(
      '--as',
      file('who.json', { id: 'ada', roles: ['whole', 'reader'] }),
      '--json',
    );
    const all = JSON.parse(out) as Record<string, string>[];
    const of = (route: string): string[] =>
      all
        .filter((row) => row['route'] === route)
        .map(({ may, methods, path }) => `${may} ${methods} ${path}`);
    expect({ whole: of('whole'), part: of('part'), read: of('read'), both: of('both') }).toEqual({
      whole: ['yes * /whole/*', 'no GET /whole/part/*'],
      part: ['yes * /whole/*', 'no GET /whole/part/*'],
      read: ['no GET /whole/part/*'],
      both: ['yes GET /both/*', 'no POST /both/*'],
    });
  });

  it('is a table unless it is asked for JSON', async () => {
    const { out, code } = await access('--as', file('who.json', { id: 'ada' }));
    expect(out).toMatch(/^MAY +METHODS +PATH +ROUTE +WHY\nyes +\* +\/anybody +anybody +-\n/);
    expect(code).toBeUndefined();
  });

  it.each([
    [['--as', 'missing.json'], /--as: .*missing\.json/],
    [['--as', 'bad.json'], /--as: .*holds no JSON/],
    [['--as', 'who.json'], /access: rolls: unknown key; did you mean "roles"/],
    [['--os', 'who.json'], /--os/],
  ])('ends with 2 for %j', async (args, message) => {
    file('bad.json', '{');
    file('who.json', { id: 'a', rolls: [] });
    const told = await access(...args.map((one) => (one.endsWith('.json') ? join(folder, one) : one)));
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toMatch(message);
  });

  it('goes with what everybody may call only where that says so', async () => {
    const { contracts: _contracts, ...served } = CONFIG;
    const all = { ...served, access: [{ path: '/*', deny: { anyRole: ['banned'] } }] };
    const refused = await run('validate', '--config', file('all.yaml', all));
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(
      /routes\[open\]\.policies +authorization: access \/\*: needs to know who calls/,
    );
    expect(refused.err).toMatch(/^1 fault/m);
    const [, ...others] = CONFIG.routes;
    const open = route('open', { authentication: 'public', authorization: 'off' });
    const passed = await run('validate', '--config', file('off.yaml', { ...all, routes: [open, ...others] }));
    expect(passed).toMatchObject({ code: 0, err: '' });
  });

  it('shows in a diff, by role, what a change lets in and keeps out', async () => {
    const { roles: _roles, ...identity } = CONFIG.identity;
    const after = {
      ...CONFIG,
      identity: {
        ...identity,
        roles: { admin: { permissions: ['orders.*'] }, user: { permissions: ['orders.write'] } },
      },
      access: [],
    };
    const { out } = await run('diff', file('old.yaml', CONFIG), file('new.yaml', after));
    expect(out).toMatch(/^! opens to {9}orders {2}role "user": no → yes$/m);
    expect(out).toMatch(/^~ closes to {8}users {2}role "admin": yes → no$/m);
    expect(out).toMatch(
      /^! opens to {9}rest {2}no role: \* \/rest\/secret\/\*: no; POST \/rest\/\*: no; yes → yes$/m,
    );
    expect(out).toMatch(/^~ route {12}rest {2}policies\.authorization: /m);
    expect(out).not.toMatch(/role "chief".*users/);
  });
});
