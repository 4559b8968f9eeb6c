import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from './main.ts';

type Config = Readonly<Record<string, unknown>>;

const KEYED = { authentication: { schemes: ['apiKey'] } };
const OPEN = { authentication: 'public' };
const one = { id: 'one', match: { path: '/one' }, upstream: 'it', policies: KEYED };
const two = { id: 'two', match: { path: '/two' }, upstream: 'it', policies: KEYED };
const all = { id: 'all', match: { path: '/files/*' }, upstream: 'it', policies: OPEN };
const special = { ...all, id: 'special', match: { path: '/files/{name}' } };

function config(routes: readonly object[], more: Config = {}): Config {
  return {
    version: 1,
    identity: { apiKeys: [{ sha256: '0'.repeat(64), clientId: 'app' }] },
    upstreams: { it: { targets: ['http://127.0.0.1:1'] } },
    routes,
    ...more,
  };
}

describe('gatehouse diff', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-diff-'));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  async function diff(old: string | Config, now: string | Config, ...options: string[]) {
    const files = [old, now].map((text, index) => {
      const file = join(folder, `${index}.yaml`);
      writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
      return file;
    });
    let [out, err] = ['', ''];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
    const before = process.exitCode;
    process.exitCode = undefined;
    try {
      await main(['diff', ...files, ...options]);
      return { out, err, code: process.exitCode as unknown };
    } finally {
      process.exitCode = before;
      jest.restoreAllMocks();
    }
  }

  it('ends with 0 where nothing changes in meaning, however it is said', async () => {
    const other = `# Other words.\n${JSON.stringify(config([two, one]))}`;
    expect(await diff(config([one, two]), other)).toEqual({
      out: 'nothing changes in meaning\n',
      err: '',
      code: 0,
    });
  });

  it('ends with 1 and says what changes, what lets more people in first', async () => {
    const { out, code } = await diff(
      config([one, two, all]),
      config([{ ...one, policies: OPEN }, all, special], {
        upstreams: { it: { targets: ['http://127.0.0.1:9'] } },
        floodLimit: { key: 'ip', rate: 5, per: '1s' },
        contracts: { enabled: true },
      }),
    );
    expect(code).toBe(1);
    expect(out).toMatch(/^! newly public {5}one {2}\* \/one$/m);
    expect(out).toMatch(/^! shadowed {9}GET.* \/files\/\{name\}: "special" takes it, not "all"$/m);
    expect(out).toMatch(/^! needs a restart {2}contracts\.enabled$/m);
    expect(out).toMatch(/^- route {12}two {2}\* \/two$/m);
    expect(out).toMatch(/^\+ route {12}special {2}\* \/files\/\{name\}$/m);
    expect(out).toMatch(
      /^~ route {12}one {2}policies\.authentication: \{"schemes":\["apiKey"\]\} → "public"$/m,
    );
    expect(out).toMatch(/^~ upstream {9}it {2}targets: .*:1".* → .*:9"/m);
    expect(out).toMatch(/^~ setting {10}floodLimit: "off" → /m);
    const marks = out.split('\n').map((line) => line.charAt(0));
    expect(marks.lastIndexOf('!')).toBeLessThan(marks.indexOf('-'));
  });

  it('tells a rewrite and a limit of a route, and a default by the routes that have it', async () => {
    const defaults = { policies: { deadline: '5s' } };
    const limited = {
      ...two,
      rewrite: { path: '/2' },
      policies: { ...KEYED, rateLimit: { key: 'ip', rate: 5, per: '1s' } },
    };
    const { out } = await diff(config([one, two]), config([one, limited], { defaults }), '--json');
    const { changed, settings } = JSON.parse(out) as {
      changed: { id: string; changes: { what: string }[] }[];
      settings: unknown[];
    };
    expect(changed.map(({ id, changes }) => [id, changes.map(({ what }) => what).sort()])).toEqual(
      expect.arrayContaining([
        ['one', ['policies.deadline']],
        ['two', ['policies.deadline', 'policies.rateLimit', 'rewrite']],
      ]),
    );
    expect(settings).toEqual([]);
  });

  it('tells what the kind of a route says of it, whatever kind that is', async () => {
    const { upstream: _upstream, ...place } = two;
    const toA = { ...place, redirect: { to: '/a' } };
    const { out } = await diff(config([toA]), config([{ ...toA, redirect: { to: '/b' } }]), '--json');
    expect((JSON.parse(out) as { changed: unknown }).changed).toEqual([
      {
        id: 'two',
        changes: [
          {
            what: 'redirect',
            from: expect.objectContaining({ to: '/a' }) as unknown,
            to: expect.objectContaining({ to: '/b' }) as unknown,
          },
        ],
      },
    ]);
  });

  it('ends with 2 for a faulty file, with its faults, and for anything but two files', async () => {
    const faulty = await diff(config([one]), 'version: 2');
    expect(faulty).toMatchObject({ code: 2, out: '' });
    expect(faulty.err).toMatch(/1\.yaml:1:\d+ {2}version/);
    expect(await diff(config([one]), config([one]), 'third.yaml')).toMatchObject({
      code: 2,
      err: 'gatehouse: diff: expected two files, the old one and the new one\n',
    });
  });
});
