import { isIP } from 'node:net';
import { urlFault } from '../../config/url.ts';
import type { TargetOptions } from '../target.schema.ts';

/** Most targets that are taken from one source; more are no set but a fault. */
export const MAX_ENTRIES = 10_000;
/** Most entries that a source looks at, those included that are not for use. */
export const MAX_LISTED = 5 * MAX_ENTRIES;

/** What a source knows for sure. */
export interface Known {
  readonly targets: readonly TargetOptions[];
  /** Entries that make no sense, or are not for use, each with the reason. */
  readonly skipped: readonly string[];
  /** How its registry counts changes, for operators. */
  readonly version?: string | undefined;
  /** What an operator should know when there is no target. */
  readonly note?: string | undefined;
  /** How long to wait before it is asked again, in ms; 0 for one that answers when something changes. */
  readonly waitMs: number;
}

/** Why nothing is known: the registry is ill, or what it says cannot be used. It says nothing about the targets. */
export class Unknown extends Error {
  override readonly name = 'Unknown';
  /** How long the registry wants to be left alone, in ms. */
  readonly afterMs: number;

  constructor(message: string, options: { readonly cause?: unknown; readonly afterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs ?? 0;
  }
}

/** How a source is asked. */
export interface Asking {
  /** Ends the question: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** After how long an answer is wanted although nothing has changed, in ms; `Infinity` for whenever it suits. */
  readonly withinMs: number;
}

/** A registry, or whatever else tells which targets an upstream has: a stream of target sets, one for each question. */
export interface DiscoverySource {
  /** The longest time a question may take while all is well, in ms. */
  readonly longestMs: number;
  /**
   * Asks for the targets: the first time at once, later when something may have changed. Asked again after a failure, it
   * begins anew.
   *
   * @throws {Unknown} when that cannot be told; so is every other error understood.
   */
  next(asking: Asking): Promise<Known>;
  /** Ends what it holds between two questions. */
  close(): void;
}

/** The origin of what a registry names; undefined for what is no host or no port. */
export function originOf(scheme: string, host: string, port: number): string | undefined {
  const plain = host.endsWith('.') ? host.slice(0, -1) : host;
  const url = `${scheme}://${isIP(plain) === 6 ? `[${plain}]` : plain}:${port}`;
  const isUsable = urlFault(url, { schemes: [scheme], example: '', rest: 'nothing' }) === undefined;
  return isUsable ? url : undefined;
}

/** Most labels of a target, and most characters of one; Consul has at most 512 in a value. */
const MAX_LABELS = 256;
const MAX_LABEL = 512;
const TEXT = /^[^\p{Cc}]+$/u;

/** Whether a text of a registry may be a label, a zone: it may become a part of a request, where a line break would end it. */
export function isLabelText(text: string): boolean {
  return text.length <= MAX_LABEL && TEXT.test(text);
}

/** The labels that a registry says, of which later ones count; without those that are none, and no more than 256. */
export function labelsFrom(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const labels = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (!isLabelText(name) || !(value === '' || isLabelText(value))) continue;
    if (labels.size < MAX_LABELS || labels.has(name)) labels.set(name, value);
  }
  return Object.fromEntries(labels);
}

/** A set of targets in an order that depends on nothing but the set. */
export function inOrder(targets: readonly TargetOptions[]): readonly TargetOptions[] {
  return [...targets].sort((a, b) => a.priority - b.priority || (a.url < b.url ? -1 : Number(a.url > b.url)));
}
