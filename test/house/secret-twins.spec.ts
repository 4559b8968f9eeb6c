import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { environmentSchema } from '../../src/config/env.schema.ts';
import { FILED_VARIABLES } from '../../src/config/filed-variables.ts';

/** The keys of the configuration file, as editors know them, by the object that has them. */
const SCHEMA = JSON.parse(readFileSync('config/gateway.schema.json', 'utf8')) as unknown;

function objectsIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const { properties } = value as { readonly properties?: unknown };
  const own = typeof properties === 'object' && properties !== null ? [Object.keys(properties)] : [];
  return [...own, ...Object.values(value).flatMap(objectsIn)];
}

it('every key that names a variable with a secret has one beside it that names a file', () => {
  const withVariables = objectsIn(SCHEMA).filter((keys) => keys.some((key) => /[a-z]Env$/.test(key)));
  expect(withVariables.length).toBeGreaterThan(8);
  for (const keys of withVariables)
    for (const key of keys.filter((one) => /[a-z]Env$/.test(one)))
      expect(keys).toContain(key.replace(/Env$/, 'File'));
});

it('every variable that is or may hold a secret has one for a file', () => {
  const names = Object.keys(environmentSchema.shape);
  const held = names.filter((name) => /(?:_URL|TOKEN|PASSWORD|SECRET|KEYS?)$/.test(name));
  const filed = [...names, ...FILED_VARIABLES.map((name) => `${name}_FILE`)];
  expect(held).toEqual(['ADMIN_TOKEN', 'REDIS_URL']);
  for (const name of held) expect(filed).toContain(`${name}_FILE`);
});
