import { describe, expect, it } from '@jest/globals';
import { parseExact } from './exact-json.ts';

describe('parseExact', () => {
  it.each([
    '{"id":12345678901234567890}',
    '[9007199254740993,-9007199254740993]',
    '[1e400,-1e400,1E+999]',
    '[0.12345678901234567]',
    '[1,22,333,1234567890123456789]',
    '{"e":1e400,"f":[2.5E-400]}',
    '{"a":[{"b":18446744073709551615}],"c":"text 12345678901234567890"}',
  ])('keeps every digit of %s', (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });
});
