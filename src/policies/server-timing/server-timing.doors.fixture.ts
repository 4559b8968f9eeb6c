import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Who calls from the same machine is told where the time went, and parts add up to the whole. */
export const row: PolicyRow = {
  options: { for: 'loopback' },
  async acts(at) {
    const { fields } = await at.ask();
    const parts = String((fields as Record<string, unknown>)['server-timing']).split(', ');
    // Composed answers say their sections before that.
    const own = parts.slice(parts.findIndex((part) => part.startsWith('parse;')));
    const times = own.map((part) => /^([\w-]+);dur=(\d+(?:\.\d+)?)$/.exec(part) ?? []);
    const names = times.map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['parse', 'handle', 'total']));
    const total = Number(times.at(-1)?.[2]);
    const sum = times.slice(0, -1).reduce((ms, [, , one]) => ms + Number(one), 0);
    expect(Math.abs(total - sum)).toBeLessThan(0.001 * times.length);
  },
};
