import { statSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import vm from 'node:vm';
import jestRuntime from 'jest-runtime';

// What Node imports is the class; the types are those of the CommonJS module.
const JestRuntime = jestRuntime as unknown as typeof jestRuntime.default;

/** Packages with state that a suite must not inherit: types and strategies by name, metrics of a default registry, a store of 1000 entries. */
const loadedAnew = ['@nestjs/graphql', '@nestjs/passport', 'passport', 'passport-jwt', 'oidc-provider'];
// What shares types of GraphQL has to be loaded together with it, whose lookup tables were found broken in a later suite.
const graphql = ['graphql[\\w-]*', '@graphql-[\\w-]+/[\\w.-]+', '@apollo/[\\w.-]+'];
const anew = new RegExp(`/node_modules/(${[...loadedAnew, ...graphql].join('|')})/`);

interface Loaded {
  /** Of a CommonJS module. */
  readonly loaded?: boolean;
  /** Of an ES module. */
  readonly status?: string;
  readonly identifier?: string;
  readonly moduleRequests?: readonly { readonly specifier: string }[];
}

/** Modules of ours with state that a suite must not inherit, such as secrets that were learned, and queues where somebody waits. */
const withState = [
  'calls/call-watch',
  'config/code-ledger',
  'exchange/composed-answer',
  'exchange/standing-queues',
  'telemetry/redaction',
  'telemetry/secret-names',
  'upstreams/health/probe-slots',
  'upstreams/transport/operators-places',
];
const stateful = new RegExp(`/src/(${withState.join('|')})\\.ts$`);
/** Our own modules that may stay: the gateway's, but for what belongs to a suite. */
const ownModule = /^file:\/\/(?!.*\/node_modules\/).*\/src\/.*(?<!\.spec|\.fixture)\.ts$/;

const mayStay = new Map<string, boolean>();
const imported = new WeakMap<object, readonly string[]>();

/** Whether a module may stay, by where it comes from. */
function isOfAll(key: string): boolean {
  let answer = mayStay.get(key);
  if (answer === undefined) {
    answer = key.includes('/node_modules/') ? !anew.test(key) : ownModule.test(key) && !stateful.test(key);
    mayStay.set(key, answer);
  }
  return answer;
}

/** What a module of ours imports: URLs of files, and names of packages as a path within them. */
function importsOf(key: string, loaded: Loaded): readonly string[] {
  let paths = imported.get(loaded);
  if (!paths) {
    // Packages are kept whatever they import: those of a kind are named together.
    paths = (key.includes('/node_modules/') ? [] : (loaded.moduleRequests ?? [])).map(({ specifier }) =>
      specifier.startsWith('.') ? new URL(specifier, key).href : `/node_modules/${specifier}/`,
    );
    imported.set(loaded, paths);
  }
  return paths;
}

/** Modules by path or URL. Clearing it leaves what came from packages and is loaded to its end, and our own of nothing else. */
class KeepingRegistry extends Map<string, Loaded> {
  override clear(): void {
    for (const [key, { loaded, status }] of this) {
      if (!(isOfAll(key) && (loaded === true || status === 'evaluated'))) this.delete(key);
    }
    while (this.#dropWhatImportsDropped());
  }

  #dropWhatImportsDropped(): boolean {
    const { size } = this;
    for (const [key, loaded] of this) {
      if (!importsOf(key, loaded).every((path) => this.#lasts(path))) this.delete(key);
    }
    return this.size < size;
  }

  #lasts(path: string): boolean {
    return path.startsWith('/node_modules/') ? !anew.test(path) : this.has(path);
  }
}

/**
 * What Jest itself loads into the global object: `expect` and what shows differences, which a suite changes through the global
 * object only. The runner of its tests is made anew, since it has the state of a suite.
 */
class InternalRegistry extends Map<string, Loaded> {
  override clear(): void {
    for (const [key, { loaded }] of this)
      if (loaded !== true || key.includes('/node_modules/jest-circus/')) this.delete(key);
  }
}

interface Transformed {
  readonly code: string;
  readonly sourceMapPath: string | null;
}

interface Transforms {
  transforms: Map<string, Transformed>;
  sourceMaps: Map<string, string>;
  transform: (file: string, options?: { isInternalModule?: boolean }) => string;
}

type Importing = (...args: unknown[]) => Promise<unknown>;

interface Loader {
  dynamicImport: Importing;
  dynamicImportFromCjs: Importing;
  walkGraphSync: (walk: { readonly scratch: Map<string, unknown> }) => unknown;
}

/** The parts of Jest's runtime that its types do not show. */
interface Internals {
  registries: {
    moduleRegistry: KeepingRegistry;
    esModuleRegistry: KeepingRegistry;
    internalModuleRegistry: InternalRegistry;
    getRequireCacheProxy: () => object;
  };
  esmLoader: Loader;
  transformCache: Transforms;
}

const commonJs = new KeepingRegistry();
const esModules = new KeepingRegistry();
const internals = new InternalRegistry();
const sources = new Map<string, { readonly version: string; readonly transformed: Transformed }>();

const INLINE_MAP = /^\/\/# sourceMappingURL=data:.*$/m;

/** A file that names its source map in place of holding it: the debugger, which finds places in code, is told all of it for each script. */
function withoutMap({ code, sourceMapPath }: Transformed): Transformed {
  if (sourceMapPath === null) return { code, sourceMapPath };
  return { code: code.replace(INLINE_MAP, `//# sourceMappingURL=${sourceMapPath}`), sourceMapPath };
}

/** Remembers transformed files while they do not change, which saves reading and hashing them for each suite. */
function remember(cache: Transforms): void {
  const transform = cache.transform.bind(cache);
  cache.transform = (file, options) => {
    if (options?.isInternalModule) return transform(file, options);
    const { mtimeMs, size } = statSync(file);
    const version = `${mtimeMs}:${size}`;
    const known = sources.get(file);
    if (known?.version !== version) {
      transform(file, options);
      const transformed = withoutMap(cache.transforms.get(file) as Transformed);
      cache.transforms.set(file, transformed);
      sources.set(file, { version, transformed });
      return transformed.code;
    }
    cache.transforms.set(file, known.transformed);
    if (known.transformed.sourceMapPath) cache.sourceMaps.set(file, known.transformed.sourceMapPath);
    return known.transformed.code;
  };
}

const { SourceTextModule } = vm;
const compiled = new Map<string, { readonly code: string; readonly data: Buffer }>();

/**
 * Compiles a file once for all suites: what V8 has made of its text is kept here. V8's own cache is left out, since each entry
 * keeps a module, and through it all those of a suite that is long over: a collection of garbage took seconds.
 */
const compileOnce: ProxyHandler<typeof SourceTextModule> = {
  construct(_target, [code, options = {}]: [string, vm.SourceTextModuleOptions?]) {
    setFlagsFromString('--no-compilation-cache');
    try {
      return compiledBefore(code, options) ?? compiledNow(code, options);
    } finally {
      setFlagsFromString('--compilation-cache');
    }
  },
};

function compiledBefore(code: string, options: vm.SourceTextModuleOptions): vm.SourceTextModule | undefined {
  const known = compiled.get(options.identifier ?? '');
  if (known?.code !== code) return undefined;
  try {
    return new SourceTextModule(code, { ...options, cachedData: known.data });
  } catch {
    // What was compiled under other flags is of no use: a suite may have set some.
    return undefined;
  }
}

function compiledNow(code: string, options: vm.SourceTextModuleOptions): vm.SourceTextModule {
  const made = new SourceTextModule(code, options);
  // Its types do not know it.
  const { createCachedData } = made as unknown as { createCachedData: () => Buffer };
  compiled.set(options.identifier ?? '', { code, data: createCachedData.call(made) });
  return made;
}

vm.SourceTextModule = new Proxy(SourceTextModule, compileOnce);

/** Empties what a walk over imports has collected: a package's `import.meta` would keep all modules of the suite by it. */
function forget(loader: Loader): void {
  const walkGraphSync = loader.walkGraphSync.bind(loader);
  loader.walkGraphSync = (walk) => {
    try {
      return walkGraphSync(walk);
    } finally {
      walk.scratch.clear();
    }
  };
}

const nothing = Object.freeze({});

/** The runtime of the suite that runs. */
const now: { runtime?: SharingRuntime } = {};

/**
 * Jest's runtime, with packages that stay loaded for all suites of a worker, in the global object that they share
 * (`environment.ts`). Our own modules are new for each suite. Loading two thousand modules of packages for each suite that
 * starts a gateway, and running them cold, made half of the tests' CPU.
 */
export default class SharingRuntime extends JestRuntime {
  readonly #imports: Pick<Loader, 'dynamicImport' | 'dynamicImportFromCjs'>;

  constructor(...given: ConstructorParameters<typeof JestRuntime>) {
    super(...given);
    const { registries, esmLoader, transformCache } = this as unknown as Internals;
    // Fastify looks there for the file of each plugin without a name, through the thousands that Jest would list anew.
    registries.getRequireCacheProxy = () => nothing;
    registries.moduleRegistry = commonJs;
    registries.esModuleRegistry = esModules;
    registries.internalModuleRegistry = internals;
    for (const registry of [commonJs, esModules, internals]) registry.clear();
    remember(transformCache);
    forget(esmLoader);
    this.#imports = {
      dynamicImport: esmLoader.dynamicImport.bind(esmLoader),
      dynamicImportFromCjs: esmLoader.dynamicImportFromCjs.bind(esmLoader),
    };
    // A package asks the runtime that loaded it, which may be that of a suite long over.
    esmLoader.dynamicImport = (...args) => (now.runtime ?? this).#imports.dynamicImport(...args);
    esmLoader.dynamicImportFromCjs = (...args) =>
      (now.runtime ?? this).#imports.dynamicImportFromCjs(...args);
    now.runtime = this;
  }

  override requireModuleOrMock<T = unknown>(from: string, moduleName: string): T {
    const { runtime = this } = now;
    return runtime === this
      ? super.requireModuleOrMock(from, moduleName)
      : runtime.requireModuleOrMock(from, moduleName);
  }

  override requireInternalModule<T = unknown>(from: string, to?: string): T {
    const { runtime = this } = now;
    return runtime === this ? super.requireInternalModule(from, to) : runtime.requireInternalModule(from, to);
  }
}
