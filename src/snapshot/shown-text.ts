import { setImmediate as turn } from 'node:timers/promises';
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { bundleOf } from '../config/config-bundle.ts';
import { findLongList } from '../config/long-list.ts';
import { REDACTED, redacted, redactionVersion } from '../telemetry/redaction.ts';
import { isSecretField, maySayASecret } from '../telemetry/secret-names.ts';
import { withoutSecretLines } from './secret-lines.ts';

/** A part of a text. */
type Span = readonly [from: number, to: number];

const MAPS = /headers|query|cookies/i;
/** What is only the name of a variable tells nothing. */
const REFERENCE = /^["']?\$\{[A-Za-z_]\w*\}["']?$/;
/** How many texts are kept as they are shown: making one of ten thousand routes takes a second, and many may look at it at once. */
const MOST_MADE = 4;

const made = new Map<string, { readonly version: string; readonly shown: Promise<string> }>();

/** How many items of a long list are read between two turns of the loop. */
const AT_A_TIME = 50;

/**
 * The text of a configuration for operators: as it was written, without the values of fields that may be secrets, what looks
 * like a secret, and what comments say under such names. Fails closed: of a text that is no YAML every line is looked at by itself.
 */
export function shownText(text: string): Promise<string> {
  const version = redactionVersion();
  const known = made.get(text);
  if (known?.version === version) return known.shown;
  const shown = show(text);
  made.delete(text);
  made.set(text, { version, shown });
  const [oldest = ''] = made.keys();
  if (made.size > MOST_MADE) made.delete(oldest);
  shown.catch(() => made.delete(text));
  return shown;
}

async function show(text: string): Promise<string> {
  const { main, patterns, parts } = bundleOf(text);
  if (patterns.length === 0) return showFile(text);
  const shown = [await showFile(main)];
  for (const part of parts) {
    shown.push(
      `# file: ${part.name}${part.fault === undefined ? '' : ` (${part.fault})`}`,
      await showFile(part.text),
    );
    if (part.used !== undefined) shown.push(`# last good: ${part.name}`, await showFile(part.used));
  }
  return shown.join('\n');
}

async function showFile(text: string): Promise<string> {
  const spans = (await spansInPieces(text)) ?? spansOf(parse(text), text);
  if (spans === undefined) return redacted(withoutSecretLines(text, 'all'));
  return redacted(withoutSecretLines(hidden(text, spans), 'comments'));
}

function hidden(text: string, spans: readonly Span[]): string {
  let shown = '';
  let at = 0;
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (from < at) continue;
    const end = text[to - 1] === '\n' ? '\n' : '';
    shown += `${text.slice(at, from)}"${REDACTED}"${end}`;
    at = to;
  }
  return shown + text.slice(at);
}

// A text with ten thousand routes is no reason for requests to wait.
async function spansInPieces(text: string): Promise<readonly Span[] | undefined> {
  const list = findLongList(text);
  if (list === undefined) return undefined;
  const { bounds, heading, outline } = list;
  const start = bounds[0] as number;
  const gap = text.length - outline.length;
  const around = spansOf(parse(outline), outline);
  if (around === undefined) return undefined;
  const spans = around.map(([from, to]): Span => (from < start ? [from, to] : [from + gap, to + gap]));
  for (let index = 0; index < bounds.length - 1; index += AT_A_TIME) {
    const first = bounds[index] as number;
    const piece = heading + text.slice(first, bounds[Math.min(index + AT_A_TIME, bounds.length - 1)]);
    const found = spansOf(parse(piece), piece);
    if (found === undefined) return undefined;
    const shift = first - heading.length;
    spans.push(...found.map(([from, to]): Span => [from + shift, to + shift]));
    await turn();
  }
  return spans;
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: false, logLevel: 'silent' });
}

/** What of a document may be secret; undefined where it is none. */
function spansOf(document: Document.Parsed, text: string): Span[] | undefined {
  if (document.errors.length > 0) return undefined;
  const spans: Span[] = [];
  const hide = (node: unknown): void => {
    if (isAlias(node)) hide(node.resolve(document));
    else if (isMap(node)) for (const { value } of node.items) hide(value);
    else if (isSeq(node)) for (const item of node.items) hide(item);
    else if (isScalar(node) && node.range) {
      const [from, to] = node.range;
      if (to > from && !REFERENCE.test(text.slice(from, to).trim())) spans.push([from, to]);
    }
  };
  look(document.contents, false, hide);
  return spans;
}

function look(node: unknown, isInMap: boolean, hide: (node: unknown) => void): void {
  if (isSeq(node)) for (const item of node.items) look(item, isInMap, hide);
  if (!isMap(node)) return;
  const named = nameOf(node.items.find((pair) => textOf(pair.key) === 'name'));
  for (const { key, value } of node.items) {
    const name = textOf(key);
    const isSecret = isInMap ? maySayASecret(name) : isSecretField(name);
    // As lists of `name` and `value` say fields.
    const isValueOfSecret = name === 'value' && named !== undefined && maySayASecret(named);
    if (isSecret || isValueOfSecret) hide(value);
    else look(value, isInMap || MAPS.test(name), hide);
  }
}

function nameOf(pair: Pair | undefined): string | undefined {
  return pair === undefined ? undefined : textOf(pair.value);
}

function textOf(node: unknown): string {
  return isScalar(node as Node) ? String((node as { value: unknown }).value) : '';
}
