import { Problem } from '../problems/problem.ts';

/** How many calls {@link each} makes at a time. */
export interface EachOptions {
  /** Default 8. A call with `batch` is not held back: its ids travel together. */
  readonly concurrency?: number;
}

/** What `each` makes per input. */
export interface EachDeps<In, Out> {
  call(input: In): Promise<Out>;
  /** Equal for inputs that need one call only; absent, or without a result: every input is a call of its own. */
  readonly keyOf: ((input: In) => string | undefined) | undefined;
  readonly concurrency: number;
}

/** Makes one call per different input, so many at a time; answers in the order of the inputs, and never rejects. */
export async function runEach<In, Out>(
  inputs: readonly In[],
  deps: EachDeps<In, Out>,
): Promise<(Out | Problem)[]> {
  const results = new Array<Out | Problem>(inputs.length);
  const firsts = new Map<string, number>();
  const sameAs = inputs.map((input, index) => firstOf(firsts, keyOf(deps, input, index), index));
  const open = inputs.keys();
  const work = async (): Promise<void> => {
    for (const index of open) {
      if (sameAs[index] === index) results[index] = await outcomeOf(deps, inputs[index] as In);
    }
  };
  await Promise.all(Array.from({ length: Math.min(deps.concurrency, inputs.length) }, work));
  return sameAs.map((index) => results[index] as Out | Problem);
}

function firstOf(firsts: Map<string, number>, key: string, index: number): number {
  const first = firsts.get(key);
  if (first === undefined) firsts.set(key, index);
  return first ?? index;
}

/** Inputs without a key are told apart by their place. */
function keyOf<In, Out>(deps: EachDeps<In, Out>, input: In, index: number): string {
  try {
    const key = deps.keyOf?.(input);
    return key === undefined ? `#${index}` : `=${key}`;
  } catch {
    // It cannot be sent; the call itself says why.
    return `#${index}`;
  }
}

async function outcomeOf<In, Out>(deps: EachDeps<In, Out>, input: In): Promise<Out | Problem> {
  try {
    return await deps.call(input);
  } catch (error) {
    return error instanceof Problem ? error : new Problem('internal', { cause: error });
  }
}
