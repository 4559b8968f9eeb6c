import type { ContractChange } from './contract-change.ts';

/** A problem as the catalogue of a release lists it. */
export interface ListedProblem {
  readonly code: string;
  readonly status: number;
}

/** What has changed for clients from one catalogue of problems to the next; new codes come with the operations that have them. */
export function problemChanges(
  before: readonly ListedProblem[],
  after: readonly ListedProblem[],
): readonly ContractChange[] {
  const statuses = new Map(after.map(({ code, status }) => [code, status]));
  return before.flatMap(({ code, status }): ContractChange[] => {
    const now = statuses.get(code);
    if (now === status) return [];
    const about = { contract: 'problems', place: code, breaks: true } as const;
    if (now === undefined) return [{ ...about, kind: 'CODE_REMOVED', change: 'is no longer a code' }];
    return [{ ...about, kind: 'CODE_STATUS_CHANGED', change: `comes with ${now}, before ${status}` }];
  });
}
