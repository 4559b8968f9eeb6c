import { describe, expect, it } from '@jest/globals';
import { compileFieldMask } from './field-mask.ts';

const masked = (value: unknown, ...fields: string[]) => compileFieldMask(fields)(value);

describe('compileFieldMask', () => {
  it('removes a plain name at every depth, through arrays too', () => {
    const value = { internal: 1, a: { internal: { x: 1 }, b: [{ internal: 2, c: 3 }, [{ internal: 4 }]] } };
    expect(masked(value, 'internal')).toEqual({ a: { b: [{ c: 3 }, [{}]] } });
  });

  it('removes a dotted path only there', () => {
    const value = { user: { secret: 1, name: 'x', deep: { secret: 2 } }, secret: 3 };
    expect(masked(value, 'user.secret')).toEqual({ user: { name: 'x', deep: { secret: 2 } }, secret: 3 });
  });

  it('walks through arrays on a dotted path', () => {
    const value = {
      items: [
        { internal: 1, id: 1 },
        { internal: 2, id: 2 },
      ],
      internal: 3,
    };
    expect(masked(value, 'items.internal')).toEqual({ items: [{ id: 1 }, { id: 2 }], internal: 3 });
    expect(masked([{ a: { b: 1 } }], 'a.b')).toEqual([{ a: {} }]);
  });

  it('takes several fields together', () => {
    const value = { a: { b: { c: 1, d: 2 }, x: 1 }, x: 2, keep: true };
    expect(masked(value, 'a.b.c', 'a.b.d', 'x')).toEqual({ a: { b: {} }, keep: true });
  });

  it.each([null, 1, 'internal', true, [], {}])('leaves %j as it is', (value) => {
    expect(masked(value, 'internal')).toEqual(value);
  });

  it('does not change the value that it is given', () => {
    const value = Object.freeze({ internal: 1, a: Object.freeze([Object.freeze({ internal: 1 })]) });
    expect(masked(value, 'internal')).toEqual({ a: [{}] });
    expect(value.internal).toBe(1);
  });

  it('keeps a field called __proto__ a field', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true,"internal":1},"a":1}');
    const result = masked(value, 'internal');
    expect(JSON.stringify(result)).toBe('{"__proto__":{"admin":true},"a":1}');
    expect((result as { admin?: boolean }).admin).toBeUndefined();
    expect(masked(value, '__proto__')).toEqual({ a: 1 });
  });

  it('masks names of Object.prototype like any other', () => {
    expect(masked({ constructor: 1, toString: 2, a: 3 }, 'constructor')).toEqual({ toString: 2, a: 3 });
  });

  it('keeps numbers that are carried as text', () => {
    const value = { id: JSON.rawJSON('9007199254740993'), internal: 1 };
    expect(JSON.stringify(masked(value, 'internal'))).toBe('{"id":9007199254740993}');
  });

  it('masks what a value of a handler becomes as JSON', () => {
    class Money {
      toJSON() {
        return { amount: 1, internal: 2 };
      }
    }
    const when = new Date(0);
    expect(masked({ price: new Money(), when }, 'internal')).toEqual({
      price: { amount: 1 },
      when: '1970-01-01T00:00:00.000Z',
    });
  });
});
