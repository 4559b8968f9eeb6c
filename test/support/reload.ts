import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { Reloads, type Reload } from '../../src/snapshot/reloads.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import type { TestGateway } from './gateway.ts';

/** Gives a running gateway another configuration, as data; JSON is YAML. */
export async function reload({ gateway }: TestGateway, config: object): Promise<Reload> {
  const { file } = gateway.app.get(Snapshots).current.source.document;
  const source = readConfig(gatewaySchema, JSON.stringify(config), file, {});
  return gateway.app.get(Reloads).take(source, 'test');
}

/** How many configurations are still held, the one in force included. */
export const heldBy = ({ gateway }: TestGateway): number => gateway.app.get(Snapshots).count;

/** Waits until something holds; the test's own timeout ends it otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
