import { UsageError, type OptionValues } from '../options.ts';

/** Where the document is that a client is made of. */
export interface ClientSource {
  /** A URL, or a file. */
  readonly place: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Reads what says where the document comes from. @throws UsageError for what makes no sense together. */
export function clientSource(values: OptionValues): ClientSource | undefined {
  const place = values.text('from');
  const headers = values.list('header').map(fieldOf);
  if (place === undefined) {
    if (headers.length > 0) throw new UsageError('client: --header is for --from http://…');
    return undefined;
  }
  if (values.flag('config'))
    throw new UsageError('client: expected --from or --config, not both: each says what the routes are');
  if (headers.length > 0 && !/^https?:/i.test(place))
    throw new UsageError('client: --header is for --from http://…, not for a file');
  return { place, headers };
}

function fieldOf(text: string): readonly [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/.exec(text) ?? [];
  // Not what it says, which may be a credential.
  if (name === undefined || value === undefined) throw new UsageError('--header: expected `Name: value`');
  return [name, value];
}
