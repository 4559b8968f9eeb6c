import { describe, expect, it } from '@jest/globals';
import { call, type Answer } from '../support/client.ts';
import type { Invalid } from '../support/kinds-gateway.ts';
import { usePeerGateway } from '../support/peer-gateway.ts';

/** The canonical JSON of every kind of field, judged by a service in Python that prints what it has understood. */
const behind = usePeerGateway();

const headers = { 'content-type': 'application/json' };

/** Sends a text of JSON. */
function post(body: string): Promise<Answer> {
  return call(`${behind.kinds.url}/test/echo`, { method: 'POST', headers, body });
}

/** Sends JSON texts that must mean `canonical` to both sides. */
async function expectCarried(sent: string, canonical: unknown): Promise<void> {
  const answer = await post(sent);
  expect([answer.status, answer.json()]).toEqual([200, canonical]);
  expect(await behind.kinds.understood()).toEqual(canonical);
}

/** Sends what must be refused, and never reaches the service. */
async function expectRefused(answer: Answer, pointer: string, message?: string): Promise<void> {
  const problem = answer.json<Invalid>();
  expect([answer.status, problem.code]).toEqual([400, 'request-invalid']);
  expect(problem.errors[0]?.pointer).toBe(pointer);
  if (message !== undefined) expect(problem.errors[0]?.message).toBe(message);
  expect(await behind.kinds.peer.calls()).toEqual([]);
}

const MAX_INT32 = 2147483647;
const MIN_INT64 = '-9223372036854775808';
const MAX_INT64 = '9223372036854775807';
const MAX_UINT64 = '18446744073709551615';
const any = (type: string, fields: object): object => ({ '@type': `type.googleapis.com/${type}`, ...fields });

