import { describe, expect, it } from '@jest/globals';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { call } from '../support/client.ts';
import { useServedKinds, type Invalid } from '../support/kinds-gateway.ts';

const behind = useServedKinds();
const JSON_TYPE = { 'content-type': 'application/json' };

describe('path, query and body', () => {
  it.each([
    [
      'PUT',
      '/test/nested/a%20b/7',
      { stringValue: 's' },
      { stringValue: 's', nested: { name: 'a b', deep: { id: '7' } } },
    ],
    [
      'PUT',
      '/test/nested/%C3%BC/7',
      { nested: { name: 'other', numbers: [1] } },
      { nested: { name: 'ü', numbers: [1], deep: { id: '7' } } },
    ],
    [
      'PATCH',
      '/test/shelves/shelves/1/books/2',
      { name: 'n' },
      { stringValue: 'shelves/1/books/2', nested: { name: 'n' } },
    ],
    ['POST', '/test/list/x', [1, 2], { stringValue: 'x', int32List: [1, 2] }],
    ['GET', '/test/int64/-5/COLOR_RED', undefined, { int64Value: '-5', color: 'COLOR_RED' }],
    ['GET', '/test/int64/5/2', undefined, { int64Value: '5', color: 'COLOR_GREEN' }],
    ['GET', '/test/times/2026-01-01T00:00:00Z', undefined, { timestamp: '2026-01-01T00:00:00Z' }],
    ['GET', '/test/files/a/b%3Fc/d.txt', undefined, { stringValue: 'a/b?c/d.txt' }],
    ['GET', '/test/files', undefined, {}],
    ['POST', '/test/files/a/b:sign', { name: 'n' }, { stringValue: 'a/b', nested: { name: 'n' } }],
    ['POST', '/test/items/ord-1:cancel', {}, { stringValue: 'ord-1' }],
    ['GET', '/test/items/ord-1', undefined, { stringValue: 'ord-1' }],
    ['GET', '/test/items/ord:1:2', undefined, { stringValue: 'ord:1:2' }],
    ['OPTIONS', '/test/items/ord-1', undefined, { stringValue: 'ord-1' }],
  ])('%s %s fills the message', async (method, path, body, expected) => {
    const answer =
      body === undefined
        ? await call(behind.kinds.url + path, { method })
        : await behind.kinds.send(path, body, method);
    expect([answer.status, answer.json()]).toEqual([200, expected]);
  });

  it.each([
    ['POST', '/test/items/ord-1', 405],
    ['POST', '/test/items/:cancel', 405],
    ['GET', '/test/shelves/shelves/1/books/2', 405],
    ['PATCH', '/test/shelves/shelves/1/papers/2', 404],
    ['GET', '/test/items/a/b', 404],
    ['GET', '/test/items/%FF', 400],
    ['GET', '/test/files/a%2Fb', 400],
  ])('%s %s is answered with %i', async (method, path, code) => {
    expect((await call(behind.kinds.url + path, { method })).status).toBe(code);
  });

  it.each([
    ['int32Value=5', { int32Value: 5 }],
    ['int32_value=5', { int32Value: 5 }],
    ['otherName=a%26b+c', { otherName: 'a&b c' }],
    ['int32List=1&int32List=2', { int32List: [1, 2] }],
    ['stringList=&stringList=x', { stringList: ['', 'x'] }],
    ['nested.name=a&nested.numbers=1&nested.numbers=2', { nested: { name: 'a', numbers: [1, 2] } }],
    ['nested.deep.id=9', { nested: { deep: { id: '9' } } }],
    ['boolValue=true', { boolValue: true }],
    ['boolValue=0&maybe=0', { maybe: 0 }],
    ['color=COLOR_RED', { color: 'COLOR_RED' }],
    [
      'color=2&colorList=1&colorList=COLOR_GREEN',
      { color: 'COLOR_GREEN', colorList: ['COLOR_RED', 'COLOR_GREEN'] },
    ],
    ['doubleValue=1e2&floatValue=-.5', { doubleValue: 100, floatValue: -0.5 }],
    ['doubleValue=NaN', { doubleValue: 'NaN' }],
    ['int64Value=9007199254740993', { int64Value: '9007199254740993' }],
    ['bytesValue=-_8', { bytesValue: '+/8=' }],
    ['bytesValue=+/8=', { bytesValue: '+/8=' }],
    ['timestamp=2026-01-01T00:00:00Z', { timestamp: '2026-01-01T00:00:00Z' }],
    ['timestampList=1970-01-01T00:00:01Z', { timestampList: ['1970-01-01T00:00:01Z'] }],
    ['duration=1.5s', { duration: '1.500s' }],
    ['mask=a,bC', { mask: 'a,bC' }],
    [
      'int32Wrapper=0&stringWrapper=s&boolWrapper=false',
      { int32Wrapper: 0, stringWrapper: 's', boolWrapper: false },
    ],
    ['int64Wrapper=5&bytesWrapper=AQ', { int64Wrapper: '5', bytesWrapper: 'AQ==' }],
    ['chosenNested.name=x', { chosenNested: { name: 'x' } }],
  ])('reads ?%s', async (query, expected) => {
    const answer = await call(`${behind.kinds.url}/test/query?${query}`);
    expect([answer.status, answer.json()]).toEqual([200, expected]);
  });

  it.each([
    ['int32Value=x', 'int32Value', '/int32Value', 'expected a whole number of 32 bits'],
    ['int32Value=', 'int32Value', '/int32Value', 'expected a whole number of 32 bits'],
    ['int64Value=0x10', 'int64Value', '/int64Value', 'expected a whole number of 64 bits'],
    ['int32Value=1&int32Value=2', 'int32Value', '/int32Value', 'expected once'],
    ['boolValue=yes', 'boolValue', '/boolValue', 'expected true or false'],
    ['stranger=1', 'stranger', '', 'is not known here'],
    ['nested=1', 'nested', '/nested', 'cannot be said in a query'],
    ['nested.stranger=1', 'nested.stranger', '', 'is not known here'],
    ['nestedList.name=1', 'nestedList.name', '', 'is not known here'],
    ['counts=1', 'counts', '/counts', 'cannot be said in a query'],
    ['__proto__.name=1', '__proto__.name', '', 'is not known here'],
  ])('answers 400 to ?%s', async (query, parameter, pointer, message) => {
    const answer = await call(`${behind.kinds.url}/test/query?${query}`);
    expect([answer.status, answer.json<Invalid>().errors[0]]).toEqual([400, { pointer, parameter, message }]);
  });

  it('points at the value when only the message as a whole finds it wrong', async () => {
    const errors = async (path: string) => (await call(behind.kinds.url + path)).json<Invalid>().errors;
    expect(await errors('/test/query?timestamp=x')).toMatchObject([{ pointer: '/timestamp' }]);
    expect(await errors('/test/query?chosenText=a&chosenNumber=1')).toMatchObject([
      { pointer: '/chosenNumber' },
    ]);
    expect(await errors('/test/times/x')).toMatchObject([{ pointer: '/timestamp', parameter: 'timestamp' }]);
    expect(await errors('/test/int64/x/COLOR_RED')).toMatchObject([
      { pointer: '/int64Value', parameter: 'int64_value' },
    ]);
  });

  it('points into the body that was sent when it is one field of the message', async () => {
    const answer = await behind.kinds.send('/test/shelves/shelves/1/books/2', { deep: { id: 'x' } }, 'PATCH');
    expect(answer.json<Invalid>().errors).toMatchObject([{ pointer: '/deep/id' }]);
  });

  it('lets no query or body say what the path says', async () => {
    expect((await call(`${behind.kinds.url}/test/items/mine?stringValue=yours`)).status).toBe(400);
    const body = { stringValue: 'yours', string_value: 'hers' };
    expect((await behind.kinds.send('/test/items/mine:cancel', body)).json()).toEqual({
      stringValue: 'mine',
    });
    expect((await behind.kinds.send('/test/echo?int32Value=1', {})).status).toBe(400);
  });

  it('answers only the field that the annotation names, its default when it is not set', async () => {
    const set = await call(`${behind.kinds.url}/test/pick/nested?nested.name=n`);
    expect(set.json()).toEqual({ name: 'n' });
    expect((await call(`${behind.kinds.url}/test/pick/nested`)).text).toBe('null');
    expect((await call(`${behind.kinds.url}/test/pick/list?stringList=a`)).text).toBe('["a"]');
    expect((await call(`${behind.kinds.url}/test/pick/list`)).text).toBe('[]');
    expect((await call(`${behind.kinds.url}/test/pick/number`)).text).toBe('0');
  });

  it('carries messages whose JSON is free, and those without fields', async () => {
    const free = { a: [1, 'x', null], big: 1e20 };
    expect((await behind.kinds.send('/test/free', free)).json()).toEqual(free);
    const nothing = await call(`${behind.kinds.url}/test/nothing`, { method: 'DELETE' });
    expect([nothing.status, nothing.text]).toEqual([200, '{}']);
  });

  it('carries bodies of any media type as google.api.HttpBody', async () => {
    const body = Buffer.from([0, 1, 255]);
    const answer = await call(`${behind.kinds.url}/test/blob`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body,
    });
    expect([answer.headers['content-type'], answer.body.equals(body)]).toEqual(['image/png', true]);
  });

  it('answers HEAD as it would GET, without the body', async () => {
    const answer = await call(`${behind.kinds.url}/test/items/a`, { method: 'HEAD' });
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', '19']);
  });

  it('does not offer what has no annotation', async () => {
    expect((await behind.kinds.send('/test.v1.Kinds/Internal', {})).status).toBe(404);
  });
});

