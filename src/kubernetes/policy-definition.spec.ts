import { describe, expect, it } from '@jest/globals';
import { policyList } from '../policies/order.ts';
import { policyDefinition } from './policy-definition.ts';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

function rootOf(): Schema {
  const { spec } = policyDefinition() as unknown as {
    spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
  };
  return spec.versions[0]?.schema.openAPIV3Schema ?? {};
}

/** All schemas, with the place of each. */
function each(schema: Schema, place: string): readonly (readonly [string, Schema])[] {
  const parts = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    each(one, `${place}.${name}`),
  );
  return [[place, schema], ...parts, ...(schema.items === undefined ? [] : each(schema.items, `${place}[]`))];
}

describe('policyDefinition', () => {
  it('has all policies, and keeps what it does not know for the gateway to refuse', () => {
    const policies = rootOf().properties?.['spec']?.properties?.['policies'];
    expect(Object.keys(policies?.properties ?? {})).toEqual(policyList.map(({ name }) => name));
    expect(policies?.['x-kubernetes-preserve-unknown-fields']).toBe(true);
  });

  it('is structural: each schema has a type, or is open', () => {
    const odd = each(rootOf(), '').filter(
      ([, one]) => one.type === undefined && one['x-kubernetes-preserve-unknown-fields'] !== true,
    );
    expect(odd.map(([place]) => place)).toEqual([]);
  });
});
