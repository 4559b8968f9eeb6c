import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { ruleOf } from './rule-place.ts';
import type { Simulated, TestResult } from './run-tests.ts';

/** What does not come as expected, with its places. */
export interface ShownFailure {
  /** Such as `steps[2].expect.status`. */
  readonly key: string;
  /** In the file of tests: `file:line:column`. */
  readonly at: string;
  readonly expected: string;
  readonly received: string;
  /** What of the configuration has decided, and where that stands. */
  readonly rule?: string;
}

/** How a test went, with its places. */
export interface ShownResult {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly passed: boolean;
  readonly ms: number;
  readonly failures: readonly ShownFailure[];
  /** What kept it from being run to its end. */
  readonly error?: string;
}

/** Everything that came of it. */
export interface Results {
  readonly tests: readonly ShownResult[];
  readonly passed: number;
  readonly failed: number;
  readonly routes: {
    readonly all: number;
    readonly tested: number;
    /** Those that no request was taken by, and where they stand. */
    readonly untested: readonly { readonly id: string; readonly at: string }[];
  };
  /** Variables with secrets that were made up, because the environment does not have them. */
  readonly madeUp: readonly string[];
}

/** What results are made of. */
export interface ResultsInput {
  readonly files: readonly {
    readonly locate: Locate;
    readonly file: string;
    readonly simulated: Simulated;
  }[];
  readonly source: GatewaySource;
  readonly madeUp: readonly string[];
}

type Locate = (path: readonly (string | number)[]) => { readonly line: number; readonly column: number };

/** Routes of the gateway itself, which no team tests. */
const OWN = /^(?:health|contracts)\./;
/** What stands for a section of the file, and not for a route of it. */
const SECTION = /^(?:identity|quotas|signing)\b/;
const LONGEST_SHOWN = 2000;

/** Puts together what came of all files. */
export function resultsOf({ files, source, madeUp }: ResultsInput): Results {
  const tests = files.flatMap(({ file, locate, simulated }) =>
    simulated.results.map((one) => shownResult(one, { file, locate, source })),
  );
  const failed = tests.filter(({ passed }) => !passed).length;
  const taken = new Set(files.flatMap(({ simulated }) => [...simulated.taken]));
  const own = (files[0]?.simulated.routes ?? []).filter(isTested);
  const untested = own.filter(({ id }) => !taken.has(id)).map(({ id, origin }) => ({ id, at: origin }));
  const routes = { all: own.length, tested: own.length - untested.length, untested };
  return { tests, passed: tests.length - failed, failed, routes, madeUp };
}

function isTested({ id, origin }: Route): boolean {
  return !OWN.test(id) && !SECTION.test(origin);
}

interface Places {
  readonly file: string;
  readonly locate: Locate;
  readonly source: GatewaySource;
}

function shownResult(
  { name, index, failures, error, ms }: TestResult,
  { file, locate, source }: Places,
): ShownResult {
  const shown = failures.map((one): ShownFailure => {
    const { line, column } = locate(['tests', index, ...one.path]);
    const rule = ruleOf(one, source);
    return {
      key: `${keyOf(one.path)}${one.time === undefined ? '' : ` (time ${one.time})`}`,
      at: `${file}:${line}:${column}`,
      expected: textOf(one.expected),
      received: textOf(one.got),
      ...(rule !== undefined && { rule }),
    };
  });
  const passed = failures.length === 0 && error === undefined;
  const { line } = locate(['tests', index]);
  return { name, file, line, passed, ms, failures: shown, ...(error !== undefined && { error }) };
}

function keyOf(path: readonly (string | number)[]): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

function textOf(value: unknown): string {
  const text =
    value === undefined || value === null
      ? 'none'
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}… (${text.length} characters)` : text;
}
