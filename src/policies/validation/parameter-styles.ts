import { repeatedName } from '../../exchange/repeated-names.ts';

/** What a parameter is, as far as its spelling depends on it. */
export type ParameterKind = 'scalar' | 'list' | 'fields';

/** How OpenAPI says that a parameter is written (OpenAPI 3.1 section 4.8.12.2). */
export interface ParameterSpelling {
  readonly name: string;
  readonly style: string;
  readonly explode: boolean;
  readonly kind: ParameterKind;
  /** Whether it is JSON, by `content`. */
  readonly isJson: boolean;
  /** Of fields that stand for themselves, beside other parameters: which are its own. */
  readonly owns: (name: string) => boolean;
}

/** Names and values as they are written, still percent-encoded where the place says so. */
export type RawPairs = readonly (readonly [name: string, value: string])[];

/** What is read: a value that a schema can look at, undefined for nothing, or what is wrong with how it is written. */
export type ReadValue = { readonly value: unknown } | { readonly fault: string };

/** Decodes a value, or a part of one, of its place. */
export type Decode = (text: string) => string;

/** Reads one parameter. */
export type ReadParameter = (pairs: RawPairs, decode: Decode) => ReadValue;

const ABSENT: ReadValue = { value: undefined };
const TWICE: ReadValue = { fault: 'must stand once' };
const NO_JSON: ReadValue = { fault: 'must be JSON' };
const MISSPELLED: ReadValue = { fault: 'must be written in the style of the parameter' };

/** What stands between the parts of a value; where a delimiter has to be percent-encoded, both spellings are it. */
const DELIMITERS: Readonly<Record<string, RegExp>> = {
  form: /,/,
  simple: /,/,
  spaceDelimited: /%20|\+| /,
  pipeDelimited: /\||%7C/i,
};

/** Styles by place; anything else is a fault of the file. */
const STYLES: Readonly<Record<string, readonly string[]>> = {
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  path: ['simple', 'label', 'matrix'],
  header: ['simple'],
  cookie: ['form'],
};

/**
 * Compiles how a parameter is read.
 *
 * @throws {Error} for a style that its place does not have, or that says nothing of such a value.
 */
export function compileParameter(place: string, spelling: ParameterSpelling): ReadParameter {
  const { name, style, explode, kind, isJson } = spelling;
  if (isJson) return (pairs, decode) => once(valuesOf(pairs, name), (raw) => jsonOf(decode(raw)));
  if (STYLES[place]?.includes(style) !== true)
    throw new Error(`parameter ${name}: expected \`style\` ${STYLES[place]?.join(', ')}, got ${style}`);
  if (style === 'deepObject') return deepObject(spelling);
  if (style === 'label' || style === 'matrix')
    return (pairs, decode) => once(valuesOf(pairs, name), (raw) => prefixed(raw, spelling, decode));
  if (place === 'query' || place === 'cookie') return formed(spelling);
  const pair = explode ? '=' : undefined;
  const trims = place === 'header';
  return (pairs, decode) =>
    once(valuesOf(pairs, name), (raw) => {
      if (kind === 'scalar') return { value: decode(raw) };
      const parts = raw.split(',').map((one) => (trims ? one.trim() : one));
      return kind === 'list' ? { value: parts.map(decode) } : fieldsOf(parts, pair, decode);
    });
}

function formed(spelling: ParameterSpelling): ReadParameter {
  const { name, style, explode, kind, owns } = spelling;
  if (kind === 'scalar')
    return (pairs, decode) => {
      const values = valuesOf(pairs, name).map(decode);
      // One that stands twice is a list, which no schema of a scalar takes.
      return { value: values.length > 1 ? values : values[0] };
    };
  if (explode && kind === 'list')
    return (pairs, decode) => {
      const values = valuesOf(pairs, name);
      return values.length === 0 ? ABSENT : { value: values.map(decode) };
    };
  if (explode) return (pairs, decode) => collect(pairs.filter(([one]) => owns(one)), decode); // prettier-ignore
  const delimiter = DELIMITERS[style] as RegExp;
  return (pairs, decode) =>
    once(valuesOf(pairs, name), (raw) => {
      const parts = raw.split(delimiter);
      return kind === 'list' ? { value: parts.map(decode) } : fieldsOf(parts, undefined, decode);
    });
}

