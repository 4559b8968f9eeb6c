import { describe, expect, it } from '@jest/globals';
import { withOwnNames } from './own-names.ts';

describe('withOwnNames', () => {
  it('gives buckets and quotas the namespace that says them', () => {
    const policies = {
      deadline: '1s',
      rateLimit: [{ key: 'ip', bucket: 'all' }, { key: 'ip' }],
      quota: { name: 'monthly', limit: 1 },
    };
    expect(withOwnNames(policies, 'shop')).toEqual({
      deadline: '1s',
      rateLimit: [{ key: 'ip', bucket: 'k8s_shop.all' }, { key: 'ip' }],
      quota: { name: 'k8s_shop.monthly', limit: 1 },
    });
  });

  it('keeps names of long namespaces short, and apart', () => {
    const name = (namespace: string): string =>
      String((withOwnNames({ quota: { name: 'monthly' } }, namespace)['quota'] as { name: string }).name);
    const [one, other] = [name('a'.repeat(63)), name(`${'a'.repeat(62)}b`)];
    expect(one).toMatch(/^k8s_[0-9a-f]{10}\.monthly$/);
    expect(other).not.toBe(one);
  });

  it.each([[{ rateLimit: 'off' }], [{ deadline: '1s' }], [{ quota: null }], [{ quota: [null, 'x'] }]])(
    'leaves %j as it is',
    (policies) => {
      expect(withOwnNames(policies, 'shop')).toEqual(policies);
    },
  );
});
