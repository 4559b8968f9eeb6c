import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { NearestNames } from '../config/nearest-name.ts';
import { credentialPlaces } from './security.ts';
import { staticAnswer, type StaticAnswer } from '../exchange/static-answer.ts';
import { BootFaults } from '../routing/boot-faults.ts';
import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { componentFaults } from './component-faults.ts';
import { buildDocument } from './document-builder.ts';
import type { OpenApiDocument } from './openapi.ts';

/** A document as it is sent. */
export interface RenderedDocument {
  readonly document: OpenApiDocument;
  readonly answer: StaticAnswer;
}

/** Prefix of the ids of the routes that serve the contracts, which are not part of the API themselves. */
export const CONTRACTS_FEATURE = 'contracts';

/** Makes the OpenAPI document, once for each set of routes. */
@Injectable()
export class ContractDocument {
  #routes: readonly Route[] | undefined;
  #rendered: RenderedDocument | undefined;

  /** @throws {ConfigError} when the configuration hides a route that there is not. */
  constructor(
    private readonly snapshots: Snapshots,
    private readonly discovery: DiscoveryService,
    boot: BootFaults,
  ) {
    boot.add(componentFaults(this.#controllers()));
    const check = ({ source, table }: Snapshot): ConfigFault[] => hideFaults(source, table.routes);
    const faults = check(snapshots.current);
    if (faults.length > 0) throw new ConfigError(faults);
    snapshots.check(check);
  }

  /** The document of the routes that there are now. */
  current(): RenderedDocument {
    const { table, source } = this.snapshots.current;
    const { routes } = table;
    if (this.#rendered === undefined || this.#routes !== routes) {
      this.#routes = routes;
      this.#rendered = this.#render(routes, source);
    }
    return this.#rendered;
  }

  #controllers(): readonly Type[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => (metatype ? [metatype as Type] : []));
  }

  #render(routes: readonly Route[], source: GatewaySource): RenderedDocument {
    const { contracts, floodLimit, identity, tiers, upstreams } = source.value;
    const controllers = this.#controllers();
    const document = buildDocument({
      routes,
      controllers,
      config: contracts,
      floodLimited: floodLimit !== 'off',
      tiers,
      places: credentialPlaces(identity),
      protocols: new Set(Object.values(upstreams).map(({ protocol }) => protocol)),
      isHidden: ({ id, door }) => door === 'handler' && id.startsWith(`${CONTRACTS_FEATURE}.`),
    });
    return { document, answer: staticAnswer('application/json; charset=utf-8', JSON.stringify(document)) };
  }
}

// Fail closed: a name that hides nothing is a route that its owner believes to be hidden.
function hideFaults({ value, document }: GatewaySource, routes: readonly Route[]): ConfigFault[] {
  const ids = new Set(routes.map(({ id }) => id));
  const names = new NearestNames(ids);
  // Methods that an upstream has yet to tell may be meant.
  if (routes.some(({ action }) => action.isPending === true)) return [];
  return value.contracts.hide.flatMap((id, index) => {
    if (ids.has(id)) return [];
    const { line, column } = document.locate(['contracts', 'hide', index]);
    const message = `there is no route "${id}"`;
    const key = `contracts.hide[${index}]`;
    return [{ file: document.file, line, column, key, message, suggestion: names.to(id) }];
  });
}
