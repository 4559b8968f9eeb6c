import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BodyCoder, isDecodable } from './body-coder.ts';
import { plainBody } from './stored-coding.ts';
import type { Entry } from './entry.ts';

const BODY = Buffer.from('text '.repeat(1000));

describe('BodyCoder', () => {
  it.each(['gzip', 'br', 'zstd'] as const)('makes %s of a body, which is decoded again', async (coding) => {
    const body = (await new BodyCoder().code(BODY, coding)) ?? Buffer.alloc(0);
    expect(body.length).toBeLessThan(BODY.length / 10);
    const coded = { coding, length: BODY.length };
    expect(await isDecodable(body, coded)).toBe(true);
    const entry = { answer: { body }, coded } as unknown as Entry;
    expect(plainBody(entry, 'GET').equals(BODY)).toBe(true);
    expect(plainBody(entry, 'HEAD')).toHaveLength(0);
  });

  it('leaves what is no smaller as it is', async () => {
    expect(await new BodyCoder().code(randomBytes(5000), 'gzip')).toBeUndefined();
  });

  it('compresses all that may wait, and no more', async () => {
    const coder = new BodyCoder();
    const made = await Promise.all(Array.from({ length: 300 }, () => coder.code(BODY, 'gzip')));
    const done = made.filter((one) => one !== undefined);
    expect(done.length).toBe(258);
    expect(done.every((one) => gunzipSync(one).equals(BODY))).toBe(true);
    expect(await coder.code(BODY, 'gzip')).toBeDefined();
  });
});

it.each<[string, Buffer, number]>([
  ['garbage', Buffer.from('garbage'), 7],
  ['one that is cut', gzipSync(BODY).subarray(0, -9), BODY.length],
  ['one that is longer than it says', gzipSync(Buffer.alloc(2 ** 24)), 1000],
  ['one that is shorter than it says', gzipSync(BODY), BODY.length + 1],
])('%s is no body', async (_, body, length) => {
  expect(await isDecodable(body, { coding: 'gzip', length })).toBe(false);
});