/** JSON that is answered as it was sent. */
const CANONICAL: readonly (readonly [string, unknown])[] = [
  ['mapKeys.int32Keys', { '-2147483648': 1, '0': -1, '2147483647': MAX_INT32 }],
  ['mapKeys.int64Keys', { [MIN_INT64]: MIN_INT64, [MAX_INT64]: MAX_INT64 }],
  ['mapKeys.uint32Keys', { '0': 0, '4294967295': 4294967295 }],
  ['mapKeys.uint64Keys', { '0': '0', [MAX_UINT64]: MAX_UINT64 }],
  ['mapKeys.sint32Keys', { '-2147483648': -2147483648 }],
  ['mapKeys.sint64Keys', { [MIN_INT64]: MIN_INT64 }],
  ['mapKeys.fixed32Keys', { '4294967295': 4294967295 }],
  ['mapKeys.fixed64Keys', { [MAX_UINT64]: MAX_UINT64 }],
  ['mapKeys.sfixed32Keys', { '-1': -1 }],
  ['mapKeys.sfixed64Keys', { '-1': '-1' }],
  ['mapKeys.boolKeys', { true: false, false: true }],
  ['mapKeys.stringKeys', { '': 'empty', 'a/b~c': 'x', 'grüße 👋': '\u2028', constructor: 'c', '1': 'one' }],
  ['mapValues.doubleValues', { a: 'NaN', b: 'Infinity', c: '-Infinity', d: 1e300, e: 5e-324, f: 0 }],
  ['mapValues.floatValues', { a: 'NaN', b: 'Infinity', c: '-Infinity', d: 0.1, e: 3.4028235e38, f: 1.1754944e-38 }],
  ['mapValues.bytesValues', { a: '', b: '+/8=' }],
  ['mapValues.colorValues', { a: 'COLOR_UNSPECIFIED', b: 'COLOR_RED', c: 77, d: -1 }],
  ['mapValues.nestedValues', { a: {}, b: { name: 'n', deep: { id: '5' } } }],
  ['mapValues.timestampValues', { a: '0001-01-01T00:00:00Z', b: '9999-12-31T23:59:59.999999999Z' }],
  ['mapValues.durationValues', { a: '0s', b: '-0.000000001s' }],
  ['mapValues.maskValues', { a: '', b: 'x.yZ' }],
  ['mapValues.structValues', { a: {}, b: { c: null } }],
  ['mapValues.valueValues', { a: null, b: [null], c: 'x', d: false }],
  ['mapValues.listValueValues', { a: [], b: [[]] }],
  ['mapValues.anyValues', { a: {}, b: any('test.v1.Deep', { id: '1' }) }],
  ['mapValues.emptyValues', { a: {} }],
  ['mapValues.int64WrapperValues', { a: '0', b: MIN_INT64 }],
  ['mapValues.floatWrapperValues', { a: 0.1 }],
  ['mapValues.selfValues', { a: { selfValues: { b: {} } } }],
  ['lists.doubleList', [0, 'NaN', 'Infinity', '-Infinity', 1.7976931348623157e308, 5e-324, 1e21, 1e-7]],
  ['lists.floatList', [0, 'NaN', 'Infinity', '-Infinity', 3.4028235e38, 0.1, 0.3, 16777216, 123456.79, 1e-10]],
  ['lists.int32List', [0, -2147483648, MAX_INT32]],
  ['lists.int64List', ['0', MIN_INT64, MAX_INT64, '9007199254740993']],
  ['lists.uint32List', [0, 4294967295]],
  ['lists.uint64List', ['0', MAX_UINT64]],
  ['lists.sint32List', [-1, -2147483648]],
  ['lists.sint64List', ['-1', MIN_INT64]],
  ['lists.fixed32List', [4294967295]],
  ['lists.fixed64List', [MAX_UINT64]],
  ['lists.sfixed32List', [-2147483648]],
  ['lists.sfixed64List', [MIN_INT64]],
  ['lists.boolList', [true, false]],
  ['lists.stringList', ['', '\u0000', '"\\/\b\f\n\r\t', '\u2028', '👋🏽', '<script>']],
  ['lists.bytesList', ['', 'AA==', 'AAA=', 'AAAA', '+/+/']],
  ['lists.colorList', ['COLOR_UNSPECIFIED', 'COLOR_GREEN', 99]],
  ['lists.nestedList', [{}, { numbers: [1] }]],
  ['lists.timestampList', ['1970-01-01T00:00:00Z', '1969-12-31T23:59:59.999Z', '2024-02-29T12:00:00.123456Z']],
  ['lists.durationList', ['315576000000s', '-315576000000s', '0.500s', '-1.000001s']],
  ['lists.maskList', ['', 'a,b.cD']],
  ['lists.structList', [{}, { a: { b: [1, 'x', null, true] } }]],
  ['lists.valueList', [null, 0, '', false, [], {}]],
  ['lists.listValueList', [[], [null, [1]]]],
  ['lists.anyList', [{}, any('google.protobuf.Value', { value: null }), any('google.protobuf.Any', { value: any('google.protobuf.Duration', { value: '1s' }) })]],
  ['lists.emptyList', [{}, {}]],
  ['lists.doubleWrapperList', [0, 'NaN', 0.1]],
  ['lists.floatWrapperList', [0, '-Infinity', 0.1]],
  ['lists.int32WrapperList', [0, -1]],
  ['lists.int64WrapperList', ['0', MAX_INT64]],
  ['lists.uint32WrapperList', [4294967295]],
  ['lists.uint64WrapperList', [MAX_UINT64]],
  ['lists.boolWrapperList', [false, true]],
  ['lists.stringWrapperList', ['', 'x']],
  ['lists.bytesWrapperList', ['', 'AQ==']],
  ['lists.nullList', [null, null]],
  ['lists.unpackedList', [1, -1]],
  ['lists.unpackedColorList', ['COLOR_RED', 5]],
  ['optionals.maybeDouble', 0],
  ['optionals.maybeFloat', 0],
  ['optionals.maybeInt32', 0],
  ['optionals.maybeInt64', '0'],
  ['optionals.maybeUint32', 0],
  ['optionals.maybeUint64', '0'],
  ['optionals.maybeSint32', 0],
  ['optionals.maybeSint64', '0'],
  ['optionals.maybeFixed32', 0],
  ['optionals.maybeFixed64', '0'],
  ['optionals.maybeSfixed32', 0],
  ['optionals.maybeSfixed64', '0'],
  ['optionals.maybeBool', false],
  ['optionals.maybeString', ''],
  ['optionals.maybeBytes', ''],
  ['optionals.maybeColor', 'COLOR_UNSPECIFIED'],
  ['optionals.maybeNested', {}],
  ['choices.aDouble', 0],
  ['choices.aFloat', 0.1],
  ['choices.aInt32', 0],
  ['choices.aInt64', '0'],
  ['choices.aUint64', MAX_UINT64],
  ['choices.aBool', false],
  ['choices.aString', ''],
  ['choices.aBytes', ''],
  ['choices.aColor', 'COLOR_UNSPECIFIED'],
  ['choices.aNested', {}],
  ['choices.aSelf', { aSelf: { aString: 'deep' } }],
  ['choices.aTimestamp', '1970-01-01T00:00:00Z'],
  ['choices.aDuration', '0s'],
  ['choices.aMask', ''],
  ['choices.aStruct', {}],
  ['choices.aValue', null],
  ['choices.aListValue', []],
  ['choices.aAny', {}],
  ['choices.aEmpty', {}],
  ['choices.aInt64Wrapper', '0'],
  ['choices.aBoolWrapper', false],
  ['choices.aStringWrapper', ''],
  ['any', any('google.protobuf.Timestamp', { value: '2026-01-02T03:04:05Z' })],
  ['any', any('google.protobuf.Struct', { value: { a: [1, { b: null }] } })],
  ['any', any('google.protobuf.ListValue', { value: [1, 'x'] })],
  ['any', any('google.protobuf.FieldMask', { value: 'a.b,cD' })],
  ['any', any('google.protobuf.Int64Value', { value: '9007199254740993' })],
  ['any', any('google.protobuf.FloatValue', { value: 0.1 })],
  ['any', any('google.protobuf.BytesValue', { value: '+/8=' })],
  ['any', any('test.v1.AllKinds', { floatValue: 0.1, self: { any: any('test.v1.Lists', { floatList: [0.1] }) } })],
  ['names', { constructor: 'c', toString: ['t'], valueOf: { name: 'n' }, hasOwnProperty: { a: 'b' }, a1B2: 'x', nameTwice: 'y' }],
  ['self', { self: { self: { self: { struct: { a: 1 } } } } }],
]; // prettier-ignore

