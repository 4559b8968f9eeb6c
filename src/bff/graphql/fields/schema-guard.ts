import { Inject, Injectable, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { RESOLVER_TYPE_METADATA } from '@nestjs/graphql';
import type { GraphQLSchema } from 'graphql';
import type { Call } from '../../../calls/call.ts';
import { callFaults } from '../../../calls/call-faults.ts';
import type { ConfigFault } from '../../../config/config-fault.ts';
import { methodsNamed } from '../../../policies/placements.ts';
import { STAGE_FACTORIES, type StageFactory } from '../../../policies/stage-factory.ts';
import { BootFaults } from '../../../routing/boot-faults.ts';
import type { Route } from '../../../routing/route.ts';
import type { GatewaySource } from '../../../routing/table-builder.ts';
import { Snapshots } from '../../../snapshot/snapshots.ts';
import { callsOfView, servedViews, type ServedView } from '../../served-views.ts';
import { ViewGuards } from '../../view-guards.ts';
import { callsOf } from './calls.decorator.ts';
import { FieldPolicies } from './field-policies.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';
import { guardLists } from './list-guard.ts';
import { resolverFields } from './resolver-fields.ts';
import { ViewProtection } from './view-protection.ts';

/** Makes a schema hold what the decorators of its types and resolvers say. */
@Injectable()
export class SchemaGuard {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly snapshots: Snapshots,
    @Inject(STAGE_FACTORIES) private readonly factories: readonly StageFactory[],
    private readonly guards: ViewGuards,
    private readonly faults: BootFaults,
  ) {}

  /**
   * Replaces the resolvers of what is protected, and protects what views show of it over REST.
   *
   * @param route of the GraphQL door.
   * @returns undefined where something cannot be enforced, is enforced by nobody, or makes calls that cannot be made;
   * the gateway does not start then.
   */
  enforce(schema: GraphQLSchema, route: Route, options: GraphqlLimits): FieldPolicies | undefined {
    const { factories, faults, guards } = this;
    const resolvers = this.#resolvers();
    const messages = new Set<string>();
    guardLists(schema, resolvers, !options.production, messages);
    const policies = new FieldPolicies({ schema, resolvers, route, factories }, messages);
    const protection = new ViewProtection({ schema, resolvers, policies, denied: options.denied });
    guards.protect((view) => protection.of(view));
    for (const resolver of resolvers) faults.examined(resolver);
    for (const message of [...this.callFaults(this.snapshots.current.source), ...this.#viewFaults()])
      messages.add(message);
    faults.addMessages('GraphQL', messages, (message) => this.#codeOf(message, resolvers));
    return messages.size === 0 ? policies : undefined;
  }

  /** Takes what keeps the gateway from starting. */
  tell(faults: readonly ConfigFault[]): void {
    this.faults.add(faults);
  }

  /** @throws {ConfigError} with what is known to keep the gateway from starting, when there is something. */
  refuse(): void {
    this.faults.refuse();
  }

  /** Calls of resolvers and views that cannot be made with the upstreams of a configuration. */
  callFaults({ value: { upstreams } }: GatewaySource): readonly string[] {
    // A view that is offered on several faces is made of the same calls: each is told once, by who answers with it.
    const told = new Set<Call<never, unknown>>();
    const first = (origin: string, calls: readonly Call<never, unknown>[]): readonly string[] => {
      const fresh = calls.filter((call) => !told.has(call));
      for (const call of fresh) told.add(call);
      return callFaults(origin, fresh, upstreams);
    };
    return [
      ...this.#servedViews().flatMap(({ origin, view }) => first(origin, callsOfView(view))),
      ...this.#resolvers()
        .flatMap(resolverFields)
        .flatMap(({ origin, method }) => first(origin, callsOf(method) ?? [])),
    ];
  }

  /** The class or method that a message begins with. */
  #codeOf(message: string, resolvers: readonly Type[]): object | undefined {
    const [, name, member] = /^(\w+)(?:\.(\w+))?: /.exec(message) ?? [];
    const controllers = this.discovery
      .getControllers()
      .flatMap(({ metatype }) => (isClass(metatype) ? [metatype] : []));
    const owner = [...resolvers, ...controllers].find((one) => one.name === name);
    return owner && ((member === undefined ? undefined : methodsNamed(owner, member)[0]) ?? owner);
  }

  #viewFaults(): readonly string[] {
    return this.#servedViews().flatMap(({ origin, view }) =>
      (this.guards.of(view)?.faults ?? []).map((fault) => `${origin}: ${fault}`),
    );
  }

  #servedViews(): readonly ServedView[] {
    const controllers = this.discovery.getControllers();
    return controllers.flatMap(({ metatype }) => (isClass(metatype) ? servedViews(metatype) : []));
  }

  // By what there is as well as by how it was provided: Nest serves what a factory makes, too.
  #resolvers(): readonly Type[] {
    const classes = this.discovery.getProviders().flatMap(({ instance, metatype }) => {
      const made: unknown = (instance as object | null | undefined)?.constructor;
      return [made, metatype].filter((one) => isClass(one) && isResolver(one)) as Type[];
    });
    return [...new Set(classes)];
  }
}

function isClass(metatype: unknown): metatype is Type {
  return (
    typeof metatype === 'function' && typeof metatype.prototype === 'object' && metatype.prototype !== null
  );
}

function isResolver(target: Type): boolean {
  return Reflect.hasMetadata(RESOLVER_TYPE_METADATA, target) || resolverFields(target).length > 0;
}
