import { decodedContent } from '../../exchange/content-coding.ts';
import { isJsonType, parseWithNumbers } from '../../policies/transform/maskable-body.ts';
import { isTooDeep } from '../../upstreams/http/json-depth.ts';
import type { HeardAnswer } from './heard-answer.ts';
import type { IgnoredPlaces } from './ignored-places.ts';
import { jsonDifferences, type Differences } from './json-differences.ts';

/** What two answers are compared by. */
export interface CompareRules {
  readonly ignored: IgnoredPlaces;
  /** Largest body, decoded or not. */
  readonly maxBytes: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Compares the status of two answers, and if that is the same their bodies, where both are JSON. Never rejects.
 *
 * @returns undefined when the bodies cannot be compared: they are no JSON, too large, or neither can be read.
 */
export async function compareAnswers(
  expected: HeardAnswer,
  actual: HeardAnswer,
  { ignored, maxBytes }: CompareRules,
): Promise<Differences | undefined> {
  if (expected.status !== actual.status) return only('status');
  if (expected.isTooLarge || actual.isTooLarge) return undefined;
  const bodies = [expected.body(), actual.body()] as const;
  if (bodies[0].length === 0 && bodies[1].length === 0) return new Map();
  const isJson = isJsonType(expected.types);
  if (isJson !== isJsonType(actual.types)) return only('content-type');
  if (!isJson) return undefined;
  const [one, other] = await Promise.all([
    read(bodies[0], expected.codings, maxBytes),
    read(bodies[1], actual.codings, maxBytes),
  ]);
  if (one === undefined && other === undefined) return undefined;
  if (one === undefined || other === undefined) return only('unreadable');
  return jsonDifferences(one.value, other.value, ignored);
}

function only(kind: string): Differences {
  return new Map([[kind, []]]);
}

async function read(
  body: Buffer,
  codings: readonly string[],
  maxBytes: number,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    // Several codings are none that is known.
    const decoded = await decodedContent(body, codings.join(', '), maxBytes);
    const text = utf8.decode(decoded);
    return isTooDeep(text) ? undefined : { value: parseWithNumbers(text) };
  } catch {
    return undefined;
  }
}