function nested(path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  return { [first]: rest.length === 0 ? value : nested(rest.join('.'), value) };
}

describe('canonical JSON', () => {
  it.each(CANONICAL)('of %s: %j', async (path, value) => {
    const message = nested(path, value);
    await expectCarried(JSON.stringify(message), message);
  });

  it.each([
    ['numbers as text', '{"int32Value":"-7","uint32Value":"4294967295","doubleValue":"1.5e2","floatValue":"0.1"}', { int32Value: -7, uint32Value: 4294967295, doubleValue: 150, floatValue: 0.1 }],
    ['whole numbers with a fraction of nothing, or an exponent', '{"int32Value":1.0,"sint32Value":-1e2,"fixed32Value":1E+1}', { int32Value: 1, sint32Value: -100, fixed32Value: 10 }],
    ['64 bits as numbers, to the last digit', '{"int64Value":-9223372036854775808,"uint64Value":18446744073709551615,"lists":{"int64List":[9007199254740993,1]},"mapKeys":{"int64Keys":{"1":9007199254740993}}}', { int64Value: MIN_INT64, uint64Value: MAX_UINT64, lists: { int64List: ['9007199254740993', '1'] }, mapKeys: { int64Keys: { '1': '9007199254740993' } } }],
    ['64 bits as numbers in an Any and a wrapper', '{"int64Wrapper":9007199254740993,"any":{"@type":"type.googleapis.com/test.v1.Deep","id":9007199254740993}}', { int64Wrapper: '9007199254740993', any: any('test.v1.Deep', { id: '9007199254740993' }) }],
    ['large numbers where JSON is free', '{"struct":{"a":123456789012345680000},"value":12345678901234567890}', { struct: { a: 123456789012345680000 }, value: 12345678901234567000 }],
    ['base64 of both alphabets, padded or not', '{"lists":{"bytesList":["-_8","+/8","-_8=","AA"]}}', { lists: { bytesList: ['+/8=', '+/8=', '+/8=', 'AA=='] } }],
    ['names of the proto', '{"int32_value":1,"renamed":"r","map_keys":{"string_keys":{"a_b":"c"}},"names":{"to_string":["t"]}}', { int32Value: 1, otherName: 'r', mapKeys: { stringKeys: { a_b: 'c' } }, names: { toString: ['t'] } }],
    ['enums by number', '{"color":2,"lists":{"colorList":[1,0]},"mapValues":{"colorValues":{"a":1}}}', { color: 'COLOR_GREEN', lists: { colorList: ['COLOR_RED', 'COLOR_UNSPECIFIED'] }, mapValues: { colorValues: { a: 'COLOR_RED' } } }],
    ['null for what is not set', '{"int32Value":null,"nested":null,"lists":{"int32List":null},"mapKeys":null,"timestamp":null,"int64Wrapper":null,"any":null,"struct":null,"maybe":null,"chosenText":null}', { lists: {} }],
    ['null for all members of a oneof but one', '{"choices":{"aNested":null,"aString":null,"aInt32":5,"aTimestamp":null}}', { choices: { aInt32: 5 } }],
    ['null where it is a value', '{"value":null,"choices":{"aValue":null}}', { value: null, choices: { aValue: null } }],
    ['times with an offset, and as many digits as they need', '{"lists":{"timestampList":["2026-01-01T01:30:00.5+01:30","2026-01-01T00:00:00.000000Z","2026-01-01T00:00:00.1200Z","2025-12-31T23:00:00-01:00"]}}', { lists: { timestampList: ['2026-01-01T00:00:00.500Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.120Z', '2026-01-01T00:00:00Z'] } }],
    ['durations of any precision', '{"lists":{"durationList":["1.5s","1.0000s","-0.1s","3.000000001s"]}}', { lists: { durationList: ['1.500s', '1s', '-0.100s', '3.000000001s'] } }],
    ['an Any without a prefix before its type', '{"any":{"id":"1","@type":"type.googleapis.com/test.v1.Deep"}}', { any: any('test.v1.Deep', { id: '1' }) }],
    ['escapes', '{"string\\u0056alue":"\\u0067r\\u00fc\\ud83d\\udc4b"}', { stringValue: 'grü👋' }],
  ])('takes %s', async (_, sent, canonical) => {
    await expectCarried(sent, canonical);
  }); // prettier-ignore

  it('says an enum of null as what it is', async () => {
    expect(
      (
        await post('{"nullValue":null,"optionals":{"maybeNull":"NULL_VALUE"},"choices":{"aNull":null}}')
      ).json(),
    ).toEqual({
      optionals: { maybeNull: null },
      choices: { aNull: null },
    });
  });
});

