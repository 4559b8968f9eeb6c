import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigHistory, type GivenConfig } from './config-history.ts';

const given = (text: string, more: Partial<GivenConfig> = {}): GivenConfig => ({
  text,
  trigger: 'file',
  outcome: 'reloaded',
  ...more,
});

async function packed(): Promise<void> {
  await sleep(50);
}

describe('ConfigHistory', () => {
  it('keeps texts that come faster than they are compressed, as long as they fit once they are', async () => {
    const history = new ConfigHistory({ bytes: 10_000 });
    for (let i = 0; i < 5; i += 1) history.add(given(`${i}${'a'.repeat(9000)}`));
    await packed();
    expect(history.list().map(({ isKept }) => isKept)).toEqual(Array(5).fill(true));
    expect(await history.text(1)).toMatch(/^0a+$/);
  });

  it('forgets the texts that are too much, the oldest first, and never the one in force', async () => {
    const history = new ConfigHistory({ bytes: 3000 });
    const text = (): string => randomBytes(1000).toString('hex');
    for (let i = 0; i < 5; i += 1) history.add(given(text()));
    await packed();
    const kept = history.list().map(({ isKept }) => isKept);
    expect([kept[0], kept.at(-1)]).toEqual([true, false]);
    history.add(given(text(), { outcome: 'faulty' }));
    history.add(given(text(), { outcome: 'faulty' }));
    await packed();
    expect(history.list().find(({ outcome }) => outcome === 'in-force')?.isKept).toBe(true);
  });

  it('has one entry for what is refused again and again, and none for a certificate that is renewed', () => {
    const history = new ConfigHistory();
    history.add(given('one', { trigger: 'start' }));
    for (let i = 0; i < 3; i += 1) history.add(given('bad', { outcome: 'faulty' }));
    history.add(given('one', { trigger: 'certificate' }));
    history.add(given('one', { outcome: 'unchanged' }));
    expect(history.list()).toMatchObject([
      { generation: 2, outcome: 'refused', times: 3 },
      { generation: 1, outcome: 'in-force', cause: 'start' },
    ]);
  });
});
