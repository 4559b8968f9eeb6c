import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'nothing',
  never: 'nothing here',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  email: 'an email address',
  date: 'a date, such as 2026-01-31',
  datetime: 'a date and time, such as 2026-01-31T12:00:00Z',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  cidrv4: 'an IPv4 network, such as 10.0.0.0/8',
  cidrv6: 'an IPv6 network, such as fd00::/8',
  uuid: 'a UUID',
};

/** Says in a few words what one stock issue wants; undefined for an enumeration, whose values say it. */
export function wordsOf(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'too_small':
      return `${bound(issue, 'at least', 'more than')} ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `${bound(issue, 'at most', 'less than')} ${amount(issue.maximum, issue.origin)}`;
    case 'invalid_format':
      return formatWords(issue);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_value':
      return undefined;
    case 'invalid_union':
      return 'options' in issue ? undefined : 'another value';
    default:
      return 'another value';
  }
}

function bound(
  issue: { inclusive?: boolean; exact?: boolean },
  inclusive: string,
  exclusive: string,
): string {
  if (issue.exact) return 'exactly';
  return issue.inclusive === false ? exclusive : inclusive;
}

function amount(count: number | bigint, origin: string): string {
  const unit = origin === 'string' ? 'character' : ['array', 'set'].includes(origin) ? 'item' : '';
  if (unit === '') return String(count);
  return `${count} ${unit}${Number(count) === 1 ? '' : 's'}`;
}

function formatWords(issue: z.core.$ZodIssueInvalidStringFormat): string {
  if (issue.format === 'regex') return `text that matches ${issue.pattern}`;
  const parts = issue as Partial<Record<'prefix' | 'suffix' | 'includes', string>>;
  if (parts.prefix !== undefined) return `text that starts with "${parts.prefix}"`;
  if (parts.suffix !== undefined) return `text that ends with "${parts.suffix}"`;
  if (parts.includes !== undefined) return `text that contains "${parts.includes}"`;
  return FORMATS[issue.format] ?? `a valid ${issue.format}`;
}

/** Names the kind of a value, never its content. */
export function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number')
    return Number.isInteger(value) ? 'a whole number' : 'a number with a fraction';
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'text' : 'a map';
}
