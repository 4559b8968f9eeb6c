import { ResolveField, Resolver } from '@nestjs/graphql';
import type { SectionRun } from '../section-run.ts';
import type { Section } from '../section.ts';
import type { ViewRun } from '../view-run.ts';
import type { View, ViewValues } from '../view.ts';
import type { OperationContext, ResponsePath } from './operation-context.ts';

/** An object type whose fields can show what the sections of a view may be; else the type `never`. */
type Showing<Values, Shown> =
  Values extends Pick<Shown, keyof Values & keyof Shown>
    ? [keyof Values] extends [keyof Shown]
      ? () => new () => Shown
      : never
    : never;

/**
 * Makes a class the resolver of an object type that shows a view: adds one field resolver for each section, on
 * Nest's fast path. A query of the class returns `views.start(view, input, exchange)`; then only the sections
 * that the client selects run. The compiler checks that the object type has a field for each section. A section
 * that is another view resolves to the run of that view, so its object type needs a resolver of this kind too.
 */
export function ViewResolver<Input, Results extends object, Nullable extends string, Shown>(
  view: View<Input, Results, Nullable>,
  type: Showing<ViewValues<View<Input, Results, Nullable>>, Shown>,
): ClassDecorator {
  return (target) => {
    const prototype = target.prototype as Record<string, unknown>;
    for (const section of view.sections) {
      const { name } = section;
      const key = `section_${name}`;
      prototype[key] = sectionResolver(section);
      ResolveField(name)(
        prototype,
        key,
        Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor,
      );
    }
    Resolver(type)(target);
  };
}

type SectionResolver = (
  run: ViewRun,
  args: unknown,
  context: OperationContext,
  info: { readonly path: ResponsePath },
) => SectionRun['result'];

function sectionResolver({ name, required, element }: Section): SectionResolver {
  return (run, _args, context, { path }) => {
    const sectionRun = run.section(name);
    // The call of a section can have a fallback of its own.
    if (!required) context.placed.push({ run: sectionRun, path });
    return element === undefined ? sectionRun.result : elementsOf(sectionRun);
  };
}

/** An element that failed alone is an error of its own in the answer. */
async function elementsOf(run: SectionRun): Promise<unknown> {
  const values = await run.result;
  const { faults = [] } = run;
  if (faults.length === 0 || !Array.isArray(values)) return values;
  const elements: unknown[] = [...values];
  for (const { index, problem } of faults) elements[index] = problem;
  return elements;
}
