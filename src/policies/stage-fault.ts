import { PlainFault } from '../telemetry/error-facts.ts';

/** Something wrong with the options of a policy, below one of its keys. */
export class StageFault extends PlainFault {
  readonly key: readonly (string | number)[];
  /** The nearest valid name. */
  readonly suggestion: string | undefined;

  /** @param key from the name of the policy on. */
  constructor(key: readonly (string | number)[], message: string, suggestion?: string) {
    super(message);
    this.key = key;
    this.suggestion = suggestion;
  }
}
