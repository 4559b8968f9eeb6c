import type { Explanation, ExplainedRequest } from '../explain/explanation.ts';

/** What would become of a request, in texts that can be compared. */
export interface Outcome {
  /** The route that takes it, or `none`. */
  readonly route: string;
  /** What comes of it: `forward`, `403 forbidden by authorization`, `answered by cache`; and on which policies that depends. */
  readonly decision: string;
  /** Which upstreams are asked, and which of their targets may be. */
  readonly upstream: string;
  /** The requests that are sent, part by part: `line`, `body`, a header field by its name. */
  readonly request: ReadonlyMap<string, string>;
}

/** Sums up what is told of a request. */
export function outcomeOf(told: Explanation): Outcome {
  return {
    route: told.match.route?.id ?? 'none',
    decision: decisionOf(told),
    upstream: told.requests.map(upstreamOf).filter(Boolean).join('; ') || 'none',
    request: new Map(told.requests.flatMap((one, index) => partsOf(one, index))),
  };
}

function decisionOf({ refused, answered, action, policies, side }: Explanation): string {
  if (refused !== undefined) return `${refused.status} ${refused.code} by ${refused.by}`;
  const open = policies.filter(({ does, isMet }) => does === 'depends' && isMet).map(({ policy }) => policy);
  const depends = open.length === 0 ? '' : `, depends on ${open.join(', ')}`;
  if (answered !== undefined) return `answered by ${answered.by}: ${answered.what}${depends}`;
  const of = side === undefined ? '' : ` (${side.name})`;
  return `${action?.kind ?? 'nothing'}${of}${depends}`;
}

/** Targets that could not have a turn at all, whoever's it is. */
const EXCLUDED = /^(?:not in the subset|on the (?:canary|stable) side)/;

function upstreamOf({ upstream, name }: ExplainedRequest): string {
  if (upstream === undefined) return '';
  // Whose turn it is says nothing: it is another one's the next time.
  const targets = upstream.targets.filter(({ why }) => !EXCLUDED.test(why)).map(({ target }) => target);
  return `${name === undefined ? '' : `${name}: `}${upstream.name} (${[...targets].sort().join(', ')})`;
}

function partsOf({ name, sent }: ExplainedRequest, index: number): [string, string][] {
  if (sent === undefined) return [];
  const prefix = name ?? (index === 0 ? '' : String(index));
  const at = (part: string): string => (prefix === '' ? part : `${prefix}: ${part}`);
  const fields = new Map<string, string>();
  for (const [field, value] of sent.headers) {
    const key = at(`header ${field.toLowerCase()}`);
    fields.set(key, fields.has(key) ? `${fields.get(key) ?? ''}, ${value}` : value);
  }
  const body =
    sent.body === undefined
      ? []
      : [[at('body'), sent.body.json ?? `${sent.body.bytes} bytes`] as [string, string]];
  return [[at('line'), sent.line], ...fields, ...body];
}
