import { describe, expect, it } from '@jest/globals';
import { byAge, jsonOf, listOf, resourceOf, titleOf, wordsOf } from './resource.ts';

describe('resourceOf', () => {
  it('reads what all kinds have, and leaves out what the cluster keeps for itself', () => {
    const metadata = {
      name: 'a',
      namespace: 'b',
      generation: 3,
      resourceVersion: '7',
      labels: { x: '1', y: 2 },
      managedFields: [{}],
    };
    const read = resourceOf('Secret', { metadata, data: { k: 'v' } });
    expect(read).toMatchObject({
      name: 'a',
      namespace: 'b',
      generation: 3,
      version: '7',
      labels: { x: '1' },
      spec: {},
      whole: { data: { k: 'v' } },
    });
    expect(JSON.stringify(read)).not.toContain('managedFields');
  });

  it.each([null, 'text', [], { metadata: 7, spec: [] }])(
    'takes %j for an object without anything',
    (value) => {
      expect(resourceOf('X', value)).toMatchObject({
        name: '',
        namespace: '',
        generation: 0,
        spec: {},
        labels: {},
      });
    },
  );
});

describe('byAge', () => {
  it('has the older first, then goes by name', () => {
    const of = (name: string, creationTimestamp: string) =>
      resourceOf('X', { metadata: { name, creationTimestamp } });
    const all = [
      of('c', '2026-01-02T00:00:00Z'),
      of('b', '2026-01-01T00:00:00Z'),
      of('a', '2026-01-02T00:00:00Z'),
    ];
    expect(all.toSorted(byAge).map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  });
});

describe('what of JSON is known', () => {
  it('is empty where it is something else', () => {
    expect([jsonOf([]), listOf({}), wordsOf(['a', 1, null]), listOf([1])]).toEqual([{}, [], ['a'], [{}]]);
    expect(titleOf({ kind: 'GatewayClass', namespace: '', name: 'a' })).toBe('GatewayClass a');
  });
});
