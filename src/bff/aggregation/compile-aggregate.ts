import type { FileRegistry } from '@bufbuild/protobuf';
import type { NearestNames } from '../../config/nearest-name.ts';
import type { AggregateCallOptions, AggregateOptions } from './aggregate.schema.ts';
import { TemplateFaults, type TemplateFault } from '../../templates/template-fault.ts';
import type { Aggregate, AggregateCall, GrpcOperation, HttpOperation } from './aggregate.ts';
import { grpcManyOf, httpManyOf } from './call-batch.ts';
import { cyclesOf } from './call-cycles.ts';
import { compileGrpcOperation, findMethod } from './grpc-operation.ts';
import { compileTarget } from './request-target.ts';
import { compileGroup, compileMerge, type MappingDeps } from '../../templates/response-mapping.ts';
import { RESERVED_NAMES, type ValueNames, type ValueSource } from '../../templates/value-source.ts';

/** What an aggregated route is compiled with. */
export interface AggregateDeps {
  /** Parameters of the path of the route, in the order of the pattern. */
  readonly parameters: readonly string[];
  /** Protocols of the upstreams by name. */
  readonly protocols: ReadonlyMap<string, 'http' | 'grpc'>;
  /** Their names. */
  readonly names: Pick<NearestNames, 'to'>;
  /** The schema of a gRPC upstream. @throws {TemplateError} when it has none. */
  readonly schemaOf: (upstream: string) => FileRegistry;
}

/** What came of an `aggregate:` section: with a fault it cannot be used. */
export interface CompiledAggregate {
  readonly aggregate: Aggregate;
  readonly faults: readonly TemplateFault[];
}

/** Compiles an `aggregate:` section; all its faults are told at once, by their place below it. */
export function compileAggregate(options: AggregateOptions, deps: AggregateDeps): CompiledAggregate {
  return new AggregateCompiler(options, deps).compile();
}

/** Stands in for an operation with a fault, of which nothing is ever run. */
const FAULTY: HttpOperation = { kind: 'http', target: () => '/' };

class AggregateCompiler {
  readonly #options: AggregateOptions;
  readonly deps: AggregateDeps;
  readonly #faults = new TemplateFaults();
  readonly #names: ValueNames;
  /** Places of the calls whose answer somebody uses. */
  readonly #used = new Set<number>();
  readonly #headers = new Set<string>();
  #isPersonal = false;