/** `name[field]=value`; one level, as OpenAPI defines no other. */
function deepObject({ name, kind }: ParameterSpelling): ReadParameter {
  if (kind !== 'fields') throw new Error(`parameter ${name}: \`deepObject\` is for objects`);
  const start = `${name}[`;
  return (pairs, decode) => {
    // The bare name is what other readers take for the whole.
    if (pairs.some(([one]) => one === name)) return MISSPELLED;
    const own = pairs.filter(([one]) => one.startsWith(start));
    const fields = own.map(([one, value]) => [one.slice(start.length, -1), value] as const);
    const isPlain = own.every(([one], at) => one.endsWith(']') && !/[[\]]/.test(fields[at]?.[0] ?? ''));
    return isPlain ? collect(fields, decode) : MISSPELLED;
  };
}

/** The styles of paths that begin with a sign of their own (RFC 6570 sections 3.2.5 and 3.2.7). */
function prefixed(raw: string, { name, style, explode, kind }: ParameterSpelling, decode: Decode): ReadValue {
  const sign = style === 'label' ? '.' : ';';
  if (!raw.startsWith(sign)) return MISSPELLED;
  const text = raw.slice(1);
  if (kind === 'fields' && explode) return fieldsOf(text.split(sign), '=', decode);
  if (style === 'label') {
    if (kind === 'scalar') return { value: decode(text) };
    const parts = text.split(explode ? '.' : ',');
    return kind === 'list' ? { value: parts.map(decode) } : fieldsOf(parts, undefined, decode);
  }
  const values: string[] = [];
  for (const one of text.split(';')) {
    if (one !== name && !one.startsWith(`${name}=`)) return MISSPELLED;
    values.push(one.slice(name.length + 1));
  }
  if (kind === 'list' && explode) return { value: values.map(decode) };
  return once(values, (value) => {
    if (kind === 'scalar') return { value: decode(value) };
    const parts = value.split(',');
    return kind === 'list' ? { value: parts.map(decode) } : fieldsOf(parts, undefined, decode);
  });
}

function valuesOf(pairs: RawPairs, name: string): readonly string[] {
  return pairs.filter(([one]) => one === name).map(([, value]) => value);
}

// Fails closed: of two, some services take the first and some the last.
function once(values: readonly string[], read: (raw: string) => ReadValue): ReadValue {
  const [only] = values;
  return only === undefined ? ABSENT : values.length > 1 ? TWICE : read(only);
}

function jsonOf(text: string): ReadValue {
  try {
    const value: unknown = JSON.parse(text);
    return repeatedName(text) === undefined ? { value } : TWICE;
  } catch {
    return NO_JSON;
  }
}

/** `a,1,b,2`, or `a=1` with a sign between name and value. */
function fieldsOf(parts: readonly string[], sign: string | undefined, decode: Decode): ReadValue {
  const pairs: [string, string][] = [];
  if (sign === undefined) {
    if (parts.length % 2 === 1) return MISSPELLED;
    for (let at = 0; at < parts.length; at += 2)
      pairs.push([decode(parts[at] as string), parts[at + 1] as string]);
  } else {
    for (const part of parts) {
      const at = part.indexOf(sign);
      if (at < 0) return MISSPELLED;
      pairs.push([decode(part.slice(0, at)), part.slice(at + 1)]);
    }
  }
  const names = new Set(pairs.map(([name]) => name));
  return names.size < pairs.length ? TWICE : collect(pairs, decode);
}

/** Fields of their values, a list for one that stands several times; undefined for none. */
function collect(pairs: RawPairs, decode: Decode): ReadValue {
  if (pairs.length === 0) return ABSENT;
  const fields = Object.create(null) as Record<string, unknown>;
  for (const [name, raw] of pairs) {
    const before = fields[name];
    if (before === undefined) fields[name] = decode(raw);
    else if (Array.isArray(before)) before.push(decode(raw));
    else fields[name] = [before, decode(raw)];
  }
  return { value: fields };
}
