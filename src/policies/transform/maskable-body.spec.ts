import { describe, expect, it, jest } from '@jest/globals';
import { compileFieldMask } from './field-mask.ts';
import { editJson, editMaybeJson, isNeverJson } from './maskable-body.ts';

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
    ['nesting that nobody can walk through', '['.repeat(200_000) + ']'.repeat(200_000)],
  ])('refuses %s as the upstream’s fault', (_, text) => {
    expect(() => edited(text, 'internal')).toThrow(
      expect.objectContaining({ code: 'upstream-response-invalid', status: 502 }) as unknown as Error,
    );
  });
});

describe('isNeverJson', () => {
  it.each([
    ['image/png'], ['image/svg+xml'], ['Video/MP4'], ['font/woff2'], ['text/html; charset=utf-8'], ['text/css'],
    ['text/csv;header=present'], ['text/xml'], ['application/xml'], ['application/atom+xml'], ['application/pdf'],
  ])('lets %s pass', (type) => {
    expect(isNeverJson([type])).toBe(true);
  }); // prettier-ignore

  it.each<readonly string[]>([
    [], [''], ['application/json'], ['text/json'], ['text/plain'], ['application/x-ndjson'], ['application/jsonl'],
    ['application/json-seq'], ['text/event-stream'], ['application/octet-stream'], ['text/javascript'], ['multipart/mixed'],
    ['image/png', 'application/json'], ['image/png', 'image/png'], ['image/png, application/json'], ['"image/png"'],
    ['image/png; a="x, application/json"'], ['image/png; a=application/json'], ['image/x+json'], ['model/gltf+json'],
    ['image'], ['image/'], ['image/png image/png'], ['application/x+xml+json'], ['*/*'], ['image/*'], ['text/markdown'],
    ['application/problem+json'], ['application/vnd.api+json;v=1'], ['text/html/json'],
  ])('takes %j for what may be JSON', (...types) => {
    expect(isNeverJson(types)).toBe(false);
  }); // prettier-ignore
});

describe('editMaybeJson', () => {
  const mask = compileFieldMask(['internal']);

  it.each(['Not Found', '', 'a\tb\r\nc', '[1, 2.0]', '"text"', 'Ünïcode', '}'])('leaves %j alone', (text) => {
    const body = Buffer.from(text);
    expect(editMaybeJson(body, mask)).toBe(body);
  });

  it('edits JSON, whatever it was called', () => {
    expect(editMaybeJson(Buffer.from(' {"internal":1,"a":1.0}'), mask).toString()).toBe('{"a":1.0}');
  });

  it.each([
    ['several documents', Buffer.from('{"internal":1}\n{"internal":2}\n')],
    ['a script', Buffer.from('callback({"internal":1})')],
    ['a guarded document', Buffer.from(')]}\',\n{"internal":1}')],
    ['another character set', Buffer.from('{"internal":1}', 'utf16le')],
    ['bytes that are no text', Buffer.from([0x1f, 0x8b, 0x08, 0])],
    ['control characters', Buffer.from('a\x01')],
  ])('refuses %s', (_, body) => {
    expect(() => editMaybeJson(body, mask)).toThrow(
      expect.objectContaining({ code: 'upstream-response-invalid' }),
    );
  });
});

it('calls nothing for each value of a large body', () => {
  const parse = jest.spyOn(JSON, 'parse');
  try {
    const body = Buffer.from(`{"internal":1,"ids":[1.0,${'0,'.repeat(1000)}9007199254740993]}`);
    expect(String(editJson(body, compileFieldMask(['internal'])))).toMatch(
      /^\{"ids":\[1\.0,0.*0,9007199254740993\]\}$/,
    );
    expect(parse.mock.calls.map((given) => given[1])).toEqual([undefined]);
  } finally {
    parse.mockRestore();
  }
});
