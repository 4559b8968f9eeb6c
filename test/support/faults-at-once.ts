import { ConfigError } from '../../src/config/config-fault.ts';
import type { GatewayModule } from '../../src/config/gateway-module.ts';
import { createGateway } from '../../src/embedded-gateway.ts';
import { configForm } from '../../src/pipeline/actions.ts';
import { readGateway } from '../../src/routing/teams/read-gateway.ts';

/** What a check of a configuration says, a line for each fault. */
export async function told(text: string, modules: readonly GatewayModule[] = []): Promise<readonly string[]> {
  try {
    const gateway = await createGateway({ text, modules, config: 'g.yaml', dryRun: true });
    await gateway.init();
    await gateway.app.close();
    return [];
  } catch (error) {
    return linesOf(error);
  }
}

/** What is wrong with its form alone. */
export function formOf(text: string): readonly string[] {
  try {
    readGateway(configForm, text, 'g.yaml', { variables: {} });
  } catch (error) {
    return linesOf(error);
  }
  throw new Error('expected a fault');
}

function linesOf(error: unknown): readonly string[] {
  if (!(error instanceof ConfigError)) throw error;
  const lines = error.message.split('\n').slice(0, -1);
  return lines.map((line) => line.replace('g.yaml:', ''));
}
