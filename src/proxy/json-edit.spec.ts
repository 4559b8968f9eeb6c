import { describe, expect, it } from '@jest/globals';
import { compileFieldMask } from '../policies/transform/field-mask.ts';
import { editJson, isJson, parseExact } from './json-edit.ts';

const edited = (text: string, ...fields: string[]) =>
  editJson(Buffer.from(text), compileFieldMask(fields)).toString();

describe('editJson', () => {
  it.each([
    '{"id":9007199254740993}',
    '{"id":-9223372036854775808}',
    '[1.0,1.10,0.1,1e5,1E400,-0,0,12345678901234567890.123456789]',
    '{"a":[{"n":18446744073709551615}],"b":"1.0"}',
    '{"text":"\\u2028 é 😀 \\"x\\""}'.replace('\\u2028', '\u2028'),
    'true',
    'null',
    '[]',
    '{"__proto__":{"a":1.0}}',
  ])('keeps every number and text of %s', (text) => {
    expect(edited(text, 'internal')).toBe(text);
  });

  it('masks next to numbers that no double can hold', () => {
    expect(
      edited('{"id":9007199254740993,"internal":1,"items":[{"internal":2,"price":1.50}]}', 'internal'),
    ).toBe('{"id":9007199254740993,"items":[{"price":1.50}]}');
  });

  it('leaves no second field of a masked name', () => {
    expect(edited('{"internal":1,"a":2,"internal":3}', 'internal')).toBe('{"a":2}');
    expect(edited('{"\\u0069nternal":1,"a":2}', 'internal')).toBe('{"a":2}');
    expect(edited('{"a":1,"a":2.0}', 'internal')).toBe('{"a":2.0}');
  });

  it.each([
    ['no JSON', '{internal: 1}'],
    ['half of it', '{"internal":1'],
    ['two documents', '{"a":1}{"internal":1}'],
    ['a byte order mark', '\ufeff{}'],
    ['nesting that nobody can walk through', '['.repeat(200_000) + ']'.repeat(200_000)],
  ])('refuses %s as the upstream’s fault', (_, text) => {
    expect(() => edited(text, 'internal')).toThrow(
      expect.objectContaining({ code: 'upstream-response-invalid', status: 502 }) as unknown as Error,
    );
  });
});

describe('isJson', () => {
  it.each([
    ['application/json', true],
    ['Application/JSON; charset=utf-8', true],
    ['application/json ;x', true],
    ['application/problem+json', true],
    ['application/vnd.api+json;v=1', true],
    ['application/jsonl', false],
    ['application/x-ndjson', false],
    ['text/plain', false],
    ['text/html; x=application/json', false],
    [undefined, false],
  ])('%s: %s', (mediaType, expected) => {
    expect(isJson(mediaType)).toBe(expected);
  });
});

describe('parseExact', () => {
  it.each([
    '{"id":12345678901234567890}',
    '[9007199254740993,-9007199254740993]',
    '[1e400,-1e400,1E+999]',
    '[0.12345678901234567]',
    '{"a":[{"b":18446744073709551615}],"c":"text 12345678901234567890"}',
  ])('keeps every digit of %s', (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });
});
