import type { ViewRun } from './view-run.ts';

/** What conditions see of a view as the object that its sections are fields of. */
export interface ViewParent {
  readonly input: unknown;
}

const parents = new WeakMap<object, ViewParent>();

/** What conditions see of the run of a view: its input, and nothing of what runs it. */
export function parentOfSections({ input }: Pick<ViewRun, 'input'>): ViewParent {
  return { input };
}

/** Remembers whose values an object has, so that they are judged as its sections, not as what they happen to be. */
export function noteParent(values: object, run: ViewRun): void {
  parents.set(values, parentOfSections(run));
}

/** What conditions see of the object that a field belongs to. */
export function parentOfFields(object: object): unknown {
  return parents.get(object) ?? object;
}
