import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';
import { installCommonGlobals } from 'jest-util';

const { createContext, constants } = vm;

/** What a suite's framework, and packages that are loaded anew for each suite, keep on the global object. */
const ofOneSuite = new Set([
  'JEST_STATE_SYMBOL',
  'EVENT_HANDLERS',
  'TEST_TIMEOUT_SYMBOL',
  'RETRY_TIMES',
  'RETRY_TIMES_SETTER',
  'RETRY_IMMEDIATELY',
  'WAIT_BEFORE_RETRY',
  'LOG_ERRORS_BEFORE_RETRY',
  'GqlTypeMetadataStorage',
  'GqlLazyMetadataStorageHost',
]);

const worker: { environment?: SharedEnvironment } = {};

/**
 * Jest's environment for Node, of which a worker has one for all its suites: a new global object would ask for new copies
 * of all packages (`runtime.ts` keeps them). Between two suites go faked timers, the state of the framework, and the
 * process object with its `env` and listeners.
 *
 * The global object is one that V8 reads by itself. Jest's own is a proxy: each `Math`, `Buffer` or `performance` that code
 * names goes through it, which made a fifth of the tests' CPU.
 */
export default class SharedEnvironment extends TestEnvironment {
  constructor(...given: ConstructorParameters<typeof TestEnvironment>) {
    if (worker.environment) return worker.environment;
    // The one place where a context is made is within the constructor.
    vm.createContext = () => createContext(constants.DONT_CONTEXTIFY);
    try {
      super(...given);
    } finally {
      vm.createContext = createContext;
    }
    worker.environment = this;
  }

  /** Cleans up after a suite; the environment stays. */
  override teardown(): Promise<void> {
    this.fakeTimers?.dispose();
    this.fakeTimersModern?.dispose();
    for (const key of Reflect.ownKeys(this.global)) {
      if (ofOneSuite.has(typeof key === 'symbol' ? (key.description ?? '') : key))
        Reflect.deleteProperty(this.global, key);
    }
    // Jest makes the copy of `process` in the midst of what it can do to a global object once only.
    const { Symbol, Date } = this.global;
    this.global.process = installCommonGlobals({ Symbol, Date } as typeof globalThis, {}, 'off').process;
    return Promise.resolve();
  }
}
