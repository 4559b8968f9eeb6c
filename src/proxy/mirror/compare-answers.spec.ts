import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { compareAnswers } from './compare-answers.ts';
import { HeardAnswer } from './heard-answer.ts';
import { IgnoredPlaces } from './ignored-places.ts';

const MAX_BYTES = 4096;

interface Said {
  readonly status?: number;
  readonly type?: string;
  readonly coding?: string;
}

function heard(body: string | Buffer, { status = 200, type = 'application/json', coding }: Said = {}) {
  const answer = new HeardAnswer(MAX_BYTES);
  answer.begin(status, ['Content-Type', type, ...(coding === undefined ? [] : ['content-encoding', coding])]);
  answer.data(Buffer.from(body));
  return answer;
}

const compare = async (one: HeardAnswer, other: HeardAnswer, ignore: string[] = []) => {
  const found = await compareAnswers(one, other, {
    ignored: IgnoredPlaces.of(ignore),
    maxBytes: MAX_BYTES,
  });
  return found && Object.fromEntries(found);
};

const json = (one: string, other: string, ignore?: string[]) => compare(heard(one), heard(other), ignore);

describe('compareAnswers', () => {
  it.each([
    ['the order of members', '{"a":1,"b":[{"c":2,"d":3}]}', '{"b":[{"d":3,"c":2}],"a":1}'],
    ['space', '[1,2]', ' [ 1 , 2 ]\n'],
    [
      'how a number is written',
      '[1.0,100,-0,1.50e-3,12345678901234567890.0]',
      '[1,1e2,0,0.0015,12345678901234567890]',
    ],
    ['escapes', '"\\u00e4/"', '"ä\\/"'],
    ['a name of every object', '{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
  ])('takes %s for no difference', async (_, one, other) => {
    expect(await json(one, other)).toEqual({});
  });

  it.each([
    ['9007199254740993', '9007199254740992', { value: ['/'] }],
    ['[0.1]', '[0.10000000000000001]', { value: ['/*'] }],
    ['1e400', '1e401', { value: ['/'] }],
    ['{"a":{"b":1}}', '{"a":{}}', { missing: ['/a/b'] }],
    ['{"a":{}}', '{"a":{"b":1}}', { added: ['/a/b'] }],
    ['{"toString":1}', '{}', { missing: ['/toString'] }],
    ['{"__proto__":1}', '{}', { missing: ['/__proto__'] }],
    ['{"a":"1"}', '{"a":1}', { type: ['/a'] }],
    ['{"a":null}', '{"a":{}}', { type: ['/a'] }],
    ['{"a":[]}', '{"a":{}}', { type: ['/a'] }],
    ['[[1],[2]]', '[[1],[2,3]]', { length: ['/*'] }],
    ['{"b":true,"c":"x","d":[1]}', '{"b":false,"c":"y","d":1}', { value: ['/b', '/c'], type: ['/d'] }],
  ])('tells %s from %s', async (one, other, found) => {
    expect(await json(one, other)).toEqual(found);
  });

  it('shows no names that may be data, and five paths at most', async () => {
    const one = { 'anna@example.com': 1, 4711: 1, 'a b': 1, user_name: 1, x7f3a99b2: 1, more: 1 };
    const found = await json(JSON.stringify(one), '{}');
    expect(found).toEqual({ missing: ['/*', '/*', '/*', '/user_name', '/*'] });
  });

  it('leaves out what is ignored, with what is below, and nothing else', async () => {
    const one = '{"at":1,"items":[{"at":1,"n":1},{"at":2,"n":1}],"a/b":1,"~":1,"*":1,"gone":{"x":1}}';
    const other = '{"at":2,"items":[{"at":3,"n":1},{"at":4,"n":1}],"a/b":2,"~":2,"*":2,"come":1}';
    const ignore = ['/at', '/items/*/at', '/a~1b', '/~0', '/gone', '/come'];
    expect(await json(one, other, ignore)).toEqual({ value: ['/*'] });
    expect(await json('[[1,2]]', '[[3,2]]', ['/0/0'])).toEqual({});
    expect(await json('[[1,2]]', '[[1,3]]', ['/0/0'])).toEqual({ value: ['/*/*'] });
  });

  it('compares the status first, and no body when that differs', async () => {
    expect(await compare(heard('1'), heard('2', { status: 500 }))).toEqual({ status: [] });
  });

  it('compares what is coded, one way or the other', async () => {
    const gzip = heard(gzipSync('{"a":1}'), { coding: 'gzip' });
    expect(await compare(gzip, heard('{"a":2}'))).toEqual({ value: ['/a'] });
  });

  it.each([
    ['no JSON', () => heard('a', { type: 'text/html' }), undefined],
    ['of different types', () => heard('a', { type: 'text/html' }), { 'content-type': [] }, () => heard('1')],
    ['broken on one side', () => heard('{"a":'), { unreadable: [] }, () => heard('1')],
    ['broken on both sides', () => heard('{"a":'), undefined],
    ['nested too deep', () => heard('['.repeat(129) + ']'.repeat(129)), undefined],
    ['of a coding nobody knows', () => heard('1', { coding: 'gzip, br' }), undefined],
    [
      'larger when decoded',
      () => heard(gzipSync(' '.repeat(MAX_BYTES) + '1'), { coding: 'gzip' }),
      undefined,
    ],
    ['one byte too large', () => heard('1'.padEnd(MAX_BYTES + 1)), undefined],
    ['as large as may be', () => heard('1'.padEnd(MAX_BYTES)), {}],
    ['empty', () => heard('', { status: 204 }), {}],
  ] as const)('says of bodies that are %s what it can', async (_, one, found, other = one) => {
    expect(await compare(one(), other())).toEqual(found);
  });

  it('takes no time for numbers that are long', async () => {
    const long = (end: string): string => `1${'0'.repeat(4000)}${end}`;
    expect(await json(long('1'), long('2'))).toEqual({ value: ['/'] });
    expect(await json(`1e${'9'.repeat(4000)}`, `1e${'9'.repeat(3999)}`)).toEqual({ value: ['/'] });
  });
});
