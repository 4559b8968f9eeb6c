import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call, type Answer } from '../support/client.ts';
import type { TestGateway } from '../support/gateway.ts';
import type { Invalid } from '../support/kinds-gateway.ts';
import { usePeerGateway } from '../support/peer-gateway.ts';

/** What paths, queries and bodies may hold, and what is picked of answers; a service in Python tells what it got. */
const behind = usePeerGateway({ services: ['Kinds', 'Shapes'] });

const JSON_TYPE = { 'content-type': 'application/json' };

const get = (path: string, url = behind.kinds.url): Promise<Answer> => call(url + path);
const post = (path: string, body: string, url = behind.kinds.url): Promise<Answer> =>
  call(url + path, { method: 'POST', headers: JSON_TYPE, body });

async function expectRefused(answer: Answer, fault: Partial<Invalid['errors'][number]>): Promise<void> {
  const problem = answer.json<Invalid>();
  expect([answer.status, problem.code]).toEqual([400, 'request-invalid']);
  expect(problem.errors[0]).toEqual({ message: expect.any(String), ...fault });
  expect(await behind.kinds.peer.calls()).toEqual([]);
}

describe('a path', () => {
  it.each([
    ['/test/numbers/-7/4294967295/-9223372036854775808/18446744073709551615/-1.5e3/0.1', { int32Value: -7, uint32Value: 4294967295, sint64Value: '-9223372036854775808', fixed64Value: '18446744073709551615', doubleValue: -1500, floatValue: 0.1 }],
    ['/test/numbers/1/0/0/9007199254740993/NaN/-Infinity', { int32Value: 1, fixed64Value: '9007199254740993', doubleValue: 'NaN', floatValue: '-Infinity' }],
    ['/test/texts/true/-_8/1.5s/a,b.cD', { boolValue: true, bytesValue: '+/8=', duration: '1.500s', mask: 'a,b.cD' }],
    ['/test/texts/0/AA==/0s/a', { bytesValue: 'AA==', duration: '0s', mask: 'a' }],
    ['/test/wrapped/0/%20/false/AQ', { int64Wrapper: '0', stringWrapper: ' ', boolWrapper: false, bytesWrapper: 'AQ==' }],
    ['/test/optional/0/0', { maybe: 0, chosenNumber: '0' }],
    ['/test/self/gr%C3%BC%C3%9Fe%20%26%3F/5', { self: { self: { stringValue: 'grüße &?' }, nested: { deep: { id: '5' } } } }],
    ['/test/wild/anything/a/x/b/c/d', { stringValue: 'a/x/b/c/d' }],
    ['/test/wild/anything/a/%7Bx%7D/b/c%20d', { stringValue: 'a/{x}/b/c d' }],
  ])('%s fills its fields', async (path, expected) => {
    const answer = await get(path);
    expect([answer.status, answer.json()]).toEqual([200, expected]);
    expect(await behind.kinds.understood()).toEqual(expected);
  }); // prettier-ignore

  it.each([
    ['/test/numbers/x/0/0/0/0/0', 'int32_value', '/int32Value'],
    ['/test/numbers/2147483648/0/0/0/0/0', 'int32_value', '/int32Value'],
    ['/test/numbers/0/-1/0/0/0/0', 'uint32_value', '/uint32Value'],
    ['/test/numbers/0/0/9223372036854775808/0/0/0', 'sint64_value', '/sint64Value'],
    ['/test/numbers/0/0/0/0x10/0/0', 'fixed64_value', '/fixed64Value'],
    ['/test/numbers/0/0/0/0/nan/0', 'double_value', '/doubleValue'],
    ['/test/numbers/0/0/0/0/0/1e39', 'float_value', '/floatValue'],
    ['/test/texts/yes/AA/1s/a', 'bool_value', '/boolValue'],
    ['/test/texts/true/*/1s/a', 'bytes_value', '/bytesValue'],
    ['/test/texts/true/AA/1/a', 'duration', '/duration'],
    ['/test/texts/true/AA/1s/a_b', 'mask', '/mask'],
    ['/test/wrapped/x/a/true/AA', 'int64_wrapper', '/int64Wrapper'],
    ['/test/optional/x/0', 'maybe', '/maybe'],
    ['/test/self/a/x', 'self.nested.deep.id', '/self/nested/deep/id'],
  ])('%s is refused', async (path, parameter, pointer) => {
    await expectRefused(await get(path), { parameter, pointer });
  });

  it('refuses a body that has something else where the path leads', async () => {
    const put = (body: string): Promise<Answer> =>
      call(`${behind.kinds.url}/test/nested/a/7`, { method: 'PUT', headers: JSON_TYPE, body });
    await expectRefused(await put('{"nested":5}'), { pointer: '/nested' });
    await expectRefused(await put('{"nested":{"deep":[]}}'), { pointer: '/nested/deep' });
    expect((await put('{"nested":null}')).json()).toEqual({ nested: { name: 'a', deep: { id: '7' } } });
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'may be for any method: %s',
    async (method) => {
      expect((await call(`${behind.kinds.url}/test/any-method/x`, { method })).json()).toEqual({
        stringValue: 'x',
      });
    },
  );
});

describe('a query', () => {
  it.each([
    ['doubleValue=-1.5e-3&floatValue=.5', { doubleValue: -0.0015, floatValue: 0.5 }],
    ['doubleValue=1e+2&floatValue=1e%2B2', { doubleValue: 100, floatValue: 100 }],
    ['uint32Value=4294967295&uint64Value=18446744073709551615', { uint32Value: 4294967295, uint64Value: '18446744073709551615' }],
    ['sint32Value=-1&sint64Value=-9223372036854775808', { sint32Value: -1, sint64Value: '-9223372036854775808' }],
    ['fixed32Value=1&fixed64Value=2&sfixed32Value=-3&sfixed64Value=-4', { fixed32Value: 1, fixed64Value: '2', sfixed32Value: -3, sfixed64Value: '-4' }],
    ['int32Value=007', { int32Value: 7 }],
    ['timestamp=2026-01-01T01:00:00+01:00', { timestamp: '2026-01-01T00:00:00Z' }],
    ['timestamp=2026-01-01T01%3A00%3A00%2B01%3A00', { timestamp: '2026-01-01T00:00:00Z' }],
    ['doubleWrapper=0&floatWrapper=0.1&uint32Wrapper=5&uint64Wrapper=18446744073709551615', { doubleWrapper: 0, floatWrapper: 0.1, uint32Wrapper: 5, uint64Wrapper: '18446744073709551615' }],
    ['lists.doubleList=1&lists.doubleList=NaN&lists.boolList=true&lists.boolList=0', { lists: { doubleList: [1, 'NaN'], boolList: [true, false] } }],
    ['lists.bytesList=-_8&lists.bytesList=', { lists: { bytesList: ['+/8=', ''] } }],
    ['lists.durationList=1s&lists.maskList=a,b&lists.int64WrapperList=0', { lists: { durationList: ['1s'], maskList: ['a,b'], int64WrapperList: ['0'] } }],
    ['lists.unpacked_list=1&lists.unpackedList=2', { lists: { unpackedList: [1, 2] } }],
    ['optionals.maybeString=&optionals.maybeColor=0&optionals.maybeBool=false', { optionals: { maybeString: '', maybeColor: 'COLOR_UNSPECIFIED', maybeBool: false } }],
    ['choices.aNested.deep.id=5', { choices: { aNested: { deep: { id: '5' } } } }],
    ['self.self.self.stringValue=deep', { self: { self: { self: { stringValue: 'deep' } } } }],
    ['names.constructor=a&names.toString=b&names.to_string=c&names.valueOf.name=d', { names: { constructor: 'a', toString: ['b', 'c'], valueOf: { name: 'd' } } }],
    ['stringValue=%F0%9F%91%8B%26%3D%2B+%25', { stringValue: '👋&=+ %' }],
    ['stringValue', {}],
    ['&&stringValue=a=b&', { stringValue: 'a=b' }],
    ['', {}],
  ])('?%s fills the message', async (query, expected) => {
    const answer = await get(`/test/shapes?${query}`);
    expect([answer.status, answer.json()]).toEqual([200, expected]);
    expect(await behind.kinds.understood()).toEqual(expected);
  }); // prettier-ignore

  it.each([
    ['uint32Value=-1', '/uint32Value'],
    ['uint64Value=18446744073709551616', '/uint64Value'],
    ['int32Value=1.0', '/int32Value'],
    ['int32Value=%201', '/int32Value'],
    ['doubleValue=0x10', '/doubleValue'],
    ['doubleValue=1e400', '/doubleValue'],
    ['floatValue=1e39', '/floatValue'],
    ['boolValue=TRUE', '/boolValue'],
    ['bytesValue=A', '/bytesValue'],
    ['color=red', '/color'],
    ['timestamp=2026-02-30T00:00:00Z', '/timestamp'],
    ['duration=1sx', '/duration'],
    ['mask=a_b', '/mask'],
    ['int64Wrapper=x', '/int64Wrapper'],
    ['lists.int32List=1&lists.int32List=x', '/lists/int32List'],
    ['lists.timestampList=1970-01-01T00:00:00Z&lists.timestampList=x', '/lists/timestampList/1'],
    ['names.constructor=a&names.constructor=b', '/names/constructor'],
    ['choices.aInt32=1&choices.aInt64=2', '/choices/aInt64'],
    ['struct=%7B%7D', '/struct'],
    ['struct.a=1', ''],
    ['value=1', '/value'],
    ['any=x', '/any'],
    ['listValue=1', '/listValue'],
    ['empty=', '/empty'],
    ['counts.a=1', ''],
    ['lists.nestedList=1', '/lists/nestedList'],
    ['self=1', '/self'],
    ['constructor=1', ''],
    ['names.__proto__=1', ''],
    ['.=1', ''],
    ['=1', ''],
    ['stringValue=%FF', ''],
    ['stringValue=%zz', ''],
    [`${'self.'.repeat(300)}int32Value=1`, undefined],
  ])('?%s is refused', async (query, pointer) => {
    const answer = await get(`/test/shapes?${query}`);
    const problem = answer.json<Invalid>();
    expect([answer.status, problem.code]).toEqual([400, 'request-invalid']);
    if (pointer !== undefined) expect(problem.errors[0]?.pointer).toBe(pointer);
    expect(await behind.kinds.peer.calls()).toEqual([]);
  });
});

describe('a body of one field', () => {
  it.each([
    ['string', '"x"', { stringValue: 'x' }],
    ['int64', '"-5"', { int64Value: '-5' }],
    ['int64', '9007199254740993', { int64Value: '9007199254740993' }],
    ['bytes', '"-_8"', { bytesValue: '+/8=' }],
    ['color', '"COLOR_RED"', { color: 'COLOR_RED' }],
    ['color', '2', { color: 'COLOR_GREEN' }],
    ['counts', '{"a":"1"}', { counts: { a: '1' } }],
    ['nested_list', '[{},{"name":"n"}]', { nestedList: [{}, { name: 'n' }] }],
    ['timestamp', '"2026-01-01T00:00:00Z"', { timestamp: '2026-01-01T00:00:00Z' }],
    ['value', 'null', { value: null }],
    ['value', '[1,{"a":"b"}]', { value: [1, { a: 'b' }] }],
    ['struct', '{"a":[null]}', { struct: { a: [null] } }],
    ['any', '{"@type":"type.googleapis.com/test.v1.Deep","id":9007199254740993}', { any: { '@type': 'type.googleapis.com/test.v1.Deep', id: '9007199254740993' } }],
    ['int64_wrapper', '9007199254740993', { int64Wrapper: '9007199254740993' }],
    ['int64_wrapper', '"0"', { int64Wrapper: '0' }],
    ['string', 'null', {}],
    ['string', '', {}],
  ])('fills it: %s %s', async (field, body, expected) => {
    const answer = await post(`/test/body/${field}`, body);
    expect([answer.status, answer.json()]).toEqual([200, expected]);
    expect(await behind.kinds.understood()).toEqual(expected);
  }); // prettier-ignore

  it.each([
    ['string', '1', ''],
    ['int64', '"x"', ''],
    ['int64', '9223372036854775808', ''],
    ['bytes', '"*"', ''],
    ['color', '"BLUE"', ''],
    ['counts', '{"a":"x"}', '/a'],
    ['counts', '[]', ''],
    ['nested_list', '[{},{"name":1}]', '/1/name'],
    ['nested_list', '{}', ''],
    ['timestamp', '"x"', ''],
    ['struct', '[]', ''],
    ['struct', '{"a":1,"a":2}', '/a'],
    ['any', '{"@type":"type.googleapis.com/test.v1.Deep","id":"x"}', '/id'],
    ['int64_wrapper', '{"value":"1"}', ''],
  ])('is refused where it is wrong: %s %s', async (field, body, pointer) => {
    await expectRefused(await post(`/test/body/${field}`, body), { pointer });
  });

  it('leaves the other fields to the query', async () => {
    const answer = await post('/test/body/string?int32Value=5&nested.name=n', '"x"');
    expect(answer.json()).toEqual({ stringValue: 'x', int32Value: 5, nested: { name: 'n' } });
    const fault = {
      pointer: '/stringValue',
      parameter: 'stringValue',
      message: 'is said by the path or the body',
    };
    await behind.kinds.peer.behave();
    await expectRefused(await post('/test/body/string?stringValue=y', '"x"'), fault);
  });

  it('may be the whole message, whose JSON is no object', async () => {
    expect((await post('/test/weigh', '9007199254740993')).json()).toBe('9007199254740993');
    expect(await behind.kinds.understood('google.protobuf.Int64Value')).toBe('9007199254740993');
    await behind.kinds.peer.behave();
    await expectRefused(await post('/test/weigh', '{"value":"1"}'), { pointer: '' });
  });
});

describe('one field of an answer', () => {
  it.each([
    ['int64', { int64Value: '9007199254740993' }, '9007199254740993'],
    ['int64', {}, '0'],
    ['bytes', { bytesValue: '+/8=' }, '+/8='],
    ['bytes', {}, ''],
    ['color', { color: 'COLOR_RED' }, 'COLOR_RED'],
    ['color', { color: 77 }, 77],
    ['color', {}, 'COLOR_UNSPECIFIED'],
    ['maybe', { maybe: 0 }, 0],
    ['maybe', {}, null],
    ['chosen', { chosenText: '' }, ''],
    ['chosen', { chosenNumber: '1' }, null],
    ['counts', { counts: { a: '1' } }, { a: '1' }],
    ['counts', {}, {}],
    ['timestamp', { timestamp: '2026-01-01T00:00:00Z' }, '2026-01-01T00:00:00Z'],
    ['timestamp', {}, null],
    ['value', { value: [1] }, [1]],
    ['any', { any: { '@type': 'type.googleapis.com/google.protobuf.FloatValue', value: 0.1 } }, { '@type': 'type.googleapis.com/google.protobuf.FloatValue', value: 0.1 }],
    ['renamed', { otherName: 'r' }, 'r'],
    ['renamed', {}, ''],
  ])('is answered alone: %s of %j', async (field, message, expected) => {
    const answer = await post(`/test/take/${field}`, JSON.stringify(message));
    expect([answer.status, answer.json()]).toEqual([200, expected]);
  }); // prettier-ignore
});

describe('a route that ignores what it does not know', () => {
  let lenient: TestGateway;
  beforeAll(async () => {
    lenient = await behind.kinds.another({ grpc: 'unknownFields: ignore' });
  });
  afterAll(() => lenient.stop());

  it.each([
    ['{"stranger":1,"int32Value":1}', { int32Value: 1 }],
    ['{"nested":{"stranger":{"a":[1]},"name":"n"}}', { nested: { name: 'n' } }],
    ['{"nestedList":[{"stranger":1},{"name":"n"}]}', { nestedList: [{}, { name: 'n' }] }],
    ['{"any":{"@type":"type.googleapis.com/test.v1.Deep","stranger":1,"id":"1"}}', { any: { '@type': 'type.googleapis.com/test.v1.Deep', id: '1' } }],
    ['{"color":"COLOR_BLUE","colorList":["COLOR_BLUE","COLOR_RED"],"colorMap":{"true":"COLOR_BLUE","false":"COLOR_RED"}}', { colorList: ['COLOR_RED'], colorMap: { false: 'COLOR_RED' } }],
  ])('takes %s', async (body, expected) => {
    const answer = await post('/test/echo', body, lenient.url);
    expect([answer.status, answer.json()]).toEqual([200, expected]);
    expect(await behind.kinds.understood()).toEqual(expected);
  }); // prettier-ignore

  it.each([
    ['{"stranger":1,"int32Value":"x"}', '/int32Value'],
    ['{"nested":{"stranger":1,"name":1}}', '/nested/name'],
    ['{"stranger":1,"stranger":2}', '/stranger'],
    ['{"color":1.5}', '/color'],
  ])('still refuses what is wrong: %s', async (body, pointer) => {
    await expectRefused(await post('/test/echo', body, lenient.url), { pointer });
  });

  it('passes over parameters, but not over wrong values', async () => {
    const answer = await get('/test/shapes?stranger=1&nested.stranger=2&nested=3&int32Value=1', lenient.url);
    expect(answer.json()).toEqual({ int32Value: 1 });
    expect((await get('/test/shapes?int32Value=x', lenient.url)).status).toBe(400);
  });
});
