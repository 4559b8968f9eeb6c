import { ConfigError } from '../config/config-fault.ts';
import { inTurns } from '../routing/steps.ts';
import { diffInSteps } from '../snapshot/config-diff.ts';
import type { ConfigEntry } from '../snapshot/config-history.ts';
import { diffRows, type DiffRow } from '../snapshot/diff-rows.ts';
import type { Reloads } from '../snapshot/reloads.ts';
import { shownText } from '../snapshot/shown-text.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { textDiff } from '../snapshot/text-diff.ts';
import { redactedFields } from '../telemetry/redaction.ts';

/** A configuration that was given, with its text. */
export type ComparedConfig = Pick<ConfigEntry, 'generation' | 'sha' | 'outcome' | 'faults'> & {
  readonly text: string;
};

/** What has changed in meaning, or why nobody can say. */
interface Meaning {
  readonly changes: readonly DiffRow[];
  readonly faults?: ConfigError['faults'];
}

/** What differences are made of. */
export interface DifferencesDeps {
  readonly snapshots: Snapshots;
  readonly reloads: Pick<Reloads, 'compared'>;
}

/** How configurations differ, in meaning and as text; made between turns of the event loop. */
export class ConfigDifferences {
  readonly #deps: DifferencesDeps;
  /** Compiling takes seconds of thousands of routes: one after the other, and the last one once. */
  #running: Promise<unknown> = Promise.resolve();
  #last: { readonly of: string; readonly answer: object } | undefined = undefined;

  constructor(deps: DifferencesDeps) {
    this.#deps = deps;
  }

  /** How two differ. Rejects for nothing that is wrong with them. */
  async between(before: ComparedConfig, after: ComparedConfig): Promise<object> {
    const of = `${before.sha} ${after.sha}`;
    const run = this.#running.then(async () => {
      if (this.#last?.of !== of) this.#last = { of, answer: await this.#compared(before, after) };
      return this.#last.answer;
    });
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #compared(before: ComparedConfig, after: ComparedConfig): Promise<object> {
    const named = async ({ generation, text }: ComparedConfig) => ({
      name: `configuration ${generation}`,
      text: await shownText(text),
    });
    const meaning = await this.#meaning(before, after);
    const text = await textDiff(await named(before), await named(after));
    return { ...meaning, ...(text === undefined ? { tooDifferent: true } : { text }) };
  }

  async #meaning(before: ComparedConfig, after: ComparedConfig): Promise<Meaning> {
    if (before.text === after.text) return { changes: [] };
    const made: Snapshot[] = [];
    const compiled = async (one: ComparedConfig): Promise<Snapshot> => {
      const { current } = this.#deps.snapshots;
      // One that was refused has no meaning, and what was wrong with it is known.
      if (one.outcome === 'refused' && one.faults?.length) throw new ConfigError(one.faults);
      const isCurrent = current.source.document.text === one.text;
      // Neither ends while it is compared: another one may come into force meanwhile.
      if (isCurrent) current.hold();
      const snapshot = isCurrent ? current : await this.#deps.reloads.compared(one.text);
      if (!isCurrent) snapshot.hold();
      made.push(snapshot);
      return snapshot;
    };
    try {
      const diff = await inTurns(diffInSteps(await compiled(before), await compiled(after)));
      // What a field is set to may be a credential; that it changes is told all the same.
      return { changes: diffRows(redactedFields(diff)) };
    } catch (error) {
      // One that names files which are not there any more has no meaning either; its text is compared.
      if (error instanceof ConfigError) return { changes: [], faults: error.faults };
      throw error;
    } finally {
      for (const snapshot of made) snapshot.release();
    }
  }
}
