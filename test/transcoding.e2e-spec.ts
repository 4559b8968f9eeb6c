import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromJson, toBinary } from '@bufbuild/protobuf';
import { Metadata, status } from '@grpc/grpc-js';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { call, open, type Answer } from './support/client.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { kindsMessage, kindsRegistry, KindsServer } from './support/kinds-server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = { 'content-type': 'application/x-ndjson' };

let server: KindsServer;
let gateway: TestGateway;

function config(grpc = '', policies = '', upstream = ''): string {
  return `
version: 1
identity: { apiKeys: [{ sha256: ${'a'.repeat(64)}, clientId: app }] }
upstreams:
  kinds:
    protocol: grpc
    descriptorSet: proto/test/kinds.binpb
    targets: ['${server.url}']
    ${upstream}
routes:
  - id: kinds
    upstream: kinds
    grpc: { service: test.v1.Kinds, ${grpc} }
    policies: { authentication: public, ${policies} }
`;
}

beforeAll(async () => {
  server = await new KindsServer().start();
  gateway = await startGateway({ config: config() });
});
beforeEach(() => server.reset());
afterAll(async () => {
  await gateway.stop();
  server.stop();
});

async function withGateway(text: string, use: (gateway: TestGateway) => Promise<void>): Promise<void> {
  const other = await startGateway({ config: text });
  try {
    await use(other);
  } finally {
    await other.stop();
  }
}

