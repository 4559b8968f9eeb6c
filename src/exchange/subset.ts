/** Which targets of an upstream a request may go to. Frozen, made once: everything keeps what it knows of one by its identity. */
export interface Subset {
  /** All of these a target must have. */
  readonly labels: Readonly<Record<string, string>>;
  /** What holds while none of them is available: nothing is asked, or any target of the upstream. */
  readonly fallback: 'none' | 'any';
}

/** Whether a target with these labels is in a subset. */
export function isIn({ labels }: Pick<Subset, 'labels'>, given: Readonly<Record<string, string>>): boolean {
  for (const name in labels) if (given[name] !== labels[name]) return false;
  return true;
}

/** Makes a subset of what a configuration says; undefined for all targets. */
export function subsetOf(declared: {
  readonly subset?: Subset['labels'] | undefined;
  readonly subsetFallback?: Subset['fallback'] | undefined;
}): Subset | undefined {
  const { subset, subsetFallback = 'none' } = declared;
  return subset && Object.freeze({ labels: subset, fallback: subsetFallback });
}
