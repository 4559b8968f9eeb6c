import { z } from 'zod';
import {
  accessRuleSchema,
  conditionFault,
  type AccessRule,
} from '../policies/authorization/authorization.schema.ts';
import { bySpecificity, mayMeet } from './access-paths.ts';
import { parsePathPattern, type PathPattern } from './path-pattern.ts';

const MOST_RULES = 500;

interface Entry {
  readonly pattern: PathPattern;
  readonly rule: AccessRule;
}

/** The `access:` section: who may call what, by path and method, where routes say nothing about it themselves. */
export const accessSchema = z
  .array(accessRuleSchema)
  .max(MOST_RULES)
  .superRefine((rules, context) => {
    const patterns = rules.map(({ path }, index) => {
      try {
        return parsePathPattern(path);
      } catch (error) {
        context.addIssue({ code: 'custom', path: [index, 'path'], message: (error as Error).message });
        return undefined;
      }
    });
    for (const [index, rule] of rules.entries())
      for (const { path, message } of strangersIn(rule, patterns[index]))
        context.addIssue({ code: 'custom', path: [index, ...path], message });
    for (const [index, twin] of twinsOf(rules, patterns)) {
      const message = `is for the same path and methods as ${rules[twin]?.path ?? ''} before it`;
      context.addIssue({ code: 'custom', path: [index, 'path'], message });
    }
  })
  .describe(
    'Who may call what, by path and method, for routes that say nothing about authorization themselves, and whose upstream says nothing. The most specific entry that fits a request holds, in place of the default; where none fits, the default does.',
  );

/** What an entry says about path parameters that its path does not have. */
function strangersIn(
  { when, deny, tenant }: AccessRule,
  pattern: PathPattern | undefined,
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  if (pattern === undefined) return [];
  const { parameters } = pattern;
  const conditions = [
    { path: ['when'], text: when },
    { path: ['deny', 'when'], text: deny?.when },
  ];
  const found = conditions.flatMap(({ path, text }) => {
    const message = text === undefined ? undefined : conditionFault(text, parameters);
    return message === undefined ? [] : [{ path, message }];
  });
  const param = tenant !== undefined && 'param' in tenant ? tenant.param : undefined;
  if (param === undefined || parameters.includes(param)) return found;
  return [...found, { path: ['tenant', 'param'], message: `the path has no parameter {${param}}` }];
}

// Of two that say something about the same requests none would be the more specific one.
function twinsOf(
  rules: readonly AccessRule[],
  patterns: readonly (PathPattern | undefined)[],
): readonly (readonly [index: number, twin: number])[] {
  return rules.flatMap(({ methods }, index) => {
    const twin = rules.findIndex(
      (other, at) =>
        at < index && keyOf(patterns[at]) === keyOf(patterns[index]) && meet(methods, other.methods),
    );
    return twin < 0 || patterns[index] === undefined ? [] : [[index, twin] as const];
  });
}

function keyOf(pattern: PathPattern | undefined): string {
  if (pattern === undefined) return '';
  const segments = pattern.segments.map((one) =>
    one.kind === 'literal' ? one.text : { pattern: one.pattern?.source },
  );
  return JSON.stringify([segments, pattern.wildcard, pattern.verb]);
}

// One that names methods goes before one that names none.
function meet(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.some((method) => other.includes(method));
}

/** Finds what of `access:` is about a route. */
export class AccessTable {
  readonly #entries: readonly Entry[];

  constructor(rules: readonly AccessRule[]) {
    this.#entries = rules
      .map((rule): Entry => ({ rule, pattern: parsePathPattern(rule.path) }))
      .sort(
        (a, b) =>
          bySpecificity(a.pattern, b.pattern) ||
          Number(a.rule.methods === undefined) - Number(b.rule.methods === undefined),
      );
  }

  /** What may be about requests of a route, the most specific first. */
  rulesFor(pattern: PathPattern, methods: readonly string[]): readonly AccessRule[] {
    return this.#entries.flatMap(({ pattern: own, rule }) =>
      mayMeet(own, pattern) && methodsMeet(rule.methods, methods) ? [rule] : [],
    );
  }
}

function methodsMeet(asked: readonly string[] | undefined, methods: readonly string[]): boolean {
  if (asked === undefined || methods.length === 0) return true;
  // What is said of GET holds for HEAD as well, whichever of them a route names.
  const goes = (one: string): boolean => one === 'HEAD' || one === 'GET';
  return asked.some((one) => methods.includes(one) || (goes(one) && methods.some(goes)));
}
