import { describe, expect, it } from '@jest/globals';
import { Sessions } from './sessions.ts';

const MINUTE = 60_000;

describe('sessions', () => {
  it('end after an hour without use, and after twelve of use', () => {
    let now = 0;
    const sessions = new Sessions(() => now);
    const [idle, used] = [sessions.open('a'), sessions.open('a')];
    for (; now < 12 * 60 * MINUTE; now += 30 * MINUTE) expect(sessions.find(used)).toBe('a');
    expect([sessions.find(idle), sessions.find(used), sessions.count]).toEqual([undefined, undefined, 0]);
  });

  it('of one token push out those of that token, and nobody else’s', () => {
    const sessions = new Sessions(() => 0);
    const other = sessions.open('admin');
    const first = sessions.open('read');
    const second = sessions.open('read');
    for (let more = 2; more < 20; more += 1) sessions.open('read');
    expect([sessions.find(first), sessions.count]).toEqual(['read', 21]);
    sessions.open('read');
    expect([first, second, other].map((id) => sessions.find(id))).toEqual(['read', undefined, 'admin']);
    for (let more = 0; more < 1000; more += 1) sessions.open('read');
    expect([sessions.find(other), sessions.count]).toEqual(['admin', 21]);
  });

  it('are 200 at most, and have ids that nobody chooses', () => {
    const sessions = new Sessions(() => 0);
    const ids = Array.from({ length: 300 }, (_, at) => sessions.open(String(at)));
    expect([sessions.count, new Set(ids).size]).toEqual([200, 300]);
    sessions.close(ids[299] as string);
    expect([sessions.find(ids[299] as string), sessions.find('')]).toEqual([undefined, undefined]);
  });
});
