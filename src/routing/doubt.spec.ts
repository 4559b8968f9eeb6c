import { describe, expect, it } from '@jest/globals';
import type { StageInput } from '../policies/stage-factory.ts';
import { Doubt, NOT_UNSURE } from './doubt.ts';

const INPUT = {
  routeId: 'a',
  door: 'proxy',
  policies: { authentication: 'public', deadline: 5 },
  tiers: {},
  protocolOf: () => 'http',
} as unknown as StageInput;

function doubted(unsure: Partial<typeof NOT_UNSURE>, look: (input: StageInput) => unknown): boolean {
  const doubt = new Doubt();
  const input = doubt.input(INPUT, { ...NOT_UNSURE, ...unsure });
  doubt.begin();
  look(input);
  return doubt.is;
}

describe('Doubt', () => {
  it('is there once somebody looks at a policy that is not known, whether it seems to be there or not', () => {
    const unsure = { policies: new Set(['authentication', 'quota']) };
    expect(doubted(unsure, ({ policies }) => policies.deadline)).toBe(false);
    expect(doubted(unsure, ({ policies }) => policies.authentication)).toBe(true);
    expect(doubted(unsure, ({ policies }) => policies.quota)).toBe(true);
    expect(doubted(unsure, ({ policies }) => ({ ...policies }))).toBe(true);
  });

  it('is there once somebody looks at a fact that is not known', () => {
    const unsure = { facts: new Set(['tiers', 'upstream'] as const) };
    expect(doubted(unsure, ({ routeId }) => routeId)).toBe(false);
    expect(doubted(unsure, ({ tiers }) => tiers)).toBe(true);
    expect(doubted(unsure, ({ upstreamIdleMs }) => upstreamIdleMs)).toBe(true);
  });

  it('is there once somebody asks what an upstream speaks that is not known', () => {
    const unsure = { isUnsure: (name: string) => name === 'users' };
    expect(doubted(unsure, ({ protocolOf }) => protocolOf?.('orders'))).toBe(false);
    expect(doubted(unsure, ({ protocolOf }) => protocolOf?.('users'))).toBe(true);
  });

  it('ends when the next one begins', () => {
    const doubt = new Doubt();
    void doubt.input(INPUT, { ...NOT_UNSURE, facts: new Set(['tiers']) }).tiers;
    expect(doubt.is).toBe(true);
    doubt.begin();
    expect(doubt.is).toBe(false);
  });
});
