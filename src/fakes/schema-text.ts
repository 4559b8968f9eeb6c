/** What stands for texts of a format, the same each time. */
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
  time: '03:04:05Z',
  duration: 'PT1H',
  email: 'ann@example.com',
  'idn-email': 'ann@example.com',
  hostname: 'www.example.com',
  'idn-hostname': 'www.example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/example',
  url: 'https://example.com/',
  iri: 'https://example.com/',
  uuid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  byte: 'Z2F0ZWhvdXNl',
  binary: 'gatehouse',
  password: 'secret',
  'json-pointer': '/example',
  regex: '.*',
};

/** What a text is to be like. */
export interface TextSchema {
  readonly format?: unknown;
  readonly minLength?: unknown;
  readonly maxLength?: unknown;
}

/** A text of a schema: by its format, else by its name, as long as it has to be. Patterns are not looked at. */
export function schemaText({ format, minLength, maxLength }: TextSchema, name: string): string {
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  const text = known ?? (name === '' ? 'text' : name);
  const least = countOf(minLength, 0);
  const longer = text.length < least && least < MOST_CHARACTERS ? text.padEnd(least, 'x') : text;
  return longer.slice(0, countOf(maxLength, longer.length));
}

/** Longer ones are left as they are: whoever asks for them wants no example. */
const MOST_CHARACTERS = 10_000;

function countOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}
