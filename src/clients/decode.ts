import type { z } from 'zod';
import { Problem } from '../problems/problem.ts';

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
  const place = (first?.path ?? []).map((step) => `/${String(step)}`).join('');
  throw misshapen(call, at + place, first?.message ?? 'wrong shape');
}

/** The problem of an answer with the wrong shape. */
export function misshapen(call: string, place: string, message: string): Problem {
  // For the log: the place and what was expected there. The value may be anybody's data and stays out of it.
  const cause = new Error(`${call}: ${place === '' ? '/' : place}: ${message}`);
  return new Problem('upstream-response-invalid', { cause });
}
