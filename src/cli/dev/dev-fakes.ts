import { Fakes } from '../../fakes/fakes.ts';
import { configForm } from '../../pipeline/actions.ts';
import { readGatewayFile } from '../../routing/teams/read-gateway.ts';
import type { DevCommand } from './dev-command.ts';

const LOOK_EVERY_MS = 2000;

/** Whoever hears of fakes. */
export interface DevFakesEvents {
  /** Hears of each answer. */
  readonly say: (line: string) => void;
  /** Hears that others are to be faked than are. */
  readonly changed: () => void;
}

/** The fakes of a gateway under development, which come and go as services do. */
export class DevFakes extends Fakes {
  readonly #changed: () => void;
  #looks: NodeJS.Timeout | undefined = undefined;
  #isLooking = false;

  constructor({ fakes, fakesMissing }: DevCommand, { say, changed }: DevFakesEvents) {
    super({ wanted: fakes, missing: fakesMissing, say });
    this.#changed = changed;
  }

  /**
   * Goes by what a file says now, before the gateway reads it. What is wrong with the file the gateway says itself.
   *
   * @throws {ConfigError} for files that make no answers.
   */
  async reread(file: string): Promise<void> {
    if (!this.isOn) return;
    const read = await readGatewayFile(configForm, file).catch(() => undefined);
    if (read !== undefined) await this.prepare(read);
  }

  /** Looks from now on who listens. */
  watch(): void {
    this.#looks = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Looks no more. */
  unwatch(): void {
    clearInterval(this.#looks);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    if (await this.haveChanged()) this.#changed();
    this.#isLooking = false;
  }
}