function send(path: string, body: unknown, method = 'POST', url = gateway.url): Promise<Answer> {
  return call(url + path, { method, headers: JSON_TYPE, body: JSON.stringify(body) });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

interface Invalid {
  readonly code: string;
  readonly detail?: string;
  readonly errors: readonly { pointer: string; message: string; parameter?: string }[];
}

/** Field, JSON that is sent, bytes on the wire by the encoding rules of protobuf, and JSON that comes back. */
const KINDS: readonly (readonly [string, unknown, string, unknown?])[] = [
  ['doubleValue', 1.5, '09000000000000f83f'],
  ['doubleValue', '-2.5e3', '09000000000088a3c0', -2500],
  ['doubleValue', 'NaN', '09000000000000f87f'],
  ['doubleValue', '-Infinity', '09000000000000f0ff'],
  ['floatValue', 0.5, '150000003f'],
  ['int32Value', -1, '18ffffffffffffffffff01'],
  ['int32Value', '7', '1807', 7],
  ['int32Value', 7.0, '1807', 7],
  ['int64Value', '-9223372036854775808', '2080808080808080808001'],
  ['int64Value', 42, '202a', '42'],
  ['uint32Value', 4294967295, '28ffffffff0f'],
  ['uint64Value', '18446744073709551615', '30ffffffffffffffffff01'],
  ['sint32Value', -2, '3803'],
  ['sint64Value', '-3', '4005'],
  ['fixed32Value', 1, '4d01000000'],
  ['fixed64Value', '1', '510100000000000000'],
  ['sfixed32Value', -1, '5dffffffff'],
  ['sfixed64Value', '-1', '61ffffffffffffffff'],
  ['boolValue', true, '6801'],
  ['stringValue', 'grüße', '72076772c3bcc39f65'],
  ['bytesValue', '+/8=', '7a02fbff'],
  ['bytesValue', '-_8', '7a02fbff', '+/8='],
  ['color', 'COLOR_GREEN', '800102'],
  ['color', 1, '800101', 'COLOR_RED'],
  ['color', 77, '80014d', 77],
  [
    'nested',
    { name: 'a', numbers: [1, 2], deep: { id: '5', flag: true } },
    '8a010d0a0161120201021a0408051001',
  ],
  ['maybe', 0, '900100'],
  ['chosenText', 'x', '9a010178'],
  ['chosenNumber', '9', 'a00109'],
  ['chosenNested', { name: 'n' }, 'aa01030a016e'],
  ['int32List', [1, 300], 'b2010301ac02'],
  ['stringList', ['a', ''], 'ba010161ba0100'],
  ['colorList', ['COLOR_RED', 'COLOR_GREEN'], 'c201020102'],
  ['nestedList', [{ name: 'a' }, {}], 'ca01030a0161ca0100'],
  ['bytesList', ['AQ=='], 'd2010101'],
  ['counts', { a: '1' }, 'da01050a01611001'],
  ['nestedMap', { '7': { name: 'x' } }, 'e20107080712030a0178'],
  ['colorMap', { true: 'COLOR_RED' }, 'ea010408011001'],
  ['timestamp', '2026-01-02T03:04:05.006Z', 'f2010b08a5ebdcca0610809bee02'],
  ['timestamp', '1970-01-01T01:00:01+01:00', 'f201020801', '1970-01-01T00:00:01Z'],
  ['duration', '-1.5s', 'fa011608ffffffffffffffffff011080b6ca91feffffffff01', '-1.500s'],
  ['mask', 'a.b,cDe', '82020b0a03612e620a04635f6465'],
  ['struct', { k: [1, null, 'x', { y: true }] }, ''],
  ['value', 'free', '9202061a0466726565'],
  ['value', null, '9202020800'],
  ['listValue', [1], '9a020b0a0911000000000000f03f'],
  ['any', { '@type': 'type.googleapis.com/test.v1.Deep', id: '5' }, ''],
  ['any', { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' }, ''],
  ['empty', {}, 'aa0200'],
  ['doubleWrapper', 1.5, 'b2020909000000000000f83f'],
  ['floatWrapper', 0.5, 'ba02050d0000003f'],
  ['int32Wrapper', 0, 'c20200'],
  ['int64Wrapper', '5', 'ca02020805'],
  ['uint32Wrapper', 5, 'd202020805'],
  ['uint64Wrapper', '5', 'da02020805'],
  ['boolWrapper', false, 'e20200'],
  ['stringWrapper', 's', 'ea02030a0173'],
  ['bytesWrapper', 'AQ==', 'f202030a0101'],
  ['self', { self: { int32Value: 1 } }, '8203058203021801'],
  ['otherName', 'r', '8a030172'],
  ['timestampList', ['1970-01-01T00:00:01Z'], '9203020801'],
];

describe('JSON and the wire', () => {
  it.each(KINDS)('carries %s = %j both ways', async (field, sent, wire, back = sent) => {
    const answer = await send('/test/echo', { [field]: sent });
    expect([answer.status, answer.json()]).toEqual([200, { [field]: back }]);
    if (wire !== '') expect(server.lastBytes?.toString('hex')).toBe(wire);
    const message = kindsMessage('AllKinds');
    const own = toBinary(message, fromJson(message, { [field]: sent } as never, { registry: kindsRegistry }));
    expect(server.lastBytes?.equals(own)).toBe(true);
  });

  it('has a row for every field', () => {
    const covered = new Set(KINDS.map(([field]) => field));
    const names = kindsMessage('AllKinds').fields.map((field) => field.jsonName);
    // NullValue has one value, which is null, and so no JSON of its own; the rest has tables of its own.
    const elsewhere = ['nullValue', 'mapKeys', 'mapValues', 'lists', 'optionals', 'choices', 'names'];
    expect(names.filter((name) => !covered.has(name))).toEqual(elsewhere);
  });

  it('takes field names as the proto spells them and answers those of JSON', async () => {
    expect((await send('/test/echo', { int32_value: 1, renamed: 'x' })).json()).toEqual({
      int32Value: 1,
      otherName: 'x',
    });
  });

  it('takes null for a field that is not set', async () => {
    expect((await send('/test/echo', { int32Value: null, nested: null, int32List: null })).text).toBe('{}');
  });

  it('keeps every digit of a 64-bit number that was sent as a number', async () => {
    const headers = { ...LINES, accept: 'application/x-ndjson' };
    const body = '{"number":-4503599627370497}\n{"number":9007199254740993}\n';
    const answer = await call(`${gateway.url}/test/chat/x`, { method: 'POST', headers, body });
    expect(answer.text).toBe(
      '{"number":"-9007199254740994","note":"x"}\n{"number":"18014398509481986","note":"x"}\n',
    );
  });

  it.each([
    [{ int32Value: 'x' }, '/int32Value', 'expected a whole number of 32 bits'],
    [{ int32Value: 2 ** 31 }, '/int32Value', 'expected a whole number of 32 bits'],
    [{ int64Value: '9223372036854775808' }, '/int64Value', 'expected a whole number of 64 bits'],
    [{ uint32Value: -1 }, '/uint32Value', 'expected a whole number of 32 bits, not negative'],
    [{ boolValue: 'true' }, '/boolValue', 'expected true or false'],
    [{ stringValue: 1 }, '/stringValue', 'expected text'],
    [{ bytesValue: '*' }, '/bytesValue', 'expected base64'],
    [{ color: 'BLUE' }, '/color', 'expected one of COLOR_UNSPECIFIED, COLOR_RED, COLOR_GREEN'],
    [{ nested: { deep: { id: {} } } }, '/nested/deep/id', 'expected a whole number of 64 bits'],
    [{ nested: [] }, '/nested', 'expected an object'],
    [{ nestedList: [{}, { name: 1 }] }, '/nestedList/1/name', 'expected text'],
    [{ int32List: [1, null] }, '/int32List/1', 'expected a whole number of 32 bits'],
    [{ int32List: 1 }, '/int32List', 'expected a list'],
    [{ counts: { 'a/b': 'x' } }, '/counts/a~1b', 'expected a whole number of 64 bits'],
    [{ nestedMap: { x: {} } }, '/nestedMap/x', ''],
    [{ timestamp: 'yesterday' }, '/timestamp', 'expected a time, such as 2026-01-31T12:00:00Z'],
    [{ duration: '1' }, '/duration', 'expected a duration in seconds, such as 1.5s'],
    [
      { any: { '@type': 'type.googleapis.com/no.Such' } },
      '/any',
      'expected an object with an "@type" that is known',
    ],
    [{ int32Wrapper: 'x' }, '/int32Wrapper', 'expected a whole number of 32 bits'],
    [{ nested: { nmae: 'x' } }, '/nested/nmae', 'is not known here'],
    [
      { chosenText: 'a', chosenNumber: 1 },
      '/chosenNumber',
      'expected one of chosenText, chosenNumber, chosenNested at most',
    ],
    [{ int32Value: 1, int32_value: 1 }, '/int32_value', 'expected once, in one of its two spellings'],
    [[1], '', 'expected an object'],
    ['text', '', 'expected an object'],
  ])('answers 400 to %j and points at %j', async (body, pointer, message) => {
    const answer = await send('/test/echo', body);
    const problem = answer.json<Invalid>();
    expect([answer.status, problem.code]).toEqual([400, 'request-invalid']);
    expect(problem.errors[0]?.pointer).toBe(pointer);
    if (message !== '') expect(problem.errors[0]?.message).toBe(message);
    expect(server.calls).toBe(0);
  });

  it('names every fault at once, and none of what was sent', async () => {
    const answer = await send('/test/echo', {
      int32Value: 'secret',
      nested: { x: 1, name: 2 },
      boolValue: 3,
    });
    expect(answer.json<Invalid>().errors.map(({ pointer }) => pointer)).toEqual([
      '/int32Value',
      '/nested/x',
      '/nested/name',
      '/boolValue',
    ]);
    expect(answer.text).not.toContain('secret');
  });

  it.each([
    ['no JSON', '{"a":'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['JSON nested a hundred thousand times', '['.repeat(100_000)],
    ['messages nested too deeply', `${'{"self":'.repeat(200)}{}${'}'.repeat(200)}`],
  ])('answers 400 to %s', async (_, body) => {
    const answer = await call(`${gateway.url}/test/echo`, { method: 'POST', headers: JSON_TYPE, body });
    expect([answer.status, answer.json<Invalid>().code]).toEqual([400, 'request-invalid']);
  });

  it('takes a missing body for an empty message', async () => {
    expect((await call(`${gateway.url}/test/echo`, { method: 'POST' })).text).toBe('{}');
  });

  it('passes over unknown fields and values of enums when the route says so', async () => {
    await withGateway(config('unknownFields: ignore'), async ({ url }) => {
      const body = { int32Value: 1, stranger: { a: 1 }, color: 'COLOR_BLUE' };
      expect((await send('/test/echo?also=this', body, 'POST', url)).text).toBe('{"int32Value":1}');
      expect((await call(`${url}/test/query?int32Value=1&stranger=2`)).text).toBe('{"int32Value":1}');
    });
  });

  it('shows defaults when the route says so', async () => {
    await withGateway(config('emitDefaults: true'), async ({ url }) => {
      const body = (await send('/test/echo', {}, 'POST', url)).json();
      expect(body).toMatchObject({
        int32Value: 0,
        int64Value: '0',
        stringValue: '',
        color: 'COLOR_UNSPECIFIED',
      });
      expect(body).toMatchObject({ int32List: [], counts: {}, bytesValue: '' });
      for (const absent of ['maybe', 'nested', 'timestamp', 'chosenText'])
        expect(body).not.toHaveProperty(absent);
    });
  });

  it('answers 502 when the answer is not the message, or an Any holds a type that nobody knows', async () => {
    server.answer = Buffer.from([0x0a, 0xff]);
    expect((await send('/test/echo', {})).json<Invalid>().code).toBe('upstream-response-invalid');
    // Field 36, an Any with the type URL "x/y".
    server.answer = Buffer.from('a202050a03782f79', 'hex');
    expect((await send('/test/echo', {})).json<Invalid>().code).toBe('upstream-response-invalid');
  });
});

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
      body === undefined ? await call(gateway.url + path, { method }) : await send(path, body, method);
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
    expect((await call(gateway.url + path, { method })).status).toBe(code);
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
    const answer = await call(`${gateway.url}/test/query?${query}`);
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
    const answer = await call(`${gateway.url}/test/query?${query}`);
    expect([answer.status, answer.json<Invalid>().errors[0]]).toEqual([400, { pointer, parameter, message }]);
  });

  it('points at the value when only the message as a whole finds it wrong', async () => {
    const errors = async (path: string) => (await call(gateway.url + path)).json<Invalid>().errors;
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
    const answer = await send('/test/shelves/shelves/1/books/2', { deep: { id: 'x' } }, 'PATCH');
    expect(answer.json<Invalid>().errors).toMatchObject([{ pointer: '/deep/id' }]);
  });

  it('lets no query or body say what the path says', async () => {
    expect((await call(`${gateway.url}/test/items/mine?stringValue=yours`)).status).toBe(400);
    const body = { stringValue: 'yours', string_value: 'hers' };
    expect((await send('/test/items/mine:cancel', body)).json()).toEqual({ stringValue: 'mine' });
    expect((await send('/test/echo?int32Value=1', {})).status).toBe(400);
  });

  it('answers only the field that the annotation names, its default when it is not set', async () => {
    const set = await call(`${gateway.url}/test/pick/nested?nested.name=n`);
    expect(set.json()).toEqual({ name: 'n' });
    expect((await call(`${gateway.url}/test/pick/nested`)).text).toBe('null');
    expect((await call(`${gateway.url}/test/pick/list?stringList=a`)).text).toBe('["a"]');
    expect((await call(`${gateway.url}/test/pick/list`)).text).toBe('[]');
    expect((await call(`${gateway.url}/test/pick/number`)).text).toBe('0');
  });

  it('carries messages whose JSON is free, and those without fields', async () => {
    const free = { a: [1, 'x', null], big: 1e20 };
    expect((await send('/test/free', free)).json()).toEqual(free);
    const nothing = await call(`${gateway.url}/test/nothing`, { method: 'DELETE' });
    expect([nothing.status, nothing.text]).toEqual([200, '{}']);
  });

  it('carries bodies of any media type as google.api.HttpBody', async () => {
    const body = Buffer.from([0, 1, 255]);
    const answer = await call(`${gateway.url}/test/blob`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body,
    });
    expect([answer.headers['content-type'], answer.body.equals(body)]).toEqual(['image/png', true]);
  });

  it('answers HEAD as it would GET, without the body', async () => {
    const answer = await call(`${gateway.url}/test/items/a`, { method: 'HEAD' });
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', '19']);
  });

  it('does not offer what has no annotation', async () => {
    expect((await send('/test.v1.Kinds/Internal', {})).status).toBe(404);
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
    expect((await call(`${gateway.url}/test/echo`, { method: 'POST', headers, body })).text).toBe(
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
    const answer = await call(`${gateway.url}/test/echo`, { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(code);
  });

  it('answers 413 to a body over the limit, also when only its content is', async () => {
    await withGateway(config('', 'bodyLimit: 1KiB'), async ({ url }) => {
      const body = JSON.stringify({ stringValue: 'x'.repeat(2000) });
      const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
      const coded = { ...JSON_TYPE, 'content-encoding': 'gzip' };
      const post = async (headers: Record<string, string>, what: string | Buffer) =>
        (await call(`${url}/test/echo`, { method: 'POST', headers, body: what })).status;
      expect(await post(JSON_TYPE, body)).toBe(413);
      expect(await post(chunked, body)).toBe(413);
      expect(await post(coded, gzipSync(body))).toBe(413);
      expect(server.calls).toBe(0);
    });
  });

  it('takes no message that is larger than gRPC servers take', async () => {
    const body = { stringValue: 'x'.repeat(5 * 2 ** 20) };
    expect((await send('/test/echo', body)).status).toBe(413);
  });
});

describe('metadata', () => {
  const rules =
    'metadata: { request: [X-Tag, data-bin, authorization], response: [x-answer, x-trailer, raw-bin] }';

  it('lets through what the lists name, both ways, trailers too', async () => {
    await withGateway(
      config(rules, 'transform: { request: { setHeaders: { x-set: yes } } }'),
      async ({ url }) => {
        server.header = new Metadata();
        server.header.set('x-answer', 'a');
        server.header.set('x-hidden', 'h');
        server.trailer = new Metadata();
        server.trailer.set('x-trailer', 't');
        server.trailer.set('raw-bin', Buffer.from([1, 2]));
        const headers = {
          'x-tag': 't',
          'x-other': 'o',
          'data-bin': 'AQI=',
          authorization: 'Bearer b',
          'X-User-Id': 'forged',
        };
        const answer = await call(`${url}/test/items/a`, { headers });
        expect(answer.headers).toMatchObject({ 'x-answer': 'a', 'x-trailer': 't', 'raw-bin': 'AQI=' });
        expect(answer.headers).not.toHaveProperty('x-hidden');
        const sent = server.lastMetadata?.getMap() ?? {};
        expect(sent).toMatchObject({ 'x-tag': 't', authorization: 'Bearer b', 'x-set': 'yes' });
        expect(sent['data-bin']).toEqual(Buffer.from([1, 2]));
        for (const name of ['x-other', 'x-user-id']) expect(sent).not.toHaveProperty(name);
      },
    );
  });

  it('never hands over an API key', async () => {
    await withGateway(config(rules), async ({ url }) => {
      await call(`${url}/test/items/a`, { headers: { authorization: 'ApiKey secret' } });
      expect(server.lastMetadata?.get('authorization')).toEqual([]);
    });
  });

  it('passes nothing by default but the request id and the trace', async () => {
    await call(`${gateway.url}/test/items/a`, { headers: { 'x-tag': 't', authorization: 'Bearer b' } });
    expect(Object.keys(server.lastMetadata?.getMap() ?? {}).sort()).toEqual([
      'traceparent',
      'user-agent',
      'x-request-id',
    ]);
  });
});

describe('policies of the route', () => {
  it('hides masked fields, in streams too', async () => {
    const mask = 'transform: { response: { maskFields: [note] } }';
    await withGateway(config('', mask), async ({ url }) => {
      const path = `${url}/test/count/2?padding=3`;
      const texts = await Promise.all(
        ['application/json', 'application/x-ndjson', 'text/event-stream'].map(
          async (accept) => (await call(path, { headers: { accept } })).text,
        ),
      );
      for (const text of texts)
        expect([text.includes('xxx'), text.includes('"number":"2"')]).toEqual([false, true]);
    });
  });

  it('gives the call the time that is left and answers 504 when it is up', async () => {
    let release = (): void => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    await withGateway(config('', 'deadline: 150ms'), async ({ url, accessLines }) => {
      const answer = await call(`${url}/test/items/a`);
      expect([answer.status, answer.json()['code']]).toEqual([504, 'deadline-exceeded']);
      expect(server.remainingMs).toBeLessThanOrEqual(151);
      await until(() => server.cancelled === 1);
      expect(await accessLines(1)).toMatchObject([{ route: 'kinds.Get', upstream: 'kinds', status: 504 }]);
    });
    release();
  });

  it('cancels the call when the client goes away', async () => {
    let release = (): void => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    const outgoing = request(`${gateway.url}/test/items/a`).on('error', () => undefined);
    outgoing.end();
    await until(() => server.calls === 1);
    outgoing.destroy();
    await until(() => server.cancelled === 1);
    release();
    const lines = await gateway.linesWhere((line) => line['status'] === 499);
    expect(lines[0]).toMatchObject({ route: 'kinds.Get' });
  });

  it('opens the breaker on failures and answers 503', async () => {
    const breaker = 'circuitBreaker: { consecutiveFailures: 1 }';
    await withGateway(config('', '', breaker), async ({ url }) => {
      server.refusal = { code: status.INTERNAL, details: 'secret' };
      expect((await call(`${url}/test/items/a`)).status).toBe(502);
      expect((await call(`${url}/test/items/a`)).status).toBe(503);
      expect(server.calls).toBe(1);
    });
  });
});

describe('server streams', () => {
  it.each([
    [undefined, 'application/json', '[{"number":"1"},{"number":"2"}]'],
    ['*/*', 'application/json', '[{"number":"1"},{"number":"2"}]'],
    ['text/html', 'application/json', '[{"number":"1"},{"number":"2"}]'],
    ['application/x-ndjson', 'application/x-ndjson', '{"number":"1"}\n{"number":"2"}\n'],
    ['application/json;q=0.5, application/jsonl', 'application/x-ndjson', '{"number":"1"}\n{"number":"2"}\n'],
    ['text/event-stream', 'text/event-stream', ': open\n\ndata: {"number":"1"}\n\ndata: {"number":"2"}\n\n'],
  ])('answers Accept %s with %s', async (accept, type, text) => {
    const answer = await call(`${gateway.url}/test/count/2`, {
      headers: accept === undefined ? {} : { accept },
    });
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, type, text]);
  });

  it('answers an empty stream with an empty list', async () => {
    expect((await call(`${gateway.url}/test/count/0`)).text).toBe('[]');
  });

  it('sends each message as it comes', async () => {
    let release = (): void => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    const answer = await open(`${gateway.url}/test/count/2`, { headers: { accept: 'text/event-stream' } });
    const first = await new Promise<string>((resolve) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('"1"')) resolve(text);
      });
    });
    expect(first).not.toContain('"2"');
    release();
    await new Promise((resolve) => answer.once('end', resolve));
  });

  it('tells that the stream is open before its first message', async () => {
    let release = (): void => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    server.header = new Metadata();
    const answer = await open(`${gateway.url}/test/count/1`, { headers: { accept: 'application/x-ndjson' } });
    expect(answer.statusCode).toBe(200);
    release();
    answer.resume();
    await new Promise((resolve) => answer.once('end', resolve));
  });

  it('holds the upstream back when the client reads no further, and cancels it when the client goes', async () => {
    const answer = await open(`${gateway.url}/test/count/100000?padding=10000`, {
      headers: { accept: 'application/x-ndjson' },
    });
    answer.pause();
    let before = -1;
    while (server.written !== before) {
      before = server.written;
      await sleep(150);
    }
    expect(server.written).toBeLessThan(50_000);
    answer.destroy();
    await until(() => server.cancelled === 1);
  });

  it('answers a problem as long as nothing was sent', async () => {
    server.refusal = { code: status.NOT_FOUND, details: 'secret' };
    const answer = await call(`${gateway.url}/test/count/2`);
    expect([answer.status, answer.json()['code'], answer.text.includes('secret')]).toEqual([
      404,
      'resource-not-found',
      false,
    ]);
  });

  it('cuts a stream that fails on its way, and names the problem in SSE', async () => {
    const path = `${gateway.url}/test/count/5?failAfter=2`;
    await expect(call(path, { headers: { accept: 'application/x-ndjson' } })).rejects.toThrow();
    await expect(call(path)).rejects.toThrow();
    const told = await call(path, { headers: { accept: 'text/event-stream' } });
    expect(told.text).toMatch(
      /data: \{"number":"2"\}\n\nevent: problem\ndata: \{.*"code":"upstream-rejected".*\}\n\n$/,
    );
    expect(told.text).not.toContain('secret');
  });

  it('ends a stream that has fallen silent', async () => {
    let release = (): void => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    await withGateway(config('', '', 'timeouts: { idle: 100ms }'), async ({ url }) => {
      const answer = await call(`${url}/test/count/2`, { headers: { accept: 'text/event-stream' } });
      expect(answer.text).toContain('"code":"upstream-timeout"');
      await until(() => server.cancelled === 1);
    });
    release();
  });

  it('answers 504 when a stream does not open', async () => {
    let release = (): void => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    await withGateway(config('', 'deadline: 5s', 'timeouts: { firstByte: 100ms }'), async ({ url }) => {
      // Without ticks nothing is said before the end.
      server.hold = undefined;
      expect((await call(`${url}/test/count/0`)).status).toBe(200);
    });
    release();
  });

  it('asks another target when the first one is gone', async () => {
    const gone = await new KindsServer().start();
    gone.stop();
    await withGateway(config().replace(server.url, `${gone.url}', '${server.url}`), async ({ url }) => {
      for (let i = 0; i < 4; i += 1)
        expect((await call(`${url}/test/count/1`)).text).toBe('[{"number":"1"}]');
    });
  });

  it('ends a HEAD with the head', async () => {
    const answer = await call(`${gateway.url}/test/count/100000`, { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    await until(() => server.cancelled === 1);
  });
});

