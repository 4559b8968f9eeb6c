import { Problem } from '../problems/problem.ts';
import { isCodeDefect } from './composition/code-defect.ts';
import type { Degradation } from './composition/section-run.ts';
import { Freshness } from './composition/freshness.ts';
import type { ViewSectionRun } from './view-section-run.ts';

/** An element of a list that failed alone. */
export interface ElementFault {
  readonly index: number;
  readonly problem: Problem;
}

/** Runs something for each element; what fails is `null`, and listed. Defects of the code are thrown. */
export async function outcomesOf<Element>(
  elements: readonly Element[],
  run: (element: Element) => Promise<unknown>,
): Promise<[values: readonly unknown[], faults: readonly ElementFault[]]> {
  const faults: ElementFault[] = [];
  const settled = await Promise.allSettled(elements.map((element) => run(element)));
  const values = settled.map((outcome, index) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    const { reason } = outcome as { readonly reason: unknown };
    if (!(reason instanceof Problem) || isCodeDefect(reason)) throw reason;
    faults.push({ index, problem: reason });
    return null;
  });
  return [values, faults];
}

/**
 * Why a list as a whole has failed: every element did, and not because it does not exist, which is an answer.
 *
 * @returns undefined when there is something to show.
 */
export function allFailed(length: number, faults: readonly ElementFault[]): Problem | undefined {
  if (length === 0 || faults.length < length) return undefined;
  if (faults.some(({ problem }) => problem.code === 'resource-not-found')) return undefined;
  return faults[0]?.problem;
}

/** The same problem, naming the section by its path from the outer view. */
export function within(section: string, error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const inner = error.extensions?.['section'];
  if (typeof inner !== 'string') return error;
  return new Problem(error.code, {
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.headers === undefined ? {} : { headers: error.headers }),
    extensions: { ...error.extensions, section: `${section}.${inner}` },
    cause: error.cause ?? error,
    by: error.by,
  });
}

/** What is not as it should be in sections and in the views within them, by paths such as `profile.feed`. */
export function degradedParts(runs: readonly ViewSectionRun[], prefix = ''): readonly Degradation[] {
  const degraded: Degradation[] = [];
  for (const { section, degradation, isWithheld, faults = [], children = [] } of runs) {
    const path = prefix + section.name;
    if (isWithheld) degraded.push({ section: path, code: 'permission-denied', via: 'null' });
    if (degradation !== undefined) degraded.push({ ...degradation, section: path });
    // What is below something that is null does not show.
    if (degradation?.via === 'null') continue;
    for (const { index, problem } of faults) {
      degraded.push({ section: `${path}.${index}`, code: problem.code, via: 'null' });
    }
    children.forEach((child, index) => {
      if (faults.some((fault) => fault.index === index)) return;
      degraded.push(...degradedParts(child.started(), section.many ? `${path}.${index}.` : `${path}.`));
    });
  }
  return degraded;
}

/** How fresh sections are, those of views within them included. */
export function freshnessOf(runs: readonly ViewSectionRun[], total: Freshness = new Freshness()): Freshness {
  for (const { freshness, children } of runs) {
    if (freshness !== undefined) total.add(freshness);
    if (children !== undefined) for (const child of children) freshnessOf(child.started(), total);
  }
  return total;
}
