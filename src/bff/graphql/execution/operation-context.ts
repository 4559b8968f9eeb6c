import type { GraphqlContext } from '../../../exchange/exchange-of.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { ViewSectionRun } from '../../view-section-run.ts';

const NOTHING: ReadonlySet<object> = new Set();

/** A place in an answer, as graphql-js hands it to resolvers: linked from the leaf to the root. */
export interface ResponsePath {
  readonly prev: ResponsePath | undefined;
  readonly key: string | number;
}

/** Where a section that can be degraded appears in the answer. */
export interface PlacedSection {
  readonly run: ViewSectionRun;
  readonly path: ResponsePath;
}

/** What the resolvers of one operation share. */
export class OperationContext implements GraphqlContext {
  readonly exchange: Exchange;
  /** Sections that can be degraded and that the operation selects; the answer names those that are. */
  readonly placed: PlacedSection[] = [];
  /** What the caller was found to have; fields that need more are refused. */
  granted: ReadonlySet<object> = NOTHING;
  /** The keys at the root under which sections of views were asked for; undefined when nobody wants to know. */
  viewRoots: Set<string> | undefined = undefined;
  /** Takes note of what this operation does, by the places of its resolvers; undefined when nobody may see it. */
  plan: object | undefined = undefined;
  /** Whether calls are to be noted with the resolvers that make them. */
  isTraced = false;
  /** Called when a resolver returned data that only the interpreter can resolve. */
  onNotPlain: (() => void) | undefined = undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }
}

/** The key at the root of the answer that a path leads through. */
export function rootKeyOf(path: ResponsePath): string {
  let at = path;
  while (at.prev !== undefined) at = at.prev;
  return String(at.key);
}

/** A path from the root to the leaf, as answers show it. */
export function pathOf(path: ResponsePath): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at: ResponsePath | undefined = path; at !== undefined; at = at.prev) keys.push(at.key);
  return keys.reverse();
}
