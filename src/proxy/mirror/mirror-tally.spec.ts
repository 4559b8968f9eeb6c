import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { keepBody } from './kept-body.ts';
import { MirrorTally } from './mirror-tally.ts';

function tally() {
  const said: unknown[] = [];
  const clock = { ms: 0 };
  const say =
    (what: string) =>
    (...words: unknown[]): void =>
      void said.push([what, ...words]);
  const hearer = {
    counted: say('counted'),
    compared: say('compared'),
    differed: say('differed'),
    sampled: (kind: string, { paths }: { readonly paths: readonly string[] }) =>
      say('sampled')(kind, ...paths),
  };
  return { tally: new MirrorTally(hearer, () => clock.ms), said, clock };
}

describe('MirrorTally', () => {
  it('lets as many in as may be under way, and counts one more', () => {
    const { tally: one, said } = tally();
    expect([one.enter(2), one.enter(2), one.enter(2)]).toEqual([true, true, false]);
    expect(said).toEqual([['counted', 'dropped']]);
    one.leave();
    expect(one.enter(2)).toBe(true);
    expect(one.inFlight).toBe(2);
  });

  it('counts each difference, and shows one of each kind in a minute', () => {
    const { tally: one, said, clock } = tally();
    const differ = (kind: string, path: string): void =>
      one.compared(new Map([[kind, [path]]]), { id: 'x', statuses: [200, 200] });
    const samples = () => said.filter((words) => (words as string[])[0] === 'sampled');
    differ('value', '/a');
    differ('value', '/b');
    differ('type', '/c');
    clock.ms = 59_999;
    differ('value', '/d');
    expect(samples()).toEqual([
      ['sampled', 'value', '/a'],
      ['sampled', 'type', '/c'],
    ]);
    clock.ms = 60_000;
    differ('value', '/e');
    expect(samples().at(-1)).toEqual(['sampled', 'value', '/e']);
    expect(said.filter((words) => (words as string[])[0] === 'differed')).toHaveLength(5);
  });

  it('tells what is the same from what was not compared', () => {
    const { tally: one, said } = tally();
    one.compared(new Map(), { id: 'x', statuses: [200, 200] });
    one.compared(undefined, { id: 'x', statuses: [200, 200] });
    expect(said).toEqual([
      ['compared', 'same'],
      ['compared', 'skipped'],
    ]);
  });
});

describe('keepBody', () => {
  const kept = async (pieces: readonly string[], length?: number): Promise<string> => {
    const stream = new PassThrough();
    const done = new Promise<string>((resolve) => {
      keepBody({ stream, length, trailers: () => [] }, 10, (body) => resolve(String(body)));
    });
    stream.resume();
    for (const piece of pieces) stream.write(piece);
    stream.end();
    return done;
  };

  it.each([
    ['10 bytes', ['12345', '67890'], undefined, '1234567890'],
    ['11 bytes', ['12345', '678901'], undefined, 'body-too-large'],
    ['10 bytes that are announced', ['1234567890'], 10, '1234567890'],
    ['11 bytes that are announced', [], 11, 'body-too-large'],
    ['nothing', [], undefined, ''],
  ])('keeps of %s what it may', async (_, pieces, length, found) => {
    expect(await kept(pieces, length)).toBe(found);
  });

  it('hears of a body that breaks off, and reads nothing by itself', async () => {
    const stream = new PassThrough();
    stream.pause();
    const done = new Promise((resolve) =>
      keepBody({ stream, length: undefined, trailers: () => [] }, 10, resolve),
    );
    stream.write('abc');
    await new Promise(setImmediate);
    expect(stream.readableLength).toBe(3);
    stream.destroy();
    expect(await done).toBe('body-broken');
  });
});
