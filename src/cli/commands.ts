import { collectDeclarations } from '../config/code-ledger.ts';
import type { GatewayModule } from '../config/gateway-module.ts';

/** Where a command writes. */
export interface Outlet {
  write(text: string): unknown;
  /** Whether somebody looks at it, who likes colors. Default no. */
  readonly isTTY?: boolean | undefined;
  /** How wide the terminal is, where it is one. */
  readonly columns?: number | undefined;
}

/** The modules that a configuration can name, or how they are loaded once a command needs them. */
export type OfferedModules = readonly GatewayModule[] | (() => Promise<readonly GatewayModule[]>);

const loaded = new WeakMap<OfferedModules, Promise<readonly GatewayModule[]>>();

/**
 * Loads the modules, unless they are there. What is wrong with their declarations is kept with them, and told with all that
 * keeps a gateway from starting. Their code runs once, however many configurations are compiled with it.
 */
export function modulesOf(offered: OfferedModules): Promise<readonly GatewayModule[]> {
  if (typeof offered !== 'function') return Promise.resolve(offered);
  let modules = loaded.get(offered);
  if (modules === undefined) loaded.set(offered, (modules = collectDeclarations(offered)));
  return modules;
}
