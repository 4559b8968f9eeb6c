import type { z } from 'zod';
import type { ConfigPath } from '../../config/config-path.ts';
import type { NoteKind, Notes } from './notes.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** A value of a source file, which remembers what of it was looked at, so that nothing is passed over in silence. */
export class Source {
  readonly value: unknown;
  readonly path: ConfigPath;
  readonly notes: Notes;
  #isSettled = false;
  readonly #read = new Map<string | number, Source | undefined>();

  constructor(value: unknown, path: ConfigPath, notes: Notes) {
    this.value = value;
    this.path = path;
    this.notes = notes;
  }

  /** Whether there is something under a key; `null` is nothing, as in the exports of both formats. */
  has(key: string): boolean {
    return isObject(this.value) && Object.hasOwn(this.value, key) && this.value[key] !== null;
  }

  /** What is under a key, to be looked into; undefined for nothing. */
  at(key: string | number): Source | undefined {
    if (!this.has(String(key))) return undefined;
    const before = this.#read.get(key);
    if (before !== undefined) return before;
    const value = (this.value as Readonly<Record<string | number, unknown>>)[key];
    const source = new Source(value, [...this.path, key], this.notes);
    this.#read.set(key, source);
    return source;
  }

  /** The items of a list under a key; none for nothing. What is no list is a fault. */
  list(key: string): Source[] {
    const source = this.at(key);
    if (source === undefined) return [];
    if (Array.isArray(source.value)) return source.value.flatMap((_, index) => source.at(index) ?? []);
    this.notes.fault(source.path, 'expected a list');
    return [];
  }

  /** The entries of a map under a key; none for nothing. What is no map is a fault. */
  entries(key: string): [name: string, entry: Source][] {
    const source = this.at(key);
    if (source === undefined) return [];
    if (isObject(source.value) && !Array.isArray(source.value))
      return Object.keys(source.value).flatMap((name) => {
        const entry = source.at(name);
        return entry === undefined ? [] : [[name, entry] as [string, Source]];
      });
    this.notes.fault(source.path, 'expected a map');
    return [];
  }

  /** The value under a key, all of it looked at; undefined for nothing. One of another form is a fault. */
  get<Schema extends z.ZodType>(key: string, schema: Schema): z.output<Schema> | undefined {
    if (!this.has(key)) return undefined;
    this.skip(key);
    const value = (this.value as Readonly<Record<string, unknown>>)[key];
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    this.notes.fault([...this.path, key, ...((issue?.path ?? []) as ConfigPath)], formOf(issue));
    return undefined;
  }

  /** Looks at keys that mean nothing here. */
  skip(...keys: readonly string[]): void {
    for (const key of keys) this.#read.set(key, undefined);
  }

  /** Takes all of it as looked at: something was said of the whole. */
  settle(): void {
    this.#isSettled = true;
  }

  /** Looks at keys that have the value which they have by default, as full exports write them. */
  skipDefaults(defaults: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(defaults))
      if (
        this.has(key) &&
        JSON.stringify((this.value as Record<string, unknown>)[key]) === JSON.stringify(value)
      )
        this.skip(key);
  }

  /** Says something of this place, or of a key of it. */
  note(kind: NoteKind, message: string, key?: string): void {
    this.notes.add(kind, key === undefined || !this.has(key) ? this.path : [...this.path, key], message);
  }

  /** The places that nobody has looked at, the outermost ones. */
  unread(): ConfigPath[] {
    if (this.#isSettled || !isObject(this.value)) return [];
    return Object.entries(this.value).flatMap(([name, value]): ConfigPath[] => {
      const key = Array.isArray(this.value) ? Number(name) : name;
      if (this.#read.has(key)) return this.#read.get(key)?.unread() ?? [];
      const isNothing = value === null || (isObject(value) && Object.keys(value).length === 0);
      return isNothing ? [] : [[...this.path, key]];
    });
  }
}

// The words of zod for what it found can hold a part of the value, which may be a secret; these cannot.
function formOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_type') return `expected ${issue.expected}`;
  return issue?.code === 'custom' ? issue.message : 'expected another form of value';
}
