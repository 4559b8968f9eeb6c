/**
 * The package's `gatehouse/config`: what `gatehouse.config.ts` is written with, and the types of the configuration file. It loads
 * nothing of the gateway.
 */
export { defineConfig, type ProjectConfig } from './config/project-config.ts';
export type { GatewayModule } from './config/gateway-module.ts';
export type { GatewayConfigInput, GatewayConfig } from './routing/gateway.schema.ts';
