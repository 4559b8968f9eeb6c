import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DOORS, type DoorName } from '../src/policies/doors.ts';
import { order } from '../src/policies/order.ts';
import type { Policy } from '../src/policies/policy.ts';
import { startPolicyDoors, type PolicyGateway, type PolicyRow } from './support/policy-doors.ts';

const doors = Object.keys(DOORS) as DoorName[];
const folderOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const fileOf = ({ name }: Policy): string =>
  `../src/policies/${folderOf(name)}/${folderOf(name)}.doors.fixture.ts`;

/** The proofs that policies bring with them; one that has none is missing here. */
const rows = new Map<string, PolicyRow>();
for (const { policy } of order) {
  if (!existsSync(join(import.meta.dirname, fileOf(policy)))) continue;
  rows.set(policy.name, ((await import(fileOf(policy))) as { row: PolicyRow }).row);
}

describe.each(order.map(({ policy }) => [policy.name, policy as Policy] as const))('%s', (_name, policy) => {
  let gateway: PolicyGateway | undefined;
  beforeAll(async () => {
    const row = rows.get(policy.name);
    if (row !== undefined) gateway = await startPolicyDoors(policy, row);
  });
  afterAll(() => gateway?.stop());

  const unfit = doors.filter((door) => policy.unfit?.[door] !== undefined);
  const { gaps = [] } = rows.get(policy.name) ?? {};
  for (const door of gaps) it.todo(`acts at ${door}`);
  const fit = doors.filter((door) => !unfit.includes(door) && !gaps.includes(door));
  it.each(fit)('acts at %s', async (door) => {
    const row = rows.get(policy.name);
    if (row === undefined) throw new Error(`${fileOf(policy)}: expected \`row\`, which shows that it acts`);
    await row.acts((gateway as PolicyGateway).at(door));
  });

  if (unfit.length > 0)
    it.each(unfit)('says why it cannot act at %s', (door) => {
      expect(policy.unfit?.[door]).toMatch(/^[a-z].{20,}/);
    });
});
