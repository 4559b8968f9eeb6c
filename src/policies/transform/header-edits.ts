import { foldName } from '../../exchange/reserved-names.ts';

/** Edits of header fields, compiled once per route. */
export interface HeaderEdits {
  /** Flat list of fields to add: name, value. */
  readonly set: readonly string[];
  /** Lower-case names that go: those removed, and those set anew. */
  readonly drop: ReadonlySet<string>;
  /** The same, folded, for what a client says. */
  readonly folded: ReadonlySet<string>;
}

/** Compiles the `setHeaders` and `removeHeaders` of a transform; undefined when there is nothing to do. */
export function compileHeaderEdits(options: {
  readonly setHeaders?: Readonly<Record<string, string>> | undefined;
  readonly removeHeaders?: readonly string[] | undefined;
}): HeaderEdits | undefined {
  const set = Object.entries(options.setHeaders ?? {});
  const drop = new Set(
    [...set.map(([name]) => name), ...(options.removeHeaders ?? [])].map((name) => name.toLowerCase()),
  );
  if (drop.size === 0) return undefined;
  return {
    set: set.flatMap(([name, value]) => [name.toLowerCase(), value]),
    drop,
    folded: new Set([...drop].map(foldName)),
  };
}

/** Applies edits to a flat list of fields in place. */
export function editHeaders(headers: string[], edits: HeaderEdits): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (edits.drop.has(name.toLowerCase())) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  headers.length = kept;
  headers.push(...edits.set);
}
