import { describe, expect, it } from '@jest/globals';
import { policyFaults } from './policy-faults.ts';

const asking = (upstream: string): object => ({ externalAuthorization: { upstream, forward: {} } });
const nested = (levels: number): object =>
  Array.from({ length: levels }).reduce<object>((inner) => ({ a: inner }), {});

describe('policyFaults', () => {
  it.each([
    ['k8s_shop_checker_80', 0],
    ['checker', 0],
    ['k8s_shop-eu_checker_80', 1],
    ['k8s_bank_ledger_80', 1],
  ])('lets policies of a namespace ask %s: %s faults', (upstream, count) => {
    expect(policyFaults(asking(upstream) as Record<string, unknown>, 'shop')).toHaveLength(count);
  });

  it('has no object name a file of the gateway', () => {
    const validation = { openapi: { file: '/dev/zero' } };
    expect(policyFaults({ validation }, 'shop')).toEqual([
      'spec.policies.validation.openapi.file: only the file of the gateway names files and variables of it',
    ]);
  });

  it('tells what the file would be told, and what could not be written into one', () => {
    expect(policyFaults({ deadline: 'soon' }, 'shop')).toEqual([
      expect.stringMatching(/^spec.policies.deadline: /),
    ]);
    const deep = { transform: { response: { template: nested(5000) } } };
    expect(policyFaults(deep, 'shop')).toEqual(['spec.policies: expected at most 64 levels']);
    expect(policyFaults({ transform: { response: { template: nested(40) } } }, 'shop')).toEqual([]);
  });
});