describe('bodies', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('takes a body with the content coding %s', async (coding, compress) => {
    const headers = { ...JSON_TYPE, 'content-encoding': coding };
    const body = compress('{"int32Value":1}');
    expect((await call(`${behind.kinds.url}/test/echo`, { method: 'POST', headers, body })).text).toBe(
      '{"int32Value":1}',
    );
  });

  it.each([
    ['text/plain', undefined, 415],
    ['application/x-www-form-urlencoded', undefined, 415],
    ['application/json', 'zstd7', 415],
    ['application/json', 'gzip', 400],
    ['application/vnd.shop+json; charset=utf-8', undefined, 200],
  ])('answers a body of %s, coded %s, with %i', async (type, coding, code) => {
    const headers = { 'content-type': type, ...(coding === undefined ? {} : { 'content-encoding': coding }) };
    const answer = await call(`${behind.kinds.url}/test/echo`, { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(code);
  });

  it('answers 413 to a body over the limit, also when only its content is', async () => {
    await behind.kinds.withAnother({ policies: 'bodyLimit: 1KiB' }, async ({ url }) => {
      const body = JSON.stringify({ stringValue: 'x'.repeat(2000) });
      const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
      const coded = { ...JSON_TYPE, 'content-encoding': 'gzip' };
      const post = async (headers: Record<string, string>, what: string | Buffer) =>
        (await call(`${url}/test/echo`, { method: 'POST', headers, body: what })).status;
      expect(await post(JSON_TYPE, body)).toBe(413);
      expect(await post(chunked, body)).toBe(413);
      expect(await post(coded, gzipSync(body))).toBe(413);
      expect(behind.kinds.server.calls).toBe(0);
    });
  });

  it('takes no message that is larger than gRPC servers take', async () => {
    const body = { stringValue: 'x'.repeat(5 * 2 ** 20) };
    expect((await behind.kinds.send('/test/echo', body)).status).toBe(413);
  });
});
