import { fileURLToPath } from 'node:url';
import { configForm } from '../pipeline/actions.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { readGateway, readGatewayFile } from '../routing/teams/read-gateway.ts';
import { TestingError } from './testing-error.ts';

/** A configuration: a file (`gateway.yaml`, a URL), its text, or the same as an object. */
export type ConfigInput = string | URL | object;

const FILE = /^[^\n]+\.(?:ya?ml|json)$/i;
const NAME = 'configuration of the test';

/**
 * Reads a configuration, as `start` would.
 *
 * @param variables what `${NAME}` stands for, before those of the process.
 * @throws {ConfigError} with all faults, each with its place.
 */
export function readTestSource(
  config: ConfigInput,
  variables: Readonly<Record<string, string>>,
): Promise<GatewaySource> {
  const known = { variables: { ...process.env, ...variables } };
  if (config instanceof URL) return readGatewayFile(configForm, fileURLToPath(config), known);
  if (typeof config === 'string' && FILE.test(config)) return readGatewayFile(configForm, config, known);
  if (typeof config !== 'string' && (typeof config !== 'object' || config === null || Array.isArray(config)))
    throw new TestingError(
      'expected `config`: a file such as gateway.yaml, its text, or an object with `version: 1`',
    );
  const text = typeof config === 'string' ? config : JSON.stringify(config, undefined, 2);
  return Promise.resolve(readGateway(configForm, text, NAME, known));
}
