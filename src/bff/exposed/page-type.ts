import type { Type } from '@nestjs/common';
import { z } from 'zod';
import { ViewResolver } from '../graphql/fields/view-resolver.ts';
import { addField, capital, newType, SchemaTypes, type ShownType } from '../graphql/types/schema-type.ts';
import type { RunnableView } from '../view-run.ts';

type Section = RunnableView['sections'][number];
type Schemas = Readonly<Record<string, z.ZodType | undefined>>;

/** An object type that shows a view, and the resolvers that it and the views within it need. */
export interface PageType {
  readonly type: Type;
  readonly resolvers: readonly Type[];
}

const pages = new WeakMap<RunnableView, PageType>();

/**
 * Makes the object type that shows a view, of the schemas of its sections: those that are given, else those that its calls
 * decode with, else the types of the views within it.
 *
 * @param faults takes a message for each part that GraphQL cannot show, with its path.
 */
export function pageType(
  view: RunnableView,
  { sections = {}, description }: { sections?: Schemas | undefined; description?: string | undefined },
  faults: string[],
): PageType {
  const known = pages.get(view);
  if (known !== undefined) return known;
  const before = faults.length;
  const type = newType(view.name, description);
  const resolvers = [resolverOf(view, type)];
  for (const section of view.sections) {
    const shown = shownBy(section, { view, schema: sections[section.name], resolvers, faults });
    if (shown !== undefined) addField(type, section.name, shown);
  }
  const page = { type, resolvers };
  if (faults.length === before) pages.set(view, page);
  return page;
}

/** A class that resolves the sections of a view for a type, whoever wrote it. */
export function resolverOf(view: RunnableView, type: Type): Type {
  const resolver = class {};
  Object.defineProperty(resolver, 'name', { value: `${view.name}Sections` });
  ViewResolver(view as never, (() => type) as never)(resolver);
  return resolver;
}

interface Place {
  readonly view: RunnableView;
  readonly schema: z.ZodType | undefined;
  readonly resolvers: Type[];
  readonly faults: string[];
}

function shownBy(section: Section, { view, schema, resolvers, faults }: Place): ShownType | undefined {
  const { name, nested, many, required, fallback } = section;
  const isNullable = !required && fallback === undefined;
  const path = `${view.name}.${name}`;
  if (schema === undefined && nested !== undefined) {
    const inner = pageType(nested, {}, faults);
    resolvers.push(...inner.resolvers);
    const facts = { isNullable, hasNulls: many, description: undefined, mask: undefined };
    return { ...facts, type: many ? [inner.type] : inner.type };
  }
  const answer = (many ? section.element : section.source)?.answer;
  const given = schema ?? (many && answer !== undefined ? z.array(answer.nullable()) : answer);
  if (given === undefined) {
    faults.push(
      `${path} has no schema: its source is no call that decodes with one; give it under \`sections\``,
    );
    return undefined;
  }
  const place = { path, name: view.name + capital(name), property: name };
  const shown = new SchemaTypes(faults).shown(given, place);
  return shown && { ...shown, isNullable: isNullable || shown.isNullable };
}
