import { existsSync } from 'node:fs';

const EMPTY = 'version: 1\ndefaults: { policies: { authentication: public } }\n';

/**
 * Loads what every gateway needs, and compiles one without routes, so that the engine knows the way: what is left to do
 * for a team's own is little. Never rejects: what is wrong is told when there is something to serve.
 */
export async function warmUp(): Promise<void> {
  try {
    const { createGateway, preload } = await import('../../main.ts');
    const { createLogger } = await import('../../telemetry/logger.ts');
    const { readEnvironment } = await import('../../config/env.schema.ts');
    const { readConfig } = await import('../../config/config-reader.ts');
    const { gatewaySchema } = await import('../../pipeline/actions.ts');
    await import('../project/load-modules.ts');
    await preload();
    const { loadCompiler } = await import('../project/typescript-loader.ts');
    if (existsSync('tsconfig.json')) loadCompiler();
    const source = readConfig(gatewaySchema, EMPTY, 'warm-up');
    const logger = createLogger('silent');
    const gateway = await createGateway({ environment: readEnvironment({}), source, logger, dryRun: true });
    await gateway.init();
    await gateway.app.close();
  } catch {
    // Told by who is asked to serve.
  }
}
