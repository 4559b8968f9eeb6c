import { isCollection, isMap, isScalar, parseDocument, type Node } from 'yaml';
import type { Json } from './resource.ts';

/** What is added to the text of a configuration file, by its sections. */
export interface AddedParts {
  readonly routes: readonly Json[];
  readonly upstreams: ReadonlyMap<string, Json>;
  readonly listeners: readonly Json[];
}

/**
 * The text of a configuration file with more in some of its sections. What was there stays as it was written, line by line
 * but for what follows the additions, so that places in it are those of the file as far as they can be.
 */
export function withAdded(text: string, { routes, upstreams, listeners }: AddedParts): string {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['listeners', listeners.map((one) => `- ${written(one)}`)],
    ['upstreams', [...upstreams].map(([name, one]) => `${JSON.stringify(name)}: ${written(one)}`)],
    ['routes', routes.map((one) => `- ${written(one)}`)],
  ];
  return lists.reduce(
    (whole, [key, lines]) => (lines.length === 0 ? whole : inserted(whole, key, lines)),
    text,
  );
}

// JSON is YAML. No text of a cluster names a variable of this process.
function written(value: Json): string {
  return JSON.stringify(value).replaceAll('${', () => '$${');
}

function inserted(text: string, key: string, lines: readonly string[]): string {
  const head = new RegExp(`^${key}:[ \\t]*(?:#.*)?$`, 'm').exec(text);
  if (head !== null) return intoBlock(text, head.index + head[0].length, lines);
  const inline = new RegExp(`^${key}:`, 'm').exec(text);
  if (inline !== null) return inserted(asBlock(text, key), key, lines);
  const end = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${end}${key}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** Puts lines behind those of a section that begin after a place. */
function intoBlock(text: string, from: number, lines: readonly string[]): string {
  const rest = text.slice(from + 1);
  const first = /^([ ]*)[^\s#]/m.exec(rest);
  // A list may stand as far left as its key, and then ends at what is no item.
  const isFlush = first !== null && first[1] === '' && rest.startsWith('-', first.index);
  const isEmpty = first === null || (first[1] === '' && !isFlush);
  const indent = isEmpty ? '  ' : (first[1] ?? '');
  const next = (isFlush ? /^[^\s#-]/m : /^[^\s#]/m).exec(rest);
  const end = next === null ? rest.length : next.index;
  const before = rest.slice(0, end);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  const added = lines.map((line) => `${indent}${line}\n`).join('');
  return `${text.slice(0, from)}\n${before}${gap}${added}${rest.slice(end)}`;
}

/** Writes the value of a key that stands on its line below it. */
function asBlock(text: string, key: string): string {
  const { contents } = parseDocument(text, { version: '1.2', schema: 'core', keepSourceTokens: false });
  if (!isMap<Node, Node | null>(contents)) return text;
  const pair = contents.items.find((one) => isScalar(one.key) && one.key.value === key);
  const [start, end] = pair?.value?.range ?? [];
  if (pair === undefined || start === undefined || end === undefined) return text;
  const { value } = pair;
  const items = isCollection(value) ? value.items : [];
  const lines = items.map((item) => {
    if (isMap(value)) {
      const { key: name, value: of } = item as unknown as { key: Node; value: Node };
      return `  ${JSON.stringify(name.toJSON())}: ${JSON.stringify(of.toJSON())}\n`;
    }
    return `  - ${JSON.stringify((item as Node).toJSON())}\n`;
  });
  return `${text.slice(0, start).replace(/[ \t]+$/, '')}\n${lines.join('')}${text.slice(end).replace(/^[ \t]*(?:#.*)?\n?/, '')}`;
}
