import type { RecordedExchange } from '../record/sample-format.ts';
import type { Answered } from './ask.ts';
import { bodyOf, fieldsIn, same, textOf, type Mismatch } from './compare.ts';
import type { Expectation } from './expectation.schema.ts';
import type { Received } from './received.ts';

/** What became of a request. */
export interface Got {
  /** What the gateway says of it; undefined for what it could not read as a request. */
  readonly exchange: Pick<RecordedExchange, 'route' | 'problem' | 'by' | 'upstream' | 'as'> | undefined;
  /** The policies of the route that may have refused it so. */
  readonly deniers: readonly string[];
  readonly answered: Answered;
  /** What upstreams got, in order. */
  readonly received: readonly Received[];
}

const NONE = 'none';

/** Compares what became of a request with what was expected of it; paths are those below `expect`. */
export function judge(expected: Expectation, got: Got): readonly Mismatch[] {
  const { exchange, answered } = got;
  const { route, status, problem, deniedBy, upstream, headers, body } = expected;
  return [
    ...same(['route'], route, exchange?.route ?? NONE),
    ...same(['status'], status, answered.status),
    ...same(['problem'], problem, exchange?.problem ?? NONE),
    ...deniedByOf(deniedBy, got.deniers),
    ...same(['rule'], expected.rule, exchange?.by ?? NONE),
    ...same(['upstream'], upstream, exchange?.upstream ?? NONE),
    ...Object.entries(expected.received ?? {}).flatMap(([name, one]) =>
      receivedOf(
        ['received', name],
        one,
        got.received.filter(({ upstream: its }) => its === name),
      ),
    ),
    ...fieldsIn(['headers'], headers, answered.headers),
    ...bodyOf(['body'], body, answered.body),
    ...(expected.bodyContains ?? []).flatMap((text, at) => contains(['bodyContains', at], text, answered)),
    ...(expected.bodyLacks ?? []).flatMap((text, at) =>
      answered.body.includes(text)
        ? [{ path: ['bodyLacks', at], expected: `no ${JSON.stringify(text)}`, got: answered.body }]
        : [],
    ),
  ];
}

// Two policies can refuse with the same problem.
function deniedByOf(expected: string | undefined, deniers: readonly string[]): Mismatch[] {
  if (expected === undefined || (deniers.length === 0 ? expected === NONE : deniers.includes(expected)))
    return [];
  return [{ path: ['deniedBy'], expected, got: deniers.join(' or ') || NONE }];
}

type ExpectedReceipt = NonNullable<Expectation['received']>[string];

function receivedOf(
  path: readonly string[],
  expected: ExpectedReceipt,
  all: readonly Received[],
): Mismatch[] {
  // What was tried again was sent several times; the last time counts.
  const last = all.at(-1);
  if (expected === NONE)
    return last === undefined ? [] : [{ path, expected, got: `${last.method} ${last.path}` }];
  const counted = same([...path, 'times'], expected.times, all.length);
  if (last === undefined)
    return expected.times === 0 ? counted : [{ path, expected: 'a request', got: NONE }];
  return [
    ...counted,
    ...same([...path, 'target'], expected.target, last.target),
    ...same([...path, 'method'], expected.method, last.method),
    ...textOf([...path, 'path'], expected.path, last.path),
    ...fieldsIn([...path, 'headers'], expected.headers, last.headers),
    ...bodyOf([...path, 'body'], expected.body, last.body),
    ...bodyOf([...path, 'message'], expected.message, JSON.stringify(last.message) ?? ''),
  ];
}

function contains(path: Mismatch['path'], text: string, { body }: Answered): Mismatch[] {
  return body.includes(text) ? [] : [{ path, expected: text, got: body }];
}
