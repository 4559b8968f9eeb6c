import type { z } from 'zod';
import { bundleOf } from '../../config/config-bundle.ts';
import { readConfig, type ReadConfig } from '../../config/config-reader.ts';
import { readConfigText } from '../../config/included-files.ts';
import { readConfigInTurns } from '../../config/yaml-in-turns.ts';
import { gatewaySchemaOf, type GatewayConfig } from '../gateway.schema.ts';
import type { ActionSource } from '../route-action.ts';
import { inTurns } from '../steps.ts';
import type { GatewaySource } from '../table-builder.ts';
import { IncludedConfig, mainOf, type ConfigForm, type GatewayReading } from './included-config.ts';
import { teamSchemaOf, type TeamFile } from './team-file.schema.ts';

export type { ConfigForm, GatewayReading };

/** The form of configurations with these kinds of routes. */
export function configFormOf(sources: readonly ActionSource[]): ConfigForm {
  let team: z.ZodType<TeamFile> | undefined;
  return { gateway: gatewaySchemaOf(sources), team: () => (team ??= teamSchemaOf(sources)) };
}

/**
 * Reads a configuration, and the files that it includes where the text has them.
 *
 * @param text what {@link readConfigText} has read.
 * @throws {ConfigError} with all faults of their form.
 */
export function readGateway(
  form: ConfigForm,
  text: string,
  file: string,
  reading: GatewayReading = {},
): GatewaySource {
  const bundle = bundleOf(text);
  const { variables = process.env } = reading;
  if (bundle.patterns.length === 0) return readConfig(form.gateway, bundle.main, file, variables);
  return new IncludedConfig(form, { bundle, text, file, reading }).read();
}

/**
 * The same, with turns of the event loop between, so that requests have theirs: routes of a long list one after the other, files of
 * teams one after the other. What has faults is read once more, at once.
 *
 * @throws {ConfigError} with all faults of their form.
 */
export async function readGatewayInTurns(
  form: ConfigForm,
  text: string,
  file: string,
  reading: GatewayReading = {},
): Promise<GatewaySource> {
  const bundle = bundleOf(text);
  const { variables } = reading;
  const main: ReadConfig<GatewayConfig> | undefined = await readConfigInTurns(
    form.gateway,
    bundle.main,
    file,
    { variables, key: 'routes' },
  );
  if (bundle.patterns.length === 0) return main ?? readConfig(form.gateway, bundle.main, file, variables);
  const given = { bundle, text, file, reading };
  return inTurns(new IncludedConfig(form, given, main ?? mainOf(form, given)).readInSteps());
}

/** Reads a file with {@link readGateway}, and what it includes. @throws {ConfigError} with all faults of their form. */
export async function readGatewayFile(
  form: ConfigForm,
  file: string,
  reading: GatewayReading = {},
): Promise<GatewaySource> {
  return readGateway(form, await readConfigText(file, reading.variables), file, reading);
}
