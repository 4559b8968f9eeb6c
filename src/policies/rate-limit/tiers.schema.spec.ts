import { describe, expect, it } from '@jest/globals';
import { tiersSchema } from './tiers.schema.ts';

describe('tenants of tiers', () => {
  it('are of one tier each, and who has one twice is told where else', () => {
    const { error } = tiersSchema.safeParse({
      pro: { rate: 5, tenants: ['acme', 'globex'] },
      off: 'off',
      gold: { rate: 9, tenants: ['initech', 'globex'] },
    });
    expect(error?.issues).toMatchObject([
      {
        path: ['gold', 'tenants', 1],
        message: 'expected a tenant that no other tier has; `pro` has this one',
      },
    ]);
  });
});