describe('what is not canonical JSON', () => {
  const deep = (open: string, inside: string, close: string): string =>
    open.repeat(100_000) + inside + close.repeat(100_000);

  it.each([
    ['lists', `{"value":${deep('[', '', ']')}}`],
    ['lists around half a character', `{"value":${deep('[', '"\\ud800"', ']')}}`],
    ['lists around many digits', `{"value":${deep('[', '12345678901234567890', ']')}}`],
    ['objects', `{"struct":${deep('{"a":', '1', '}')}}`],
    ['messages', deep('{"self":', '{}', '}')],
    ['messages in Any', `{"any":${deep('{"@type":"a/test.v1.AllKinds","any":', '{}', '}')}}`],
  ])('is refused when %s are nested a hundred thousand times', async (_, body) => {
    const answer = await post(body);
    const isTooLarge = body.length > 4 * 2 ** 20;
    expect([answer.status, await behind.kinds.peer.calls()]).toEqual([isTooLarge ? 413 : 400, []]);
  }); // prettier-ignore

  it.each([
    ['int32Value', ['1.5', '"1.5"', '"x"', '""', '" 1"', '"0x10"', '"0b1"', '"1_000"', 'true', '[]', '{}', '2147483648', '-2147483649', '1e400', '"NaN"', '12345678901234567890'], 'expected a whole number of 32 bits'],
    ['uint32Value', ['-1', '4294967296', '"-1"', '0.1'], 'expected a whole number of 32 bits, not negative'],
    ['sint32Value', ['2147483648', '"x"'], 'expected a whole number of 32 bits'],
    ['fixed32Value', ['-1', '4294967296'], 'expected a whole number of 32 bits, not negative'],
    ['sfixed32Value', ['-2147483649'], 'expected a whole number of 32 bits'],
    ['int64Value', ['1.5', '"1.5"', '" 1"', '"1 "', '"0x10"', '""', '"9223372036854775808"', '9223372036854775808', '-9223372036854775809', '1e19', 'true'], 'expected a whole number of 64 bits'],
    ['uint64Value', ['-1', '"-1"', '18446744073709551616', '"18446744073709551616"'], 'expected a whole number of 64 bits, not negative'],
    ['sint64Value', ['"9223372036854775808"'], 'expected a whole number of 64 bits'],
    ['fixed64Value', ['-1'], 'expected a whole number of 64 bits, not negative'],
    ['sfixed64Value', ['"-9223372036854775809"'], 'expected a whole number of 64 bits'],
    ['doubleValue', ['1e400', '-1e400', '"1e400"', '"nan"', '"inf"', '"+Infinity"', '"0x10"', '" 1"', '""', 'true', '[]'], 'expected a number'],
    ['floatValue', ['3.5e38', '-3.5e38', '"3.5e38"', '"x"'], 'expected a number of 32 bits'],
    ['boolValue', ['"true"', '1', '0', '"1"', '""', '{}'], 'expected true or false'],
    ['stringValue', ['1', 'true', '[]', '"\\ud800"', '"a\\udc00"', '12345678901234567890'], 'expected text'],
    ['bytesValue', ['"A"', '"*"', '"A==="', '"AA==AA=="', '1', '12345678901234567890'], 'expected base64'],
    ['color', ['"BLUE"', '"color_red"', '1.5', '""', 'true', '2147483648', '12345678901234567890'], 'expected one of COLOR_UNSPECIFIED, COLOR_RED, COLOR_GREEN'],
    ['nested', ['[]', '1', '"x"', 'true'], 'expected an object'],
    ['counts', ['[]', '1', '"x"'], 'expected an object'],
    ['int32List', ['1', '{}', '"x"'], 'expected a list'],
    ['timestamp', ['"2026-02-29T00:00:00Z"', '"2026-04-31T00:00:00Z"', '"2026-13-01T00:00:00Z"', '"2026-00-01T00:00:00Z"', '"2026-01-01T24:00:00Z"', '"2026-01-01T00:60:00Z"', '"2026-01-01T23:59:60Z"', '"0000-12-31T23:59:59Z"', '"9999-12-31T23:59:59-00:01"', '"0001-01-01T00:00:00+00:01"', '"2026-01-01T00:00:00"', '"2026-01-01t00:00:00z"', '"2026-01-01 00:00:00Z"', '"2026-01-01T00:00:00.1234567890Z"', '"2026-01-01T00:00:00+24:00"', '"2026-01-01"', '" 2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00Z "', '1', '{"seconds":"1"}', '""'], 'expected a time, such as 2026-01-31T12:00:00Z'],
    ['duration', ['"1"', '"s"', '"1sx"', '"1s "', '".5s"', '"1.s"', '"1.1234567890s"', '"315576000001s"', '"-315576000001s"', '"1e2s"', '1', '{"seconds":"1"}', '""'], 'expected a duration in seconds, such as 1.5s'],
    ['mask', ['"a_b"', '1', '["a"]'], 'expected names of fields, separated by commas'],
    ['struct', ['1', '[]', '"x"'], 'expected an object'],
    ['listValue', ['{}', '1'], 'expected a list'],
    ['empty', ['[]', '1'], 'expected an object'],
    ['int32Wrapper', ['{"value":1}', '"x"', '1.5'], 'expected a whole number of 32 bits'],
    ['int64Wrapper', ['"0x1"', '18446744073709551616'], 'expected a whole number of 64 bits'],
    ['boolWrapper', ['"true"'], 'expected true or false'],
    ['bytesWrapper', ['"*"'], 'expected base64'],
    ['any', ['{"@type":"type.googleapis.com/no.Such"}', '{"@type":""}', '{"@type":1}', '{"id":"1"}', '[]', '"x"'], 'expected an object with an "@type" that is known'],
  ] as const)('is refused in %s: %j', async (field, values, message) => {
    for (const value of values) await expectRefused(await post(`{"${field}":${value}}`), `/${field}`, message);
  }); // prettier-ignore

  it.each([
    ['{"nested":{"deep":{"id":"x"}}}', '/nested/deep/id', 'expected a whole number of 64 bits'],
    ['{"self":{"self":{"self":{"boolValue":1}}}}', '/self/self/self/boolValue', 'expected true or false'],
    ['{"lists":{"int64List":["1",null]}}', '/lists/int64List/1', 'expected a whole number of 64 bits'],
    ['{"lists":{"nestedList":[{},{"name":1}]}}', '/lists/nestedList/1/name', 'expected text'],
    ['{"lists":{"timestampList":["1970-01-01T00:00:00Z","x"]}}', '/lists/timestampList/1', 'expected a time, such as 2026-01-31T12:00:00Z'],
    ['{"lists":{"boolWrapperList":[true,null]}}', '/lists/boolWrapperList/1', 'expected true or false'],
    ['{"lists":{"anyList":[{},{"@type":"type.googleapis.com/test.v1.Nested","deep":{"id":"x"}}]}}', '/lists/anyList/1/deep/id', 'expected a whole number of 64 bits'],
    ['{"any":{"@type":"type.googleapis.com/test.v1.Deep","stranger":1}}', '/any/stranger', 'is not known here'],
    ['{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"x"}}', '/any/value', 'expected a duration in seconds, such as 1.5s'],
    ['{"any":{"@type":"type.googleapis.com/google.protobuf.Duration"}}', '/any/value', 'expected a duration in seconds, such as 1.5s'],
    ['{"any":{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"x"}}}', '/any/value', 'expected an object with an "@type" that is known'],
    ['{"mapKeys":{"int32Keys":{"x":1}}}', '/mapKeys/int32Keys/x', 'expected a whole number of 32 bits as the key'],
    ['{"mapKeys":{"int32Keys":{"2147483648":1}}}', '/mapKeys/int32Keys/2147483648', 'expected a whole number of 32 bits as the key'],
    ['{"mapKeys":{"int32Keys":{"1.0":1}}}', '/mapKeys/int32Keys/1.0', 'expected a whole number of 32 bits as the key'],
    ['{"mapKeys":{"int64Keys":{" 1":1}}}', '/mapKeys/int64Keys/ 1', 'expected a whole number of 64 bits as the key'],
    ['{"mapKeys":{"int64Keys":{"0x1":1}}}', '/mapKeys/int64Keys/0x1', 'expected a whole number of 64 bits as the key'],
    ['{"mapKeys":{"uint64Keys":{"-1":1}}}', '/mapKeys/uint64Keys/-1', 'expected a whole number of 64 bits, not negative as the key'],
    ['{"mapKeys":{"boolKeys":{"1":true}}}', '/mapKeys/boolKeys/1', 'expected true or false as the key'],
    ['{"mapKeys":{"int32Keys":{"1":"x"}}}', '/mapKeys/int32Keys/1', 'expected a whole number of 32 bits'],
    ['{"mapKeys":{"int32Keys":{"1":1,"01":1}}}', '/mapKeys/int32Keys', 'expected each key once'],
    ['{"mapValues":{"nestedValues":{"a/b":{"name":1}}}}', '/mapValues/nestedValues/a~1b/name', 'expected text'],
    ['{"mapValues":{"colorValues":{"~":"X"}}}', '/mapValues/colorValues/~0', 'expected one of COLOR_UNSPECIFIED, COLOR_RED, COLOR_GREEN'],
    ['{"mapValues":{"timestampValues":{"a":null}}}', '/mapValues/timestampValues/a', 'expected a time, such as 2026-01-31T12:00:00Z'],
    ['{"choices":{"aInt32":1,"aValue":null}}', '/choices/aValue', undefined],
    ['{"self":{"chosenText":"a","chosenNested":{}}}', '/self/chosenNested', 'expected one of chosenText, chosenNumber, chosenNested at most'],
    ['{"otherName":"a","renamed":"b"}', '/renamed', 'expected once, in one of its two spellings'],
    ['{"int32Value":1,"int32Value":2}', '/int32Value', 'expected each name once'],
    ['{"nestedList":[{},{"name":"a","\\u006eame":"b"}]}', '/nestedList/1/name', 'expected each name once'],
    ['{"struct":{"a":[1,{"b":1,"b":"\\\\\\""}]}}', '/struct/a/1/b', 'expected each name once'],
    ['{"names":{"constructor":1}}', '/names/constructor', 'expected text'],
    ['{"names":{"__proto__":"x"}}', '/names/__proto__', 'is not known here'],
    ['{"__proto__":{"x":1}}', '/__proto__', 'is not known here'],
    ['{"nested":{"Name":"case"}}', '/nested/Name', 'is not known here'],
    ['{"value":["\\ud800"]}', '/value/0', 'expected text'],
    ['{"mask":"\\udc00"}', '/mask', 'expected text'],
    ['{"struct":{"\\ud83d":1}}', '/struct', 'expected text'],
    ['[]', '', 'expected an object'],
    ['null', '', 'expected an object'],
    ['1', '', 'expected an object'],
    ['{"a":1', '', 'expected JSON in UTF-8'],
    ["{'a':1}", '', 'expected JSON in UTF-8'],
    ['{"int32Value":NaN}', '', 'expected JSON in UTF-8'],
    ['{"int32Value":01}', '', 'expected JSON in UTF-8'],
    ['{"int32Value":1,}', '', 'expected JSON in UTF-8'],
  ] as [string, string, string | undefined][])('is refused: %s', async (body, pointer, message) => {
    await expectRefused(await post(body), pointer, message);
  }); // prettier-ignore
});
