import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { JsonLines } from './json-lines.ts';

const MIB = 1024 * 1024;
const SOON = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

function linesOf(): [JsonLines, PassThrough] {
  const body = new PassThrough({ highWaterMark: 64 * MIB });
  return [new JsonLines(body as unknown as IncomingMessage), body];
}

describe('JsonLines', () => {
  it('reads no more while 4 MiB wait to be taken, and goes on then', async () => {
    const [lines, body] = linesOf();
    const line = `"${'x'.repeat(MIB - 3)}"\n`;
    for (let i = 0; i < 4; i += 1) body.write(line);
    await turn();
    expect(body.isPaused()).toBe(false);
    for (let i = 0; i < 4; i += 1) body.write(line);
    await turn();
    expect(body.isPaused()).toBe(true);
    const first = lines.take().length;
    expect(first).toBeLessThan(8);
    expect(body.isPaused()).toBe(false);
    await turn();
    expect(first + lines.take().length).toBe(8);
  });

  it('knows what it weighs: the text, and 64 bytes for each object, list and member', async () => {
    const [lines, body] = linesOf();
    body.write('{"a":[1,2]}\n\n\r\n{}\n');
    expect(await lines.wait(1000, SOON)).toBe('line');
    expect(lines.take()).toEqual([{ a: [1, 2] }, {}]);
    expect(lines.weight).toBe(11 + 3 * 64 + 2 + 64);
  });

  it('gives what came before the end, and then the end', async () => {
    const [lines, body] = linesOf();
    body.end('1\n2\n');
    expect(await lines.wait(1000, SOON)).toBe('line');
    await turn();
    expect(lines.take()).toEqual([1, 2]);
    await turn();
    expect(await lines.wait(1000, SOON)).toBe('end');
  });
});
