import { bundleOf, bundleText } from '../config/config-bundle.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { ConfigStanding } from './config-standing.ts';
import type { ConfigAddition, Reload, WantedReload } from './reload-deps.ts';

/** What was added is less than it was, and may be put into force now. */
export class Again extends Error {}

/** What another source of configuration adds to the file, and what the file said without it. */
export class Additions {
  /** Absent where nothing is added. */
  source: ConfigAddition | undefined = undefined;
  #fileText: string;

  /** @param fileText what the gateway has begun with. */
  constructor(fileText: string) {
    this.#fileText = fileText;
  }

  /** What the file said last that could be put into force. */
  get fileText(): string {
    return this.#fileText;
  }

  /** A text with what is added; what was in force before is taken back as a whole, as it was. */
  withAdded(text: string, { joint, earlier, trigger }: WantedReload, standing: ConfigStanding): string {
    const isWhole = joint !== undefined || earlier !== undefined || standing.keepsText(trigger);
    if (isWhole || this.source === undefined) return text;
    const bundle = bundleOf(text);
    return bundleText({ ...bundle, main: this.source.added(bundle.main) });
  }

  /** Notes how a reload of what the file says has ended. */
  ended(fileText: string, { joint, earlier }: WantedReload, { outcome }: Reload): void {
    const isDone = outcome === 'reloaded' || outcome === 'unchanged';
    if (!isDone || joint !== undefined || earlier !== undefined) return;
    this.#fileText = fileText;
    this.source?.fileInForce?.(bundleOf(fileText).main);
  }

  /** Leaves out what faults are about. @returns whether another try makes sense. */
  areLess({ fileText, mark }: WantedReload, faults: readonly ConfigFault[]): boolean {
    return fileText !== undefined && this.source?.takeOut(faults, mark) === true;
  }
}
