import { describe, expect, it } from '@jest/globals';
import { resourceOf } from '../resource.ts';
import { remarkText } from './remark.ts';

describe('remarkText', () => {
  it('names the object, where it is about one', () => {
    const of = resourceOf('Ingress', { metadata: { namespace: 'shop', name: 'users' } });
    expect(remarkText({ of, message: 'no' })).toBe('Ingress shop/users: no');
    expect(remarkText({ message: 'no' })).toBe('no');
  });
});
