import type { Type } from '@nestjs/common';
import type { ConfigFault } from '../config/config-fault.ts';
import { ComponentStore } from './components.ts';
import { handlerContract, handlersByOrigin } from './handler-contract.ts';

/**
 * Looks for schemas of handlers that share an id and are not the same: the OpenAPI document, and the clients that are made
 * of it, would have one of them under a name that nobody has given it.
 */
export function componentFaults(controllers: readonly Type[]): readonly ConfigFault[] {
  const components = new ComponentStore();
  return [...handlersByOrigin(controllers)].flatMap(([origin, handler]) => {
    components.where = origin;
    const { clashes } = components;
    const before = clashes.length;
    const found: string[] = [];
    try {
      handlerContract(handler, 'GET', components);
    } catch (error) {
      found.push(toldOf(error));
    }
    for (const { id, first } of clashes.slice(before))
      found.push(
        `the OpenAPI component "${id}" is another schema already, in ${first}; give one of them another id`,
      );
    return found.map((message) => ({ file: origin, key: 'OpenAPI', message, code: { at: handler.method } }));
  });
}

function toldOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const id = /Duplicate schema id "([^"]+)"/.exec(message)?.[1];
  return id === undefined
    ? `a schema cannot be described: ${message}`
    : `two schemas have the id "${id}" of an OpenAPI component; give one of them another id`;
}
