import type { Call } from '../calls/call.ts';

type AnyCall = Call<never, unknown>;

/** Bounds what a source can leave behind that makes calls up as it runs; calls are declared once, by rule. */
const MAX_CALLS = 50;

/** What the sections of a view have waited for and called in this process, where their declarations do not say. */
export class ObservedDependencies {
  readonly #sections: (Set<number> | undefined)[] = [];
  readonly #calls: (Map<string, AnyCall> | undefined)[] = [];

  /** Takes note that one section asked for another. */
  note(asking: number, asked: number): void {
    (this.#sections[asking] ??= new Set()).add(asked);
  }

  /** Takes note that the function of a section made a call. */
  noteCall(section: number, call: AnyCall): void {
    const calls = (this.#calls[section] ??= new Map<string, AnyCall>());
    if (calls.size < MAX_CALLS && !calls.has(call.name)) calls.set(call.name, call);
  }

  /** The places of the sections that one has asked for so far, in order. */
  of(section: number): readonly number[] {
    return [...(this.#sections[section] ?? [])].toSorted((a, b) => a - b);
  }

  /** The calls that the function of a section has made so far, by name. */
  callsOf(section: number): readonly AnyCall[] {
    return [...(this.#calls[section]?.values() ?? [])].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
