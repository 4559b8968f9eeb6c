import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DOORS, type DoorName } from '../../src/policies/doors.ts';
import { order } from '../../src/policies/order.ts';
import type { Policy } from '../../src/policies/policy.ts';
import { startPolicyDoors, type PolicyGateway } from '../support/policy-doors.ts';
import { policyRows, rowFile } from '../support/policy-rows.ts';

const doors = Object.keys(DOORS) as DoorName[];

describe.each(order.map(({ policy }) => [policy.name, policy as Policy] as const))('%s', (_name, policy) => {
  let gateway: PolicyGateway | undefined;
  beforeAll(async () => {
    const row = policyRows.get(policy.name);
    if (row !== undefined) gateway = await startPolicyDoors(policy, row);
  });
  afterAll(() => gateway?.stop());

  const unfit = doors.filter((door) => policy.unfit?.[door] !== undefined);
  const fit = doors.filter((door) => !unfit.includes(door));
  it.each(fit)('acts at %s', async (door) => {
    const row = policyRows.get(policy.name);
    if (row === undefined)
      throw new Error(`${rowFile(policy.name)}: expected \`row\`, which shows that it acts`);
    await row.acts((gateway as PolicyGateway).at(door));
  });

  if (unfit.length > 0)
    it.each(unfit)('says why it cannot act at %s', (door) => {
      expect(policy.unfit?.[door]).toMatch(/^[a-z].{20,}/);
    });
});