describe('client streams', () => {
  const upload = (body: string, headers: Record<string, string> = LINES, url = gateway.url) =>
    call(`${url}/test/sum`, { method: 'POST', headers, body });

  it.each([
    ['lines', '{"number":1}\n{"number":"2"}\n', { to: 3, padding: 2 }],
    [
      'a last line without its end, blank lines and CRLF',
      '{"number":1}\r\n\r\n\n{"number":"2"}',
      { to: 3, padding: 2 },
    ],
    ['nothing', '', {}],
  ])('takes %s', async (_, body, expected) => {
    expect((await upload(body)).json()).toEqual(expected);
  });

  it('takes lines that come in pieces', async () => {
    const outgoing = request(`${gateway.url}/test/sum`, { method: 'POST', headers: LINES });
    const answered = new Promise<string>((resolve) =>
      outgoing.once('response', (incoming) =>
        incoming.on('data', (chunk: Buffer) => resolve(chunk.toString())),
      ),
    );
    for (const piece of ['{"num', 'ber":1}\n{"note":"\u00fc', '","number":', '4}\n']) {
      outgoing.write(piece);
      await sleep(10);
    }
    outgoing.end();
    expect(await answered).toBe('{"to":5,"padding":2}');
  });

  it('takes a large upload in order and no faster than the service', async () => {
    const lines = Array.from({ length: 20_000 }, () => '{"number":1}').join('\n');
    expect((await upload(lines)).json()).toEqual({ to: 20_000, padding: 20_000 });
    const coded = { ...LINES, 'content-encoding': 'gzip' };
    const answer = await call(`${gateway.url}/test/sum`, {
      method: 'POST',
      headers: coded,
      body: gzipSync(lines),
    });
    expect(answer.json()).toEqual({ to: 20_000, padding: 20_000 });
  });

  it('says which line is wrong, and cancels the call', async () => {
    const answer = await upload('{"number":1}\n{"number":"x"}\n{"number":1}\n');
    expect(answer.status).toBe(400);
    expect(answer.json<Invalid>()).toMatchObject({
      code: 'request-invalid',
      detail: 'Line 2 is not valid.',
      errors: [{ pointer: '/1/number', message: 'expected a whole number of 64 bits' }],
    });
    // A call that was cancelled before it was sent has never been one to the service.
    await until(() => server.cancelled === server.calls);
  });

  it('answers 413 to a line or a body that is too long', async () => {
    await withGateway(config('maxLine: 100B', 'bodyLimit: 1KiB'), async ({ url }) => {
      const long = await upload(`{"note":"${'x'.repeat(100)}"}`, LINES, url);
      expect([long.status, long.json<Invalid>().detail]).toEqual([413, 'Line 1 is too long.']);
      const chunked = { ...LINES, 'transfer-encoding': 'chunked' };
      expect((await upload('{"number":1}\n'.repeat(100), chunked, url)).status).toBe(413);
    });
  });

  it('takes nothing but NDJSON', async () => {
    expect((await upload('{}', JSON_TYPE)).status).toBe(415);
    expect((await upload('{}', {})).status).toBe(415);
  });

  it('answers what the service refuses before it was sent everything', async () => {
    server.refusal = { code: status.FAILED_PRECONDITION, details: 'secret' };
    const outgoing = request(`${gateway.url}/test/sum`, { method: 'POST', headers: LINES });
    outgoing.on('error', () => undefined);
    outgoing.write('{"number":1}\n');
    const answer = await new Promise<number | undefined>((resolve) =>
      outgoing.once('response', (incoming) => resolve(incoming.statusCode)),
    );
    expect(answer).toBe(400);
    outgoing.destroy();
  });

  it('cancels the call when the client breaks off', async () => {
    const outgoing = request(`${gateway.url}/test/sum`, { method: 'POST', headers: LINES });
    outgoing.on('error', () => undefined);
    outgoing.write('{"number":1}\n');
    await until(() => server.calls === 1);
    outgoing.destroy();
    await until(() => server.cancelled === 1);
  });
});

describe('bidirectional streams', () => {
  it('answers messages while others are still to be sent', async () => {
    const agent = new Agent({ keepAlive: false });
    const headers = { ...LINES, accept: 'application/x-ndjson' };
    const outgoing = request(`${gateway.url}/test/chat/hi`, { method: 'POST', headers, agent });
    const heard: string[] = [];
    const ended = new Promise((resolve) =>
      outgoing.once('response', (incoming) => {
        incoming.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
        incoming.once('end', resolve);
      }),
    );
    outgoing.write('{"number":1}\n');
    await until(() => heard.length === 1);
    expect(heard[0]).toBe('{"number":"2","note":"hi"}\n');
    outgoing.end('{"number":4,"note":"mine"}\n');
    await ended;
    expect(heard.join('')).toBe('{"number":"2","note":"hi"}\n{"number":"8","note":"hi"}\n');
  });
});
