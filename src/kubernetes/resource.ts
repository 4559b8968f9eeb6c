/** A JSON object of which nothing is known yet. */
export type Json = Readonly<Record<string, unknown>>;

/** A condition of a status. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** An object of a cluster, as far as all kinds are alike. */
export interface Resource {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly version: string;
  /** When it was made, as the cluster says it: texts that sort by time. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Json;
  readonly status: Json;
  /** All of it, for kinds without a `spec`. */
  readonly whole: Json;
}

/** Reads an object of a cluster. What the cluster keeps for itself is left out, for it is large. */
export function resourceOf(kind: string, value: unknown): Resource {
  const { metadata, spec, status, ...rest } = jsonOf(value);
  const meta = jsonOf(metadata);
  return {
    kind,
    namespace: textOf(meta['namespace']),
    name: textOf(meta['name']),
    generation: typeof meta['generation'] === 'number' ? meta['generation'] : 0,
    version: textOf(meta['resourceVersion']),
    created: textOf(meta['creationTimestamp']),
    labels: textsOf(meta['labels']),
    annotations: textsOf(meta['annotations']),
    spec: jsonOf(spec),
    status: jsonOf(status),
    whole: rest,
  };
}

/** The key of an object among those of its kind. */
export function keyOf({ namespace, name }: Pick<Resource, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** What an object is called for people: `HTTPRoute shop/users`. */
export function titleOf({ kind, namespace, name }: Pick<Resource, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

/** The older first, then by name: who comes first wins where two say the same. */
export function byAge(a: Resource, b: Resource): number {
  return compare(a.created, b.created) || compare(keyOf(a), keyOf(b));
}

function compare(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

/** A value as an object; an empty one for what is none. */
export function jsonOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A value as a list of objects. */
export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(jsonOf) : [];
}

/** A value as a text; an empty one for what is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The texts of a list. */
export function wordsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function textsOf(value: unknown): Record<string, string> {
  const pairs = Object.entries(jsonOf(value));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
