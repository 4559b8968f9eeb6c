import { describe, expect, it, jest } from '@jest/globals';
import type { Transform } from 'node:stream';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { createExchange } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { readBody } from './request-body.ts';

const LIMIT = 1024;
/** Of which a few bytes are sent. */
const BOMB = Buffer.alloc(2 ** 24, ' ');

describe('a coded body that nobody waits for any more', () => {
  it.each([
    ['br', brotliCompressSync],
    ['gzip', gzipSync],
  ])('is not decoded on: %s over the limit', async (coding, compress) => {
    const exchange = createExchange({ headers: ['content-encoding', coding] });
    const pipe = jest.spyOn(exchange.request, 'pipe');
    const reading = readBody(exchange, LIMIT);
    exchange.request.push(compress(BOMB));
    exchange.request.push(null);
    await expect(reading).rejects.toMatchObject({ code: 'body-too-large' });
    const [piped] = pipe.mock.results;
    expect((piped?.value as Transform | undefined)?.destroyed).toBe(true);
  });

  it('is not decoded on: its client has left', async () => {
    const exchange = createExchange({ headers: ['content-encoding', 'br'] });
    const pipe = jest.spyOn(exchange.request, 'pipe');
    const reading = readBody(exchange, Infinity);
    exchange.cancel(new Problem('client-closed'));
    await expect(reading).rejects.toMatchObject({ code: 'client-closed' });
    const [piped] = pipe.mock.results;
    expect((piped?.value as Transform | undefined)?.destroyed).toBe(true);
  });
});
