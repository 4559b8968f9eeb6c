import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { policyList } from '../../src/policies/order.ts';
import type { PolicyRow } from './policy-doors.ts';

const rows = new Map<string, PolicyRow>();
for (const { name } of policyList) {
  const file = rowFile(name);
  if (!existsSync(join(import.meta.dirname, '../..', file))) continue;
  rows.set(name, ((await import(join('../..', file))) as { row: PolicyRow }).row);
}

/** The rows that policies bring with them, by name; one that brings none is missing. */
export const policyRows: ReadonlyMap<string, PolicyRow> = rows;

/** The file in which a policy has its row. */
export function rowFile(name: string): string {
  const folder = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `src/policies/${folder}/${folder}.doors.fixture.ts`;
}
