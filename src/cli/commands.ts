import type { GatewayModule } from '../config/gateway-module.ts';

/** Where a command writes. */
export interface Outlet {
  write(text: string): unknown;
  /** Whether somebody looks at it, who likes colors. Default no. */
  readonly isTTY?: boolean | undefined;
}

/** The modules that a configuration can name, or how they are loaded once a command needs them. */
export type OfferedModules = readonly GatewayModule[] | (() => Promise<readonly GatewayModule[]>);

/** Loads the modules, unless they are there. */
export function modulesOf(offered: OfferedModules): Promise<readonly GatewayModule[]> {
  return typeof offered === 'function' ? offered() : Promise.resolve(offered);
}
