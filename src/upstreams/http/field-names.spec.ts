import { describe, expect, it } from '@jest/globals';
import { fieldNameOf, FieldNames } from './field-names.ts';

describe(fieldNameOf, () => {
  it.each([
    ['Accept', 'pass'],
    ['X-Custom', 'pass'],
    ['X-Auth-Token', 'pass'],
    ['X-Hosting', 'claim'],
    ['Authorization', 'pass'],
    ['Authorization_', 'kept'],
    ['Content-Length', 'pass'],
    ['Content_Length', 'kept'],
    ['transfer_encoding', 'kept'],
    ['TE', 'kept'],
    ['x-request_deadline_ms', 'kept'],
    ['X-Remote-User', 'claim'],
    ['X-User-Id', 'kept'],
  ])('judges %s: %s', (name, fate) => {
    expect(fieldNameOf(name).fate).toBe(fate);
  });
});

describe(FieldNames, () => {
  it('remembers names by their spelling', () => {
    const names = new FieldNames();
    expect(names.of('X-A')).toEqual({ lower: 'x-a', folded: 'xa', fate: 'pass' });
    expect(names.of('X-A')).toBe(names.of('X-A'));
    expect(names.of('x-a')).not.toBe(names.of('X-A'));
  });

  it('remembers no more than its bound, however many there are, and always those that come again', () => {
    const names = new FieldNames(3);
    for (let i = 0; i < 50; i += 1) {
      expect(names.of(`x-made-up-${i}`).fate).toBe('pass');
      expect(names.of('x-user-id').fate).toBe('kept');
      expect(names.size).toBeLessThanOrEqual(3);
    }
    expect(names.of('x-user-id')).toBe(names.of('x-user-id'));
  });

  it('judges a long name and does not remember it', () => {
    const names = new FieldNames();
    expect(names.of('a'.repeat(64)).fate).toBe('pass');
    expect(names.of(`x-user-${'a'.repeat(58)}`).fate).toBe('kept');
    expect(names.size).toBe(1);
  });

  it('bounds itself to 1024 names by default', () => {
    const names = new FieldNames();
    for (let i = 0; i < 1024; i += 1) names.of(`x-${i}`);
    expect(names.size).toBe(1024);
    names.of('one-more');
    expect(names.size).toBe(1);
  });
});
