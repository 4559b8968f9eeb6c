import { describe, expect, it } from '@jest/globals';
import { fromJson, toBinary } from '@bufbuild/protobuf';
import { call } from '../support/client.ts';
import { useServedKinds, type Invalid } from '../support/kinds-gateway.ts';
import { kindsMessage, kindsRegistry } from '../support/kinds-server.ts';

const behind = useServedKinds();
const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = { 'content-type': 'application/x-ndjson' };

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
    const answer = await behind.kinds.send('/test/echo', { [field]: sent });
    expect([answer.status, answer.json()]).toEqual([200, { [field]: back }]);
    if (wire !== '') expect(behind.kinds.server.lastBytes?.toString('hex')).toBe(wire);
    const message = kindsMessage('AllKinds');
    const own = toBinary(message, fromJson(message, { [field]: sent } as never, { registry: kindsRegistry }));
    expect(behind.kinds.server.lastBytes?.equals(own)).toBe(true);
  });

  it('has a row for every field', () => {
    const covered = new Set(KINDS.map(([field]) => field));
    const names = kindsMessage('AllKinds').fields.map((field) => field.jsonName);
    // NullValue has one value, which is null, and so no JSON of its own; the rest has tables of its own.
    const elsewhere = ['nullValue', 'mapKeys', 'mapValues', 'lists', 'optionals', 'choices', 'names'];
    expect(names.filter((name) => !covered.has(name))).toEqual(elsewhere);
  });

  it('takes field names as the proto spells them and answers those of JSON', async () => {
    expect((await behind.kinds.send('/test/echo', { int32_value: 1, renamed: 'x' })).json()).toEqual({
      int32Value: 1,
      otherName: 'x',
    });
  });

  it('takes null for a field that is not set', async () => {
    expect(
      (await behind.kinds.send('/test/echo', { int32Value: null, nested: null, int32List: null })).text,
    ).toBe('{}');
  });

  it('keeps every digit of a 64-bit number that was sent as a number', async () => {
    const headers = { ...LINES, accept: 'application/x-ndjson' };
    const body = '{"number":-4503599627370497}\n{"number":9007199254740993}\n';
    const answer = await call(`${behind.kinds.url}/test/chat/x`, { method: 'POST', headers, body });
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
    const answer = await behind.kinds.send('/test/echo', body);
    const problem = answer.json<Invalid>();
    expect([answer.status, problem.code]).toEqual([400, 'request-invalid']);
    expect(problem.errors[0]?.pointer).toBe(pointer);
    if (message !== '') expect(problem.errors[0]?.message).toBe(message);
    expect(behind.kinds.server.calls).toBe(0);
  });

  it('names every fault at once, and none of what was sent', async () => {
    const answer = await behind.kinds.send('/test/echo', {
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
    const answer = await call(`${behind.kinds.url}/test/echo`, { method: 'POST', headers: JSON_TYPE, body });
    expect([answer.status, answer.json<Invalid>().code]).toEqual([400, 'request-invalid']);
  });

  it('takes a missing body for an empty message', async () => {
    expect((await call(`${behind.kinds.url}/test/echo`, { method: 'POST' })).text).toBe('{}');
  });

  it('passes over unknown fields and values of enums when the route says so', async () => {
    await behind.kinds.withAnother({ grpc: 'unknownFields: ignore' }, async ({ url }) => {
      const body = { int32Value: 1, stranger: { a: 1 }, color: 'COLOR_BLUE' };
      expect((await behind.kinds.send('/test/echo?also=this', body, 'POST', url)).text).toBe(
        '{"int32Value":1}',
      );
      expect((await call(`${url}/test/query?int32Value=1&stranger=2`)).text).toBe('{"int32Value":1}');
    });
  });

  it('shows defaults when the route says so', async () => {
    await behind.kinds.withAnother({ grpc: 'emitDefaults: true' }, async ({ url }) => {
      const body = (await behind.kinds.send('/test/echo', {}, 'POST', url)).json();
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
    behind.kinds.server.answer = Buffer.from([0x0a, 0xff]);
    expect((await behind.kinds.send('/test/echo', {})).json<Invalid>().code).toBe(
      'upstream-response-invalid',
    );
    // Field 36, an Any with the type URL "x/y".
    behind.kinds.server.answer = Buffer.from('a202050a03782f79', 'hex');
    expect((await behind.kinds.send('/test/echo', {})).json<Invalid>().code).toBe(
      'upstream-response-invalid',
    );
  });
});
