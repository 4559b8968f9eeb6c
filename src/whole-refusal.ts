import type { GatewayOptions } from './app.module.ts';
import { createGateway } from './main.ts';
import { leftoverOf } from './routing/faults-at-once.ts';
import type { GatewaySource } from './routing/table-builder.ts';
import { createLogger } from './telemetry/logger.ts';

/**
 * What to throw for a configuration that could not be read: faults of its form, and with them those of meaning that can be told of
 * the rest, which is put together without listening, and given up.
 *
 * @param optionsOf what a gateway of the rest would be made of.
 * @returns the error itself where nothing more can be told.
 */
export async function wholeRefusal(
  error: unknown,
  optionsOf: (source: GatewaySource) => Promise<Pick<GatewayOptions, 'environment' | 'modules'>>,
): Promise<unknown> {
  const leftover = leftoverOf<GatewaySource>(error);
  if (leftover === undefined) return error;
  const { left: source } = leftover;
  try {
    const { environment, modules } = await optionsOf(source);
    const gateway = await createGateway({
      environment: { ...environment, redisUrl: undefined },
      source,
      ...(modules && { modules }),
      logger: createLogger('silent'),
      dryRun: true,
    });
    await gateway.init();
    await gateway.app.close();
    return leftover.refusal(undefined);
  } catch (refused) {
    return leftover.refusal(refused);
  }
}
