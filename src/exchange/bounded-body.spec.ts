import { randomBytes } from 'node:crypto';
import { BoundedBody } from './bounded-body.ts';

/** Keeps bytes in pieces of one size. */
function inPieces(whole: Buffer, size: number): BoundedBody {
  const body = new BoundedBody(whole.length);
  for (let at = 0; at < whole.length; at += size) {
    const piece = whole.subarray(at, at + size);
    if (!body.counts(piece.length)) throw new Error('more than the bound');
    body.keep(piece);
  }
  return body;
}

describe('BoundedBody', () => {
  it.each([1, 2, 9, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_048_576])(
    'holds what came in pieces of %i bytes',
    (size) => {
      const whole = randomBytes(1_048_576);
      expect(inPieces(whole, size).whole().equals(whole)).toBe(true);
    },
  );

  it('holds a copy: what was handed over may change', () => {
    const piece = Buffer.from('first');
    const body = inPieces(piece, 5);
    piece.fill('x');
    expect(body.whole().toString()).toBe('first');
  });

  it('is empty before anything came, and after nothing did', () => {
    const body = new BoundedBody(0);
    expect(body.whole()).toHaveLength(0);
    expect(body.counts(0)).toBe(true);
    body.keep(Buffer.alloc(0));
    expect(body.whole()).toHaveLength(0);
  });

  it('counts to its bound and no further', () => {
    const body = new BoundedBody(3);
    expect([body.counts(3), body.counts(0), body.counts(1)]).toEqual([true, true, false]);
  });
});
