import type { ConfigFault } from '../../config/config-fault.ts';
import { renderPath, type ConfigPath } from '../../config/config-path.ts';
import type { YamlDocument } from '../../config/yaml-reader.ts';

/** What became of a place of the source. */
const WORDS = {
  /** A route that answers 503, because who may call it could not be said. */
  closed: 'closed',
  /** Carried over with another meaning. */
  differs: 'differs',
  /** Has no equivalent. */
  left: 'not carried over',
  /** Something that somebody has to set before it works. */
  todo: 'to do',
} as const;

/** What became of a place of the source. */
export type NoteKind = keyof typeof WORDS;

/** Collects what an import could not say, and what keeps the source from being read; each with its place. */
export class Notes {
  readonly #document: YamlDocument;
  readonly #notes = new Map<string, ConfigFault>();
  readonly #faults: ConfigFault[] = [];

  constructor(document: YamlDocument) {
    this.#document = document;
  }

  /** In the order of the file; never with a value of the source that may be secret. */
  get all(): readonly ConfigFault[] {
    return [...this.#notes.values()];
  }

  /** What has another form than its format says: nothing is written then. */
  get faults(): readonly ConfigFault[] {
    return this.#faults;
  }

  /** Says what became of a place; the same twice is said once. */
  add(kind: NoteKind, path: ConfigPath, message: string): void {
    const note = this.#at(path, `${WORDS[kind]}: ${message}`);
    this.#notes.set(JSON.stringify([path, note.message]), note);
  }

  /** Says that a place cannot be read. */
  fault(path: ConfigPath, message: string): void {
    this.#faults.push(this.#at(path, message));
  }

  #at(path: ConfigPath, message: string): ConfigFault {
    const { file, value } = this.#document;
    return { file, ...this.#document.locate(path), key: renderPath(path, value), message };
  }
}
