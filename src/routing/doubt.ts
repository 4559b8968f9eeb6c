import type { PolicySet } from '../policies/order.ts';
import type { StageInput } from '../policies/stage-factory.ts';
import type { Unsure, UnsureFact } from './unsure.ts';

/** A route of which everything is known. */
export const NOT_UNSURE: Unsure = { policies: new Set(), facts: new Set(), isUnsure: () => false };

/** What a stage learns by what is not known. */
const LEARNED: Readonly<Record<UnsureFact, readonly (keyof StageInput)[]>> = {
  upstream: ['upstreamRefusal', 'upstreamIdleMs', 'patienceOf'],
  match: ['parameters', 'pathParameters', 'reach'],
  action: ['action', 'version', 'budgetOf'],
  tiers: ['tiers'],
};

/** Takes note of whether somebody has looked at what is not known: what he makes of it may not be so. */
export class Doubt {
  #is = false;

  /** Whether somebody has since {@link begin}. */
  get is(): boolean {
    return this.#is;
  }

  begin(): void {
    this.#is = false;
  }

  /** The same input, which takes note of what is looked at. */
  input(input: StageInput, { policies, facts, isUnsure }: Unsure): StageInput {
    const { protocolOf } = input;
    const noted: StageInput = {
      ...input,
      policies: this.#noting<PolicySet>(input.policies, [...policies]),
      protocolOf: (upstream) => {
        if (isUnsure(upstream)) this.#is = true;
        return protocolOf?.(upstream);
      },
    };
    return this.#noting(
      noted,
      [...facts].flatMap((fact) => LEARNED[fact]),
    );
  }

  #noting<Value extends object>(value: Value, keys: readonly string[]): Value {
    if (keys.length === 0) return value;
    const result = { ...value };
    for (const key of keys)
      Object.defineProperty(result, key, {
        enumerable: true,
        get: () => {
          this.#is = true;
          return (value as Readonly<Record<string, unknown>>)[key];
        },
      });
    return result;
  }
}
