import { describe, expect, it } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { keyOf } from './idempotency-key.ts';

function read(...lines: readonly string[]): string | undefined {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders = lines.flatMap((line) => ['Idempotency-Key', line]);
  if (lines.length > 0) request.headersDistinct = { 'idempotency-key': [...lines] };
  return keyOf(request);
}

describe('the key of a request', () => {
  it.each([
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['"8e03978e-40d5"', '8e03978e-40d5'],
    [' a=b/c+d ', 'a=b/c+d'],
    [String.raw`"a \"b\" \\"`, String.raw`a "b" \\`.slice(0, -1)],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ])('is %s, which is %s', (line, key) => {
    expect(read(line)).toBe(key);
  });

  it('is absent without the field', () => expect(read()).toBeUndefined());

  it.each([
    [''], ['  '], ['""'], ['"'], ['"a'], ['a"'], ['a b'], ['a,b'], ['"a", "b"'], ['"a";b'], [String.raw`"a\b"`],
    ['"ä"'], ['ä'], ['"a\tb"'], ['x'.repeat(256)], [`"${'x'.repeat(256)}"`], ['a\\b'],
  ])('is refused: %j', (line) => {
    expect(() => read(line)).toThrow(expect.objectContaining({ code: 'idempotency-key-invalid' }));
  }); // prettier-ignore

  it('is refused where it stands twice', () => {
    expect(() => read('a', 'a')).toThrow(expect.objectContaining({ code: 'idempotency-key-invalid' }));
  });
});
