import { hash } from 'node:crypto';
import type { z } from 'zod';
import { ConfigError } from './config-fault.ts';
import type { ReadConfig } from './config-reader.ts';
import type { Variables } from './interpolation.ts';
import { findLongList, type LongList } from './long-list.ts';
import { Slices } from './slices.ts';
import { readYaml, type Position, type YamlDocument } from './yaml-reader.ts';

/** How many items are read at a time: about two milliseconds. */
const AT_A_TIME = 40;
/** Pieces of this length are read without the library where they can be. */
const LONG_PIECE = 1000;

/** How a text is read in turns. */
export interface TurnsReading {
  /** What `${NAME}` stands for. Default: the environment of the process. */
  readonly variables?: Variables | undefined;
  /** The list that it has to be, where only that one's items have nothing to do with each other. Default any. */
  readonly key?: string;
}

interface Piece {
  readonly document: YamlDocument;
  /** How many lines before it are not in its own text. */
  readonly lines: number;
}

/**
 * Reads a long text as {@link import('./config-reader.ts').readConfig} does, a piece of its longest list after the other, with
 * turns of the event loop between. What only all items together show, or items and the rest, such as an id that stands twice, is not looked at.
 *
 * @returns undefined where it has no long list, or anything is wrong with it: that is told of the text as a whole.
 */
export async function readConfigInTurns<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  { variables, key }: TurnsReading = {},
): Promise<ReadConfig<z.output<Schema>> | undefined> {
  const list = findLongList(text);
  if (list === undefined || (key !== undefined && keyOf(list) !== key)) return undefined;
  try {
    return await readPieces(schema, list, { file, variables });
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

async function readPieces<Schema extends z.ZodType>(
  schema: Schema,
  list: LongList,
  { file, variables }: { readonly file: string; readonly variables: Variables | undefined },
): Promise<ReadConfig<z.output<Schema>> | undefined> {
  const { text, outline, heading, bounds } = list;
  const key = keyOf(list);
  const whole = readYaml(outline, file, variables);
  const around = objectOf(whole);
  // Its lines were part of something else, such as a text.
  if (around === undefined || around[key] !== null) return undefined;
  const base = schema.safeParse({ ...around, [key]: [] });
  if (!base.success) return undefined;
  const slices = new Slices();
  const pieces: Piece[] = [];
  const raw: unknown[] = [];
  const items: unknown[] = [];
  let lines = lineCount(text.slice(0, bounds[0]));
  for (let index = 0; index < bounds.length - 1; index += AT_A_TIME) {
    const end = Math.min(index + AT_A_TIME, bounds.length - 1);
    const part = text.slice(bounds[index], bounds[end]);
    const document = readYaml(heading + part, file, variables, LONG_PIECE);
    const read = objectOf(document)?.[key];
    if (!Array.isArray(read) || read.length !== end - index) return undefined;
    // Without the rest, which was checked: there may be as many upstreams as routes.
    const checked = schema.safeParse({ version: around['version'], [key]: read });
    if (!checked.success) return undefined;
    pieces.push({ document, lines: lines - 1 });
    raw.push(...(read as unknown[]));
    items.push(...((checked.data as Readonly<Record<string, unknown[]>>)[key] ?? []));
    lines += lineCount(part);
    await slices.pause();
  }
  const value = { ...(base.data as object), [key]: items } as z.output<Schema>;
  const [start, after] = [lineCount(text.slice(0, bounds[0])), lines];
  const outside = (path: Parameters<YamlDocument['locate']>[0]): Position => {
    const { line, column } = whole.locate(path);
    return { line: line > start ? line + after - start : line, column };
  };
  const document: YamlDocument = {
    file,
    text,
    readAtMs: whole.readAtMs,
    digest: hash('sha256', text, 'hex'),
    value: { ...around, [key]: raw },
    faults: [],
    faultyPaths: [],
    locate(path) {
      const [section, index, ...rest] = path;
      if (section !== key || typeof index !== 'number') return outside(path);
      const piece = pieces[Math.floor(index / AT_A_TIME)];
      if (piece === undefined) return outside([key]);
      const { line, column } = piece.document.locate([key, index % AT_A_TIME, ...rest]);
      return { line: line + piece.lines, column };
    },
  };
  return { value, document };
}

function keyOf({ heading }: LongList): string {
  return heading.slice(0, heading.indexOf(':'));
}

function objectOf({ value, faults }: YamlDocument): Readonly<Record<string, unknown>> | undefined {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isPlain && faults.length === 0 ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function lineCount(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
