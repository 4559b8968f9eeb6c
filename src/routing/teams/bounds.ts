import type { Rights } from './include.schema.ts';

/** What a policy of a team is measured by. */
export function boundOf(name: string, rights: Rights, ...levels: readonly (object | undefined)[]): unknown {
  const all = [rights.policies, ...levels] as readonly (Readonly<Record<string, unknown>> | undefined)[];
  return all.find((level) => level?.[name] !== undefined)?.[name];
}

/** Why a policy is refused. */
export function looser(name: string): string {
  return `is looser than what the gateway says, or nobody can tell that it is not; \`policies: { ${name}: … }\` of its rights says how far it may go`;
}
