import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { Problem } from '../../problems/problem.ts';
import { countingBody } from './counting-body.ts';

const bytes = (...pieces: string[]) => Readable.from(pieces.map((piece) => Buffer.from(piece)));

describe('countingBody', () => {
  it('passes a body on that stays within the limit', async () => {
    const exceeded: Problem[] = [];
    const body = countingBody(bytes('12345', '67890'), 10, (problem) => exceeded.push(problem));
    expect(await text(body)).toBe('1234567890');
    expect(exceeded).toEqual([]);
  });

  it('breaks off at the first piece over the limit, and says so once', async () => {
    const exceeded: Problem[] = [];
    const body = countingBody(bytes('12345', '678901', 'more'), 10, (problem) => exceeded.push(problem));
    await expect(text(body)).rejects.toMatchObject({ code: 'body-too-large' });
    expect(exceeded.map((problem) => problem.status)).toEqual([413]);
  });

  it('breaks off when the body does', async () => {
    const source = new PassThrough();
    const body = countingBody(source, 10, () => undefined);
    source.write('123');
    source.destroy(new Error('the client is gone'));
    await expect(text(body)).rejects.toThrow('the client is gone');
  });

  it('pulls no faster than it is read', async () => {
    let made = 0;
    const piece = Buffer.alloc(16 * 1024);
    const source = new Readable({
      highWaterMark: piece.length,
      read() {
        made += piece.length;
        this.push(made > 64 * 2 ** 20 ? null : piece);
      },
    });
    const body = countingBody(source, Infinity, () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made).toBeLessThan(2 ** 20);
    body.destroy();
  });
});
