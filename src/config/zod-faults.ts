import type { z } from 'zod';
import type { ConfigFault } from './config-fault.ts';
import { renderPath, routeIdAt, valueAt, type ConfigPath } from './config-path.ts';
import { allowedNames, expectation } from './expectation.ts';
import { findingsOf, isMissing, unknownKeys, type Finding } from './issue-findings.ts';
import { nearestName } from './nearest-name.ts';
import { validKeysAt } from './schema-walk.ts';
import type { YamlDocument } from './yaml-reader.ts';

/** The document that was checked, and the schema that it was checked against. */
export interface FaultContext {
  readonly document: Pick<YamlDocument, 'file' | 'value' | 'faultyPaths'> & {
    /** Where a path stands; empty for what is no text. */
    locate(path: ConfigPath): Partial<ReturnType<YamlDocument['locate']>>;
  };
  readonly schema: z.core.$ZodType;
}

interface Complaint {
  readonly path: ConfigPath;
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** The key in whose place it stands; default the suggestion. */
  readonly meant?: string | undefined;
}

/**
 * Maps everything that zod found to faults with file, line, column, route, key, expectation and nearest name. A
 * missing key is not reported beside the mistyped one that was meant to be it, and a place that the document
 * already has a fault for is not reported again.
 */
export function toFaults(error: z.core.$ZodError, { document, schema }: FaultContext): ConfigFault[] {
  const findings = findingsOf(error.issues, { schema, path: [] }, document.value);
  const complaints = findings.flatMap((finding) => complaintsOf(finding, document.value));
  const settled = new Set(document.faultyPaths.map((path) => JSON.stringify(path)));
  for (const { path, suggestion, meant = suggestion } of complaints) {
    if (meant !== undefined) settled.add(JSON.stringify([...path.slice(0, -1), meant]));
  }
  const faults = complaints
    .filter(({ path }) => !settled.has(JSON.stringify(path)))
    .map(({ path, message, suggestion }) => ({
      file: document.file,
      ...document.locate(path),
      routeId: routeIdAt(path, document.value),
      key: renderPath(path, document.value),
      message,
      suggestion,
    }));
  return withoutRepeats(faults);
}

/** So many faults of an order are told: whoever gives it mends them by hand, and whoever makes up more has nothing of it. */
const MOST_TOLD = 20;
const LONGEST_TOLD = 4000;

/**
 * What is wrong with an order or a question of an operator, in one line, as it would be told of a configuration. 20 faults of a
 * place at most, and 4000 characters.
 */
export function faultsText(error: z.core.$ZodError, schema: z.core.$ZodType, value: unknown): string {
  const document = { file: '', value, faultyPaths: [], locate: () => ({}) };
  const text = toFaults({ ...error, issues: firstOf(error.issues) }, { document, schema })
    .map(({ key, message, suggestion }) => {
      const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
      return `${key === '' ? '' : `${key}: `}${message}${hint}`;
    })
    .join('; ');
  return text.length > LONGEST_TOLD ? `${text.slice(0, LONGEST_TOLD)}…` : text;
}

/** The first issues, and of each the first of what it holds: a body of an order may have as many as it has bytes. */
function firstOf(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.slice(0, MOST_TOLD).map((issue) => {
    if (issue.code === 'unrecognized_keys') return { ...issue, keys: issue.keys.slice(0, MOST_TOLD) };
    if (issue.code !== 'invalid_union') return issue;
    return { ...issue, errors: issue.errors.map(firstOf) } as z.core.$ZodIssue;
  });
}

/** A fault inside an anchor turns up again at each alias of it; the first time is enough. */
function withoutRepeats(faults: readonly ConfigFault[]): ConfigFault[] {
  const seen = new Set<string>();
  return faults.filter(({ line, column, message, suggestion }) => {
    const told = JSON.stringify([line, column, message, suggestion]);
    return !seen.has(told) && seen.add(told);
  });
}

function complaintsOf(finding: Finding, root: unknown): Complaint[] {
  const { path, issues, scope } = finding;
  const unknown = unknownKeys(finding);
  if (unknown.length > 0) {
    const valid = validKeysAt(scope, path, root);
    return unknown.map((key) => {
      const place = [...path, key];
      const owner = valid.find((one) => isMissingIn([...path, one], key, finding, root));
      const told = saidOf(issues, key);
      if (told !== undefined) return { path: place, message: told };
      if (owner === undefined) return unknownKey(place, key, valid);
      return { path: place, message: 'unknown key', suggestion: `${owner}.${key}`, meant: owner };
    });
  }
  const [issue] = issues;
  if (issue?.code === 'invalid_key') {
    const [why] = issue.issues;
    return [
      {
        path,
        message: `invalid key; ${expectation(issue.issues, undefined)}`,
        suggestion: suggestedBy(why),
      },
    ];
  }
  if (isMissing(path, root) && issue?.code !== 'custom') {
    return [{ path, message: `missing key; ${expectation(issues, undefined)}` }];
  }
  const found = valueAt(root, path);
  const suggestion =
    suggestedBy(issue) ?? (typeof found === 'string' ? nearestName(found, allowedNames(issues)) : undefined);
  return [{ path, message: expectation(issues, found), suggestion }];
}

/** The nearest name, where a check of its own knows better what could have stood there. */
function suggestedBy(issue: z.core.$ZodIssue | undefined): string | undefined {
  const suggestion: unknown = issue?.code === 'custom' ? issue.params?.['suggestion'] : undefined;
  return typeof suggestion === 'string' ? suggestion : undefined;
}

/** Whether a map takes the key that stands beside it, and does not have it. */
function isMissingIn(path: ConfigPath, key: string, { scope }: Finding, root: unknown): boolean {
  return valueAt(root, [...path, key]) === undefined && validKeysAt(scope, path, root).includes(key);
}

/** What a schema says itself of a key that it does not have. */
function saidOf(issues: Finding['issues'], key: string): string | undefined {
  const issue = issues.find(
    (one) => one.code === 'unrecognized_keys' && one.keys.length === 1 && one.keys[0] === key,
  );
  return issue?.message?.startsWith('Unrecognized key') === false ? issue.message : undefined;
}

function unknownKey(path: ConfigPath, key: string, valid: readonly string[]): Complaint {
  const suggestion = nearestName(key, valid);
  const choice = valid.length === 1 ? valid[0] : `one of ${valid.join(', ')}`;
  const listed = suggestion === undefined && valid.length > 0 ? `; expected ${choice}` : '';
  return { path, message: `unknown key${listed}`, suggestion };
}
