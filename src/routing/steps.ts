import { Slices } from '../config/slices.ts';

/** Work in steps of some milliseconds each. Whoever has nobody waiting does them {@link atOnce}, others {@link inTurns}. */
export type Steps<Result> = Generator<void, Result, void>;

/** How many routes one step is about: about five milliseconds. */
const AT_A_TIME = 20;

/** Whether a step ends before the route at an index. */
export function isStep(index: number): boolean {
  return index % AT_A_TIME === AT_A_TIME - 1;
}

/** What came of all of it, done now. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, with turns of the event loop between steps; see {@link Slices}. @param within what each step is done in. Default nothing. */
export async function inTurns<Result>(
  steps: Steps<Result>,
  within: <Done>(step: () => Done) => Done = (step) => step(),
): Promise<Result> {
  const slices = new Slices();
  for (;;) {
    const { done, value } = within(() => steps.next());
    if (done === true) return value;
    await slices.pause();
  }
}

/** `flatMap` in steps. */
export function* mapInSteps<Item, Made>(
  items: readonly Item[],
  make: (item: Item) => readonly Made[],
): Steps<readonly Made[]> {
  const made: Made[] = [];
  for (const [index, item] of items.entries()) {
    if (isStep(index)) yield;
    made.push(...make(item));
  }
  return made;
}
