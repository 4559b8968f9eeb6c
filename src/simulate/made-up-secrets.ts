import { randomBytes } from 'node:crypto';
import { secretFilesOf, textOf } from '../config/secret-files.ts';

/** The variable with the secret that the gateway shows to whoever plays the authorization server. */
export const SECRET_VARIABLE = 'GATEHOUSE_SIMULATED_SECRET';

/**
 * Makes up what the environment does not say of the secrets that a configuration names by `…Env`, so that none is needed to run
 * tests. Those that are set stay.
 *
 * @returns the names of those that were made up.
 */
export function makeUpSecrets(value: unknown, environment: NodeJS.ProcessEnv): readonly string[] {
  const missing = [...new Set(namedIn(value))].filter((name) => !environment[name]);
  for (const name of [...missing, SECRET_VARIABLE]) environment[name] = randomBytes(32).toString('hex');
  return missing;
}

function namedIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
    typeof one === 'string' && /[a-z]Env$/.test(key) ? [one] : namedIn(one),
  );
}

/**
 * The same configuration, with the variable that {@link makeUpSecrets} has set in place of files with secrets that cannot be read,
 * so that none is needed to run tests.
 *
 * @param folder the one of the configuration file.
 */
export function withoutMissingFiles<Value>(value: Value, folder: string): Value {
  const missing = secretFilesOf(value, folder).filter(({ file }) => textOf(file) === null);
  return missing.reduce((known, { path }) => inVariable(known, path), value as unknown) as Value;
}

function inVariable(value: unknown, [key = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(value))
    return value.map((one: unknown, index) => (String(index) === key ? inVariable(one, rest) : one));
  const { [key]: named, ...others } = value as Readonly<Record<string, unknown>>;
  if (rest.length > 0) return { ...others, [key]: inVariable(named, rest) };
  return { ...others, [key.replace(/File$/, 'Env')]: SECRET_VARIABLE };
}
