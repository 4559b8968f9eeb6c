import { randomUUID } from 'node:crypto';
import { redacted } from '../../telemetry/redaction.ts';
import { eventText } from './event-text.ts';

/** What a view shows at one moment. */
export interface ViewContent {
  /** Names of the rows, where it has rows; absent for a view that is shown as a whole. */
  readonly dict?: readonly object[];
  /** The rows, in the order of the names; each with its index first. */
  readonly rows?: readonly (readonly unknown[])[];
  /** What is shown as a whole. */
  readonly whole?: object;
  /** How many rows there are besides. */
  readonly total?: number;
}

/** How often all rows are sent, whether they have changed or not. */
const FULL_EVERY = 30;

/**
 * One view that some streams show: made once for all of them. What is sent is absolute, so that who misses something has it again
 * with the next that changes; each row knows at which step it has changed last.
 */
export class LiveView {
  readonly epoch = randomUUID().slice(0, 8);
  readonly key: string;
  readonly everyTicks: number;
  /** How often it was made. */
  step = 0;
  total: number | undefined = undefined;
  readonly #make: () => Promise<ViewContent | undefined>;
  #dict = '';
  #dictAt = 0;
  #rows: { readonly text: string; readonly at: number }[] = [];
  #whole = { text: '', at: 0 };
  /** What whoever has seen the step before is sent; shared by all of them. */
  #diff = '';
  #making: Promise<void> | undefined = undefined;

  /** @param key what is shown. @param everyTicks how often it is made, in seconds. */
  constructor(key: string, everyTicks: number, make: () => Promise<ViewContent | undefined>) {
    this.key = key;
    this.everyTicks = everyTicks;
    this.#make = make;
  }

  /** Makes it anew; who asks meanwhile waits for the same. */
  refresh(): Promise<void> {
    return (this.#making ??= this.#refresh().finally(() => (this.#making = undefined)));
  }

  /** What somebody has to be sent who has seen a step; 0 for nothing yet. */
  after(seen: number): string {
    if (seen >= this.step) return '';
    return seen === this.step - 1 && seen > 0 ? this.#diff : this.#changedAfter(seen);
  }

  /** The step of an id of an event that this view has sent; 0 for any other. */
  stepOf(id: string | undefined): number {
    const [epoch, step] = id?.split('.') ?? [];
    const seen = Number(step);
    return epoch === this.epoch && Number.isSafeInteger(seen) && seen > 0 && seen <= this.step ? seen : 0;
  }

  async #refresh(): Promise<void> {
    const content = await this.#make();
    if (content === undefined) return;
    this.step += 1;
    this.total = content.total;
    if (content.whole !== undefined) this.#takeWhole(JSON.stringify(content.whole));
    else this.#takeRows(content);
    this.#diff = this.#changedAfter(this.step - 1);
  }

  #takeWhole(text: string): void {
    if (withoutMoment(text) !== withoutMoment(this.#whole.text)) this.#whole = { text, at: this.step };
  }

  #takeRows({ dict = [], rows = [] }: ViewContent): void {
    const names = JSON.stringify(dict);
    const isFull = names !== this.#dict || this.step % FULL_EVERY === 0;
    if (names !== this.#dict) this.#dictAt = this.step;
    this.#dict = names;
    this.#rows = rows.map((row, index) => {
      const text = JSON.stringify(row);
      const before = this.#rows[index];
      return !isFull && before?.text === text ? before : { text, at: this.step };
    });
  }

  #changedAfter(seen: number): string {
    const id = `${this.epoch}.${this.step}`;
    let text = '';
    if (this.#dictAt > seen) text += eventText('dict', this.#dict);
    const rows =
      this.#dict === ''
        ? this.#whole.at > seen
          ? [this.#whole]
          : []
        : this.#rows.filter(({ at }) => at > seen);
    if (rows.length > 0) {
      const data = rows.map((row) => row.text).join(',');
      text += eventText('rows', this.#dict === '' ? data : `[${data}]`, id);
    }
    return redacted(text);
  }
}

// What only says when it was made has not changed.
function withoutMoment(text: string): string {
  return text.replace(/"at":"[^"]*",/, '');
}
