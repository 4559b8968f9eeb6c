import type { Exchange } from '../exchange/exchange.ts';

/** What a stage goes by, by names of its own: `key`, `left`. No secrets. */
export type StageFacts = Readonly<Record<string, string>>;

/** What a stage may tell of a request that nobody has sent. */
export interface ExplainedStage {
  /**
   * Tells what it goes by for an exchange that nobody has sent, such as keys, and writes on it what later steps read. Nothing
   * else happens: no token is taken, nothing stored is looked at, nobody is asked. Throws the problem that it would refuse
   * with. Absent: it has nothing to tell besides its options.
   */
  readonly explain?: ((exchange: Exchange) => StageFacts | void) | undefined;
}
