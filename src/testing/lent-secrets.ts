import { makeUpSecrets, SECRET_VARIABLE } from '../simulate/made-up-secrets.ts';

/** How many gateways go by a secret that was made up. */
const borrowers = new Map<string, number>();

/**
 * Makes up what the environment does not say of the secrets that a configuration names by `…Env`, for as long as a gateway needs
 * them.
 *
 * @param given what the test says they are; put into the environment as well.
 * @returns what takes them back.
 */
export function lendSecrets(value: unknown, given: Readonly<Record<string, string>>): () => void {
  const before = new Map(Object.keys(given).map((name) => [name, process.env[name]]));
  Object.assign(process.env, given);
  const known = [...borrowers.keys()];
  const names = [...new Set([...makeUpSecrets(value, process.env), SECRET_VARIABLE, ...known])];
  for (const name of names) borrowers.set(name, (borrowers.get(name) ?? 0) + 1);
  let isBack = false;
  return () => {
    if (isBack) return;
    isBack = true;
    for (const name of names) giveBack(name);
    for (const [name, was] of before) {
      if (was === undefined) delete process.env[name];
      else process.env[name] = was;
    }
  };
}

function giveBack(name: string): void {
  const left = (borrowers.get(name) ?? 1) - 1;
  if (left > 0) borrowers.set(name, left);
  else {
    borrowers.delete(name);
    delete process.env[name];
  }
}
