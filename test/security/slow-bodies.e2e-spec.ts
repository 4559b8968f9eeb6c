import { describe, expect, it } from '@jest/globals';
import { API_KEY } from '../support/shop.ts';
import {
  BODY_DOORS,
  IDLE_MS,
  lineOf,
  RawClient,
  statusIn,
  useBodyDoors,
  type BodyDoor,
} from '../support/body-doors.ts';

const doors = useBodyDoors();
const client = () => new RawClient(doors.shop.gateway.url);

describe.each(BODY_DOORS)('a body that trickles in at $name', (door) => {
  it('is not waited for when nobody says who calls', async () => {
    const one = client().post(door, { body: '{' });
    expect(statusIn(await one.answer())).toBe(401);
    expect(one.heard).toMatch(/^connection: close/im);
    expect((await lineOf(doors, one.heard))['refused']).toMatchObject({ stage: 'identify' });
    await one.closed;
  });

  it.each(['declared', 'chunked'] as const)('ends with 408 when it falls silent (%s)', async (kind) => {
    const body = kind === 'chunked' ? '1\r\n{\r\n' : '{';
    const one = client().post(door, { as: 'app', body, length: kind === 'chunked' ? 'chunked' : 1000 });
    expect(statusIn(await one.answer())).toBe(408);
    expect(one.heard).toContain('"code":"request-timeout"');
    expect(one.heard).toMatch(/^connection: close/im);
    await one.closed;
  });

  it('goes on while a byte comes in time, and ends with 408 at the deadline', async () => {
    const one = client().post(door, { as: 'app', body: '{' });
    const began = performance.now();
    const drip = setInterval(() => one.socket.write(' '), IDLE_MS / 4);
    await one.answer();
    clearInterval(drip);
    expect(statusIn(one.heard)).toBe(408);
    // Later than an idle limit could have ended it: a bound from below only.
    expect(performance.now() - began).toBeGreaterThan(IDLE_MS * 2);
    await one.closed;
  });

  it('is taken in pieces of one byte', async () => {
    const pieces = [...door.body].map((byte) => `1\r\n${byte}\r\n`).join('');
    const one = client().post(door, { as: 'app', length: 'chunked', body: `${pieces}0\r\n\r\n` });
    expect([200, 201]).toContain(statusIn(await one.answer()));
    one.socket.destroy();
  });
});

describe('many bodies that trickle in', () => {
  it('cost an anonymous client 200 refusals, and nothing is open afterwards', async () => {
    const door = { path: '/door', fields: 'Content-Type: application/json\r\n' };
    const all = Array.from({ length: 200 }, () => client().post(door, { body: '{' }));
    await Promise.all(all.map(({ closed }) => closed));
    expect(new Set(all.map(({ heard }) => statusIn(heard)))).toEqual(new Set([401]));
  });

  it('are not held against the target that waited for them', async () => {
    const door = BODY_DOORS[2] as BodyDoor;
    for (let i = 0; i < 3; i += 1)
      expect(statusIn(await client().post(door, { as: 'app', body: '{' }).answer())).toBe(408);
    const good = client().post(door, { as: 'app', body: door.body, length: door.body.length });
    expect(statusIn(await good.answer())).toBe(200);
    good.socket.destroy();
  });
});

describe('a request of the code-first doors', () => {
  it.each([
    ['/door', '{}'],
    ['/graphql', JSON.stringify({ query: '{ __typename }' })],
  ])('enters its stages once: %s', async (path, body) => {
    const { shop } = doors;
    const headers = { 'content-type': 'application/json' };
    const answers = [];
    for (let i = 0; i < 2; i += 1)
      answers.push(await shop.call(path, { method: 'POST', apiKey: API_KEY, headers, body }));
    const left = answers.map((answer) =>
      Number(/remaining=(\d+)|r=(\d+)/.exec(String(answer.headers['ratelimit']))?.slice(1).find(Boolean)),
    );
    expect((left[0] as number) - (left[1] as number)).toBe(1);
  });
});