  constructor(options: AggregateOptions, deps: AggregateDeps) {
    this.#options = options;
    this.deps = deps;
    // The rest of a wildcard is a path of its own, not a value.
    this.#names = {
      parameters: deps.parameters.filter((name) => name !== '*'),
      calls: Object.keys(options.calls),
    };
  }

  compile(): CompiledAggregate {
    const calls = Object.entries(this.#options.calls).map(([name, call], index) =>
      this.#call(name, call, index),
    );
    for (const cycle of cyclesOf(calls)) {
      const way = cycle.map((call) => call.name);
      this.#faults.add(['calls', way[0] ?? ''], `waits for itself: ${[...way, way[0]].join(' → ')}`);
    }
    const respond = this.#response();
    // Beside another fault it may only be an echo: what uses the answer could not be compiled.
    if (this.#faults.all.length === 0) this.#findUnused(calls);
    const vary = this.#headers.size === 0 ? undefined : [...this.#headers].join(', ');
    const { maxElements, maxAnswer } = this.#options;
    const aggregate = Object.freeze({
      calls,
      respond,
      vary,
      isPersonal: this.#isPersonal,
      maxElements,
      maxAnswer,
    });
    return { aggregate, faults: this.#faults.all };
  }

  #findUnused(calls: readonly AggregateCall[]): void {
    for (const { name, index, required } of calls) {
      if (required || this.#used.has(index)) continue;
      this.#faults.add(['calls', name], 'expected something that uses its answer, or `required: true`');
    }
  }

  #call(name: string, options: AggregateCallOptions, index: number): AggregateCall {
    const path = ['calls', name];
    const { upstream, required, budget = Infinity, fallback, share, cache, batch } = options;
    this.#checkName(name, path);
    if (required && fallback !== undefined) {
      this.#faults.add(
        [...path, 'fallback'],
        'expected no `fallback` beside `required`: it would never show',
      );
    }
    const dependencies = new Set<number>();
    const operation = this.#operation(options, path, dependencies);
    return Object.freeze({
      name,
      index,
      upstream,
      required,
      budgetMs: budget,
      fallback: fallback === undefined || fallback === null ? undefined : () => fallback,
      dependencies: [...dependencies],
      operation: operation ?? FAULTY,
      reuse: { share, cache, batch },
    });
  }

  #checkName(name: string, path: readonly string[]): void {
    const taken = RESERVED_NAMES.includes(name) || this.#names.parameters.includes(name);
    if (taken) this.#faults.add(path, `expected another name: "${name}" stands for something else here`);
  }

  #operation(
    options: AggregateCallOptions,
    path: readonly string[],
    dependencies: Set<number>,
  ): HttpOperation | GrpcOperation | undefined {
    const { path: template, grpc } = options;
    if ((template === undefined) === (grpc === undefined)) {
      this.#faults.add(path, 'expected either `path` or `grpc`');
      return undefined;
    }
    const used = (source: ValueSource): void => {
      this.#note(source);
      if (source.call !== undefined) dependencies.add(source.call);
    };
    const speaks = this.#checkUpstream(options, path);
    if (grpc !== undefined) return speaks ? this.#grpc(grpc, { options, path, used }) : undefined;
    if (options.input !== undefined) {
      this.#faults.add([...path, 'input'], 'expected no `input` beside `path`: calls over HTTP are GET');
    }
    return this.#faults.attempt([...path, 'path'], () => {
      const target = compileTarget(template ?? '', this.#names);
      target.sources.forEach(used);
      const many = httpManyOf({ options, path, faults: this.#faults }, target, this.#names);
      return { kind: 'http', target: (scope) => target.fill(scope), many };
    });
  }

  #checkUpstream({ upstream, grpc }: AggregateCallOptions, path: readonly string[]): boolean {
    const { protocols } = this.deps;
    const protocol = protocols.get(upstream);
    const wanted = grpc === undefined ? 'http' : 'grpc';
    if (protocol === wanted) return true;
    const message =
      protocol === undefined
        ? `there is no upstream "${upstream}"`
        : `the upstream "${upstream}" speaks ${protocol}; \`${protocol === 'grpc' ? 'path' : 'grpc'}\` needs one that speaks ${wanted}`;
    const suggestion = protocol === undefined ? this.deps.names.to(upstream) : undefined;
    this.#faults.add([...path, 'upstream'], message, suggestion);
    return false;
  }

  #grpc(
    name: string,
    about: {
      readonly options: AggregateCallOptions;
      readonly path: readonly string[];
      readonly used: MappingDeps['used'];
    },
  ): GrpcOperation | undefined {
    const { options, path, used } = about;
    return this.#faults.attempt([...path, 'grpc'], () => {
      const registry = this.deps.schemaOf(options.upstream);
      const method = findMethod(name, registry);
      const operation = compileGrpcOperation(method, registry, {
        template: options.input ?? {},
        path: [...path, 'input'],
        deps: { names: this.#names, faults: this.#faults, used },
      });
      return { ...operation, many: grpcManyOf({ options, path, faults: this.#faults }, method, registry) };
    });
  }

  #response(): Aggregate['respond'] {
    const path = ['response'];
    const { response } = this.#options;
    const used = (source: ValueSource): void => this.#note(source);
    const deps: MappingDeps = { names: this.#names, faults: this.#faults, used };
    if (response === undefined) {
      return compileGroup(Object.fromEntries(this.#names.calls.map((name) => [name, name])), path, deps);
    }
    if (Object.hasOwn(response, 'degraded')) {
      this.#faults.add([...path, 'degraded'], 'expected another name: the answer lists there what failed');
    }
    for (const key of ['from', 'each']) {
      if (Object.hasOwn(response, key)) {
        this.#faults.add(
          [...path, key],
          `expected a map of fields or \`merge\`: \`${key}\` need not give an object`,
        );
      }
    }
    if (!Object.hasOwn(response, 'merge')) return compileGroup(response, path, deps);
    const stray = Object.keys(response).find((key) => key !== 'merge');
    if (stray !== undefined) this.#faults.add([...path, stray], 'unknown key beside `merge`');
    const merge = compileMerge(response['merge'], [...path, 'merge'], deps);
    return (scope) => {
      // What an upstream calls `degraded` must not pass for what the gateway says about its answer.
      const { degraded: _theirs, ...merged } = merge(scope) ?? {};
      return merged;
    };
  }

  #note({ call, header, of }: ValueSource): void {
    if (call !== undefined) this.#used.add(call);
    if (header !== undefined) this.#headers.add(header);
    // Neither path, query nor `Vary` tells those apart.
    if (of === 'principal' || of === 'client' || of === 'exchange') this.#isPersonal = true;
  }
}
