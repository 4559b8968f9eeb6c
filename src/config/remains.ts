import type { z } from 'zod';
import { routeIdAt, type ConfigPath } from './config-path.ts';
import { findingsOf, isMissing, unknownKeys, type Finding } from './issue-findings.ts';
import { Cutting } from './cutting.ts';
import type { YamlDocument } from './yaml-reader.ts';

/** Where what is left of a configuration is less than was written. */
export interface Cuts {
  /** The places, as paths of what is left; in lists other than that of the routes those behind one may have moved up. */
  readonly paths: readonly ConfigPath[];
  /** Ids of routes that are not there at all. */
  readonly routeIds: readonly string[];
}

/** What keeps what is left of a faulty configuration out of force; whoever looks at one knows what to tell in its place. */
export const INCOMPLETE = 'is incomplete: what is wrong with its form was left out';

/** What a schema takes of a document that has faults. */
export interface Remains<Value> {
  readonly value: Value;
  /** The same text; its value is what is left, and paths of that lead to where it was written. */
  readonly document: YamlDocument;
  readonly cuts: Cuts;
  /** What was found wrong only without the rest, and does not follow from its absence. */
  readonly found: readonly z.core.$ZodIssue[];
}

/** A place is cut deeper and deeper, up to the whole of which it is a part. */
const MOST_ROUNDS = 10;
/** The list whose items are named by what is told about them. */
const ROUTES = 'routes';

/**
 * What is left of a document without what its schema refuses, the least that can be left out: a policy, a key, a route.
 *
 * @returns undefined where nothing of it can be told apart.
 */
export function remainsOf<Schema extends z.ZodType>(
  schema: Schema,
  document: YamlDocument,
): Remains<z.output<Schema>> | undefined {
  if (typeof document.value !== 'object' || document.value === null) return undefined;
  const cutting = new Cutting(document.value);
  // What a reference to nothing stands for is not known either.
  for (const path of document.faultyPaths) if (path.length > 0) cutting.cut(unitOf(path));
  const found: z.core.$ZodIssue[] = [];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const tree = cutting.tree();
    const result = schema.safeParse(tree);
    if (result.success) return { value: result.data, ...leftOf(document, cutting, tree), found };
    const findings = findingsOf(result.error.issues, { schema, path: [] }, tree);
    if (round > 0) found.push(...newOf(result.error.issues, cutting, tree));
    if (!findings.every((finding) => cutFor(finding, cutting, tree))) return undefined;
  }
  return undefined;
}

// Checks across keys are made once each key is right: what they find in a part that is whole is no consequence.
function newOf(issues: readonly z.core.$ZodIssue[], cutting: Cutting, tree: unknown): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    const original = cutting.original(path, tree);
    return isOfWhole(original, cutting) ? [{ ...issue, path: [...original] }] : [];
  });
}

// Routes and upstreams are checked each by itself, the other sections together.
function isOfWhole(path: ConfigPath, cutting: Cutting): boolean {
  if (isNamed(path)) return cutting.isWhole(path.slice(0, 2));
  return path.length > 0 && cutting.paths.every(isNamed);
}

function isNamed([section, name]: ConfigPath): boolean {
  return (section === ROUTES || section === 'upstreams') && name !== undefined;
}

/** @returns whether there is something left to go on with. */
function cutFor(finding: Finding, cutting: Cutting, tree: unknown): boolean {
  const keys = unknownKeys(finding);
  const places = keys.length > 0 ? keys.map((key) => [...finding.path, key]) : [finding.path];
  return places.every((place) => {
    const original = cutting.original(place, tree);
    if (original.length === 0) return false;
    const isVersion = original.length === 1 && original[0] === 'version';
    // Of another version nobody knows what it means.
    if (isVersion) return isMissing(place, tree) && cutting.put(original, 1);
    if (!isMissing(place, tree)) return cutting.cut(unitOf(original));
    // Without it nothing could be told of the other keys of the route.
    if (original.length === 3 && original[0] === ROUTES && original[2] === 'match')
      if (cutting.put(original, { path: '/' })) return true;
    return cutting.cut(unitOf(original.slice(0, -1)));
  });
}

/** A policy is one thing: half of it says something else. */
function unitOf(path: ConfigPath): ConfigPath {
  const at = path.lastIndexOf('policies');
  return at >= 0 && path.length > at + 2 ? path.slice(0, at + 2) : path;
}

function leftOf(
  document: YamlDocument,
  cutting: Cutting,
  tree: unknown,
): { readonly document: YamlDocument; readonly cuts: Cuts } {
  const gone: string[] = [];
  const paths = cutting.paths.flatMap((path): ConfigPath[] => {
    const [section, index, ...below] = path;
    if (section !== ROUTES || typeof index !== 'number') return [path];
    const now = cutting.indexNow([ROUTES], index, tree);
    if (now !== undefined) return [[ROUTES, now, ...below]];
    const id = routeIdAt(path, document.value);
    if (id !== undefined) gone.push(id);
    return [];
  });
  const locate: YamlDocument['locate'] = (path) => document.locate(cutting.original(path, tree));
  return { document: { ...document, value: tree, locate }, cuts: { paths, routeIds: gone } };
}
