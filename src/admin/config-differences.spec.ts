import { describe, expect, it } from '@jest/globals';
import { compileRoutes, snapshotsOf } from '../../test/support/routes.ts';
import { ConfigError } from '../config/config-fault.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { ConfigDifferences, type ComparedConfig } from './config-differences.ts';

const FAULT = { file: 'gateway.yaml', key: 'routes[one].match', message: 'no' };
const one = (generation: number, more: Partial<ComparedConfig> = {}): ComparedConfig => ({
  generation,
  sha: String(generation),
  outcome: 'replaced',
  text: `version: 1\nname: ${generation}\n`,
  ...more,
});

/** Compiles what it is asked for as one of the tables; fails with a fault where there is none. */
function compiling(tables: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const { snapshots } = snapshotsOf(compileRoutes([{ path: '/x', id: 'x' }]));
  const compared = async (text: string): Promise<Snapshot> => {
    asked.push(text);
    const path = tables[text];
    if (path === undefined) throw new ConfigError([FAULT]);
    return snapshotsOf(compileRoutes([{ path, id: 'one' }])).snapshots.current;
  };
  return { asked, differences: new ConfigDifferences({ snapshots, reloads: { compared } }) };
}

describe('ConfigDifferences', () => {
  it('compares two once for all who ask, and lets go of both', async () => {
    const [a, b] = [one(1), one(2)];
    const { asked, differences } = compiling({ [a.text]: '/a', [b.text]: '/b' });
    const [first, second] = await Promise.all([differences.between(a, b), differences.between(a, b)]);
    expect(first).toBe(second);
    expect(first).toMatchObject({
      changes: [{ kind: 'changed', what: 'route', id: 'one', lines: ['path: "/a" → "/b"'] }],
      text: expect.stringContaining('+name: 2'),
    });
    expect(asked).toEqual([a.text, b.text]);
  });

  it('compiles nothing of one that was refused: what was wrong with it is known', async () => {
    const { asked, differences } = compiling({});
    const refused = one(2, { outcome: 'refused', faults: [FAULT] });
    expect(await differences.between(refused, one(1))).toMatchObject({ changes: [], faults: [FAULT] });
    expect(asked).toEqual([]);
  });

  it('says why one that was in force cannot be compiled any more, and compares its text all the same', async () => {
    const { differences } = compiling({ [one(1).text]: '/a' });
    const answer = await differences.between(one(1), one(2));
    expect(answer).toMatchObject({ changes: [], faults: [FAULT], text: expect.stringContaining('-name: 1') });
    expect(await differences.between(one(1), one(1))).toMatchObject({ changes: [] });
  });
});
