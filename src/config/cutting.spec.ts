import { describe, expect, it } from '@jest/globals';
import { Cutting } from './cutting.ts';

const WHOLE = { list: [{ a: 1 }, { a: 2, b: 3 }, { a: 4 }], map: { x: 1, y: 2 } };

describe('Cutting', () => {
  it('leaves what was not cut, and touches nothing of the whole', () => {
    const cutting = new Cutting(WHOLE);
    cutting.cut(['list', 0]);
    cutting.cut(['list', 1, 'b']);
    cutting.cut(['map', 'x']);
    expect(cutting.tree()).toEqual({ list: [{ a: 2 }, { a: 4 }], map: { y: 2 } });
    expect(WHOLE.list).toHaveLength(3);
    expect((cutting.tree() as typeof WHOLE).list[1]).toBe(WHOLE.list[2]);
  });

  it('finds the way back to where the rest was', () => {
    const cutting = new Cutting(WHOLE);
    cutting.cut(['list', 0]);
    const tree = cutting.tree();
    expect(cutting.original(['list', 0, 'b'], tree)).toEqual(['list', 1, 'b']);
    expect(cutting.original(['map', 'x', 'nothing'], tree)).toEqual(['map', 'x', 'nothing']);
    expect([0, 1, 2].map((index) => cutting.indexNow(['list'], index, tree))).toEqual([undefined, 0, 1]);
    expect(cutting.indexNow(['map'], 1, tree)).toBe(1);
  });

  it('puts something in a place once', () => {
    const cutting = new Cutting(WHOLE);
    expect([cutting.put(['map', 'z'], 7), cutting.put(['map', 'z'], 8)]).toEqual([true, false]);
    expect(cutting.tree()).toMatchObject({ map: { x: 1, y: 2, z: 7 } });
  });

  it('does not cut the whole, and says what is whole', () => {
    const cutting = new Cutting(WHOLE);
    expect([cutting.cut([]), cutting.isWhole(['list', 1]), cutting.tree()]).toEqual([false, true, WHOLE]);
    cutting.cut(['list', 1, 'b']);
    expect([cutting.isWhole(['list', 1]), cutting.isWhole(['list', 0])]).toEqual([false, true]);
  });

  it('keeps keys that objects have of themselves as plain ones', () => {
    const cutting = new Cutting(JSON.parse('{"map":{"__proto__":{"x":1},"y":2}}'));
    cutting.cut(['map', 'y']);
    expect(JSON.stringify(cutting.tree())).toBe('{"map":{"__proto__":{"x":1}}}');
  });
});
