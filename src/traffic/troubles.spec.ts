import { describe, expect, it } from '@jest/globals';
import { compileRoutes, snapshotsOf } from '../../test/support/routes.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Troubles } from './troubles.ts';

const DAY_MS = 86_400_000;
const START = 1_800_000_000_000;

function world(endsIn: (days: number) => readonly number[]): {
  troubles: Troubles;
  pass: (ms: number) => void;
} {
  let now = START;
  const metrics = new Metrics();
  const certificates = (): readonly object[] =>
    endsIn((now - START) / DAY_MS).map((days, i) => ({
      of: 'listener',
      name: `c${i}`,
      file: `c${i}.pem`,
      endsAt: now + days * DAY_MS,
    }));
  Object.defineProperty(metrics.config, 'shownCertificates', { get: certificates });
  const { snapshots, reloads } = snapshotsOf(compileRoutes([]));
  const troubles = new Troubles({ snapshots, reloads, metrics }, () => now);
  return { troubles, pass: (ms) => void (now += ms) };
}

describe(Troubles, () => {
  it('tells of certificates that end within 14 days, and of those that have ended', () => {
    const { troubles } = world(() => [13.5, 14, 100, -1]);
    expect(troubles.all().map(({ kind, text, href }) => [kind, text, href])).toEqual([
      ['certificate', 'c0.pem of listener c0 ends in 13 days', 'config'],
      ['certificate', 'c3.pem of listener c3 has ended', 'config'],
    ]);
  });

  it('knows since when, while the days that are left go by, and marks begin and end once', () => {
    const { troubles, pass } = world((days) => (days < 4 ? [10 - days] : []));
    const [{ since } = { since: '' }] = troubles.all();
    expect(since).toBe(new Date(START).toISOString());
    pass(2 * DAY_MS);
    expect(troubles.all()).toMatchObject([{ text: 'c0.pem of listener c0 ends in 8 days', since }]);
    expect(troubles.marked).toBe(1);
    pass(3 * DAY_MS);
    expect([troubles.all().length, troubles.marked]).toEqual([0, 2]);
    expect(troubles.marksAfter(1)).toMatchObject([{ kind: 'certificate', over: true }]);
  });

  it('does not say that a certificate is well again when it ends', () => {
    const { troubles, pass } = world((days) => [1.5 - days]);
    const [{ since } = { since: '' }] = troubles.all();
    pass(2 * DAY_MS);
    expect(troubles.all()).toMatchObject([{ text: 'c0.pem of listener c0 has ended', since }]);
    expect(troubles.marksAfter(0)).toMatchObject([{ over: false }]);
  });

  it('looks at most once a second, and keeps a bounded number of marks', () => {
    let looks = 0;
    const { troubles, pass } = world(() => {
      looks += 1;
      return looks % 2 === 0 ? [] : [1];
    });
    troubles.all();
    troubles.all();
    expect(looks).toBe(1);
    for (let i = 0; i < 300; i += 1) {
      pass(1000);
      troubles.all();
    }
    expect(troubles.marked).toBe(301);
    expect(troubles.marksAfter(0)).toHaveLength(100);
  });
});
