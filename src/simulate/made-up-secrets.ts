import { randomBytes } from 'node:crypto';

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
