import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../telemetry/metrics.ts';
import { describeChanges, type ListedChanges } from './changes-page.ts';

const { changes } = new Metrics();
beforeEach(() => {
  changes.note({ kind: 'start', text: 'first' });
  changes.note({ kind: 'reload', text: 'second' });
});

const textsOf = (query: object): unknown =>
  (describeChanges(changes, query) as ListedChanges).rows.map(({ text }) => text);

describe('the time line', () => {
  it('has the latest first, of a kind and as many as are asked for', () => {
    expect(textsOf({ limit: '2' })).toEqual(['second', 'first']);
    expect(textsOf({ kind: 'start', limit: '1' })).toEqual(['first']);
    expect(textsOf({ since: '2999-01-01T00:00:00Z' })).toEqual([]);
    expect(textsOf({ since: '1h', limit: '1' })).toEqual(['second']);
  });

  it.each<[string, object]>([
    ['a time that is none', { since: 'yesterday' }],
    ['a kind that is none', { kind: 'nothing' }],
    ['no rows', { limit: '0' }],
    ['another key', { sinc: '1h' }],
  ])('says what is wrong with %s', (_what, query) => {
    expect(describeChanges(changes, query)).toEqual({
      error: expect.stringContaining(Object.keys(query)[0] as string),
    });
  });
});
