import { transformPolicy } from '../../../../policies/transform/transform.policy.ts';
import { Variable, variableName, type Section } from '../../draft.ts';
import type { Source } from '../../source.ts';
import { texts, type Plugin, type Translation } from '../plugin.ts';

type Direction = 'request' | 'response';

/** Header fields and the query of requests. */
export function translateRequestTransformer({ config }: Plugin): Translation {
  const query = queryEdits(config);
  return {
    ...transformed('request', headerEdits(config, 'request')),
    ...(Object.keys(query).length > 0 ? { rewrite: { query } } : {}),
  };
}

/** Header fields of answers, and members of their JSON. */
export function translateResponseTransformer({ config }: Plugin): Translation {
  const body = bodyEdits(config);
  return transformed('response', {
    ...headerEdits(config, 'response'),
    ...(body.length > 0 ? { body } : {}),
  });
}

function transformed(direction: Direction, edits: Section): Translation {
  return Object.keys(edits).length === 0 ? {} : { policies: { transform: { [direction]: edits } } };
}

type Texts = Record<string, string | Variable>;

/** Names of what a service is let in by: their values are the environment's. */
const SECRET = /auth|cookie|credential|key|passw|secret|session|signature|token/i;

function secretOf(name: string, place: Source, key: string): Variable | undefined {
  if (!SECRET.test(name)) return undefined;
  const variable = new Variable(variableName('KONG', name));
  place.note('todo', `set ${variable.name} to the value of ${name}, which may be a secret`, key);
  return variable;
}

function headerEdits(config: Source, direction: Direction): Section {
  const isFor = (edit: Section): boolean => transformPolicy.schema.safeParse({ [direction]: edit }).success;
  const edits = { setHeaders: {} as Texts, addHeaders: {} as Texts, renameHeaders: {} as Texts };
  const put = (place: Source | undefined, kind: keyof typeof edits, name: string, value: string): boolean => {
    const isFirst = !Object.keys(edits[kind]).some((other) => other.toLowerCase() === name.toLowerCase());
    const isSaid = isFirst && isFor({ [kind]: { [name]: value } });
    const isValue = kind !== 'renameHeaders' && place !== undefined;
    if (isSaid) edits[kind][name] = (isValue && secretOf(name, place, 'headers')) || value;
    else place?.note('left', `${name}: the gateway says it itself, or it cannot be said so`, 'headers');
    return isSaid;
  };
  const removed = config.at('remove');
  const removeHeaders = (removed?.get('headers', texts) ?? []).filter((name) => {
    const isSaid = isFor({ removeHeaders: [name] });
    if (!isSaid) removed?.note('left', `${name}: is no name of a header field`, 'headers');
    return isSaid;
  });
  for (const [from, to] of pairsOf(config.at('rename'), 'headers'))
    put(config.at('rename'), 'renameHeaders', from, to);
  for (const [place, name, value] of valuesOf(config, 'replace', 'headers')) {
    if (put(place, 'setHeaders', name, literal(value)))
      place.note('differs', `${name} is set also where there is none to replace`, 'headers');
  }
  for (const [place, name, value] of valuesOf(config, 'add', 'headers')) {
    const ifMissing = `{request.header.${name.toLowerCase()}|${value}}`;
    const isConditional =
      direction === 'request' && !SECRET.test(name) && isFor({ setHeaders: { [name]: ifMissing } });
    const isSaid = put(place, 'setHeaders', name, isConditional ? ifMissing : literal(value));
    if (isSaid && !isConditional)
      place.note('differs', `${name} is set also where there is one, which is replaced`, 'headers');
  }
  for (const [place, name, value] of valuesOf(config, 'append', 'headers'))
    put(place, 'addHeaders', name, literal(value));
  return withoutNothing({ ...edits, removeHeaders });
}

function queryEdits(config: Source): Section {
  const remove = config.at('remove')?.get('querystring', texts) ?? [];
  const rename = Object.fromEntries(pairsOf(config.at('rename'), 'querystring'));
  const set: Texts = {};
  for (const [place, name, value] of valuesOf(config, 'replace', 'querystring')) {
    set[name] = secretOf(name, place, 'querystring') ?? literal(value);
    place.note('differs', `${name} is set also where there is none to replace`, 'querystring');
  }
  for (const [place, name, value] of valuesOf(config, 'add', 'querystring')) {
    const isConditional = !SECRET.test(name) && /^[\w-]+$/.test(name) && !/[{}|]/.test(value) && value !== '';
    set[name] ??= isConditional
      ? `{query.${name}|${value}}`
      : (secretOf(name, place, 'querystring') ?? literal(value));
    if (!isConditional)
      place.note('differs', `${name} is set also where there is one, which is replaced`, 'querystring');
  }
  const add = Object.fromEntries(
    valuesOf(config, 'append', 'querystring').map(([place, name, value]) => [
      name,
      secretOf(name, place, 'querystring') ?? literal(value),
    ]),
  );
  return withoutNothing({ remove, rename, set, add });
}

function withoutNothing(edits: Section): Section {
  return Object.fromEntries(
    Object.entries(edits).filter(([, edit]) => Object.keys(edit as object).length > 0),
  );
}

/** A text that is no template, whatever braces it has. */
function literal(text: string): string {
  return text.replaceAll(/[{}]/g, '$&$&');
}

// Templates of Kong are code, and stay behind.
function valuesOf(config: Source, kind: string, key: string): [place: Source, name: string, value: string][] {
  const place = config.at(kind);
  return pairsOf(place, key).flatMap(([name, value]): [Source, string, string][] => {
    if (place === undefined) return [];
    if (!value.includes('$(')) return [[place, name, value]];
    place.note('left', `${name}: its value is a template of Kong; see docs/rewriting.md for ours`, key);
    return [];
  });
}

function bodyEdits(config: Source): Section[] {
  const remove = (config.at('remove')?.get('json', texts) ?? []).map(pathOf);
  const rename = pairsOf(config.at('rename'), 'json').map(([from, to]) => [pathOf(from), to]);
  const place = config.at('add');
  const types = place?.get('json_types', texts) ?? [];
  const added = pairsOf(place, 'json').map(([name, value], index) => [
    pathOf(name),
    typed(value, types[index]),
  ]);
  return [
    ...(remove.length > 0 ? [{ remove }] : []),
    ...(rename.length > 0 ? [{ rename: Object.fromEntries(rename) as Section }] : []),
    ...(added.length > 0 ? [{ default: Object.fromEntries(added) as Section }] : []),
  ];
}

/** A name of Kong is one member, whatever it looks like. */
function pathOf(name: string): string {
  return name.replaceAll(/[.[\]\\]/g, String.raw`\$&`);
}

function typed(value: string, type: string | undefined): unknown {
  if (type === 'number') return Number(value);
  return type === 'boolean' ? value === 'true' : value;
}

/** Texts such as `name:value`. */
function pairsOf(place: Source | undefined, key: string): [name: string, value: string][] {
  return (place?.get(key, texts) ?? []).map((text) => {
    const at = text.indexOf(':');
    return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).trimStart()];
  });
}
