import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { FormError, type ReadConfig } from '../config/config-reader.ts';
import { INCOMPLETE } from '../config/remains.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import { UnsureParts } from './unsure.ts';

/** A configuration whose form has faults, for whoever looks for faults of meaning in what is left of it. */
export interface Leftover<Source> {
  readonly left: Source;
  /**
   * All faults of both kinds, but for those that only follow from faults of form.
   *
   * @param error what came of compiling what is left.
   */
  refusal(error: unknown): ConfigError;
}

/** What is left of a configuration that could not be read; undefined where nothing is, or the error is another one. */
export function leftoverOf<Source extends ReadConfig<GatewayConfig>>(
  error: unknown,
): Leftover<Source> | undefined {
  if (!(error instanceof FormError)) return undefined;
  const rest = (error as FormError<Source>).rest();
  if (rest === undefined) return undefined;
  const { left, found } = rest;
  const unsure = new UnsureParts(left.cuts ?? { paths: [], routeIds: [] });
  const form = [...error.faults, ...found];
  const told = new Set(form.map(textOf));
  return {
    left,
    refusal(meant) {
      // What was thrown besides may come of what is missing.
      const faults = meant instanceof ConfigError ? meant.faults : [];
      const more = faults.filter(
        (fault) => fault.message !== INCOMPLETE && !told.has(textOf(fault)) && unsure.isSure(fault),
      );
      return new ConfigError([...form, ...more]);
    },
  };
}

function textOf({ file, line, column, key, message }: ConfigFault): string {
  return JSON.stringify([file, line, column, key, message]);
}
