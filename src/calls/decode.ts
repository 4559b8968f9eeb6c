import type { z } from 'zod';
import { validKeysAt } from '../config/schema-walk.ts';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';

/**
 * Checks and narrows what an upstream answered.
 *
 * @param call name of the call.
 * @param at where in the answer the value was found, such as `/items/3`; the empty string for the whole of it.
 * @throws {Problem} `upstream-response-invalid`, with the place of the first fault in the cause only.
 */
export function decoded<Out>(call: string, schema: z.ZodType<Out>, value: unknown, at = ''): Out {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw misshapen(call, at + placeOf(schema, value, first?.path ?? []), expectationOf(first));
}

/**
 * The problem of an answer with the wrong shape.
 *
 * @param place made of names of the schema and of numbers; the log shows it.
 */
export function misshapen(call: string, place: string, message: string): Problem {
  // For the log: the place and what was expected there. The value may be anybody's data and stays out of it.
  const cause = new PlainFault(`${call}: ${place === '' ? '/' : place}: ${message}`);
  return new Problem('upstream-response-invalid', { cause });
}

// Names that the schema does not have are the upstream's data, such as the keys of a map by user.
function placeOf(schema: z.ZodType, value: unknown, path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? step : String(step)));
  return steps
    .map((step, depth) => {
      const known = typeof step === 'number' || keysAt(schema, value, steps.slice(0, depth)).includes(step);
      return known ? `/${step}` : '/*';
    })
    .join('');
}

function keysAt(schema: z.ZodType, value: unknown, path: readonly (string | number)[]): readonly string[] {
  return validKeysAt({ schema, path: [] }, path, value);
}

function expectationOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_type') return `expected ${issue.expected}`;
  return issue === undefined ? 'wrong shape' : issue.code.replaceAll('_', ' ');
}
